using Cluster.Contracts;

namespace Cluster.Cli.Configuration;

/// <summary>Which settings somebody gave, so that a message can say where two of them stand that do not go together.</summary>
public sealed class SettingsInForce
{
    private readonly Dictionary<string, Setting> _byKey = new(StringComparer.Ordinal);

    /// <summary>Nobody gave anything, or it is no longer known who did.</summary>
    public static SettingsInForce Unknown { get; } = new();

    /// <summary>A later setting of the same key replaces an earlier one.</summary>
    public void Take(Setting setting)
    {
        ArgumentNullException.ThrowIfNull(setting);
        _byKey[setting.Row.Key] = setting;
    }

    /// <summary>True unless the key has its default.</summary>
    public bool IsGiven(string key) => _byKey.ContainsKey(key);

    /// <summary>True if the value of <paramref name="key"/> is only a default, or only the recipe's where that of <paramref name="to"/> is the command line's: the latter was chosen knowing the former.</summary>
    public bool Yields(string key, string to) => RankOf(key) == 0 || RankOf(key) < RankOf(to);

    private int RankOf(string key) => !_byKey.TryGetValue(key, out var setting) ? 0 : setting.Origin == RunResolver.FromCommandLine ? 2 : 1;

    /// <summary>Where the value stands (<c>recipe x line 4: optimizer.momentum 2</c>, <c>--momentum 2</c>), or that it is the default.</summary>
    public string PlaceOf(string key, RunOptions options) => _byKey.TryGetValue(key, out var setting)
        ? setting.Place
        : $"{key} {OptionTable.ByKey(key)!.Read(options) ?? "unset"}";
}
