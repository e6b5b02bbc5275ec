using System.Text;
using Cluster.Chaos;
using Cluster.Chaos.Proxy;
using Cluster.Cli.Configuration;
using Cluster.Cli.Nodes;
using Cluster.Contracts;
using Cluster.Coordinator.Monitor.TensorBoard;
using Cluster.Coordinator.Monitor.Traces;
using Cluster.Coordinator.Monitor.Web;
using Cluster.Link;
using Cluster.Membership.Kubernetes;
using Verdict = Cluster.Coordinator.Monitor.Web.Verdict;

namespace Cluster.Cli.Bench.Fuzz.Targets;

/// <summary>Files and options that people write, and what a run leaves for people's tools.</summary>
internal static class TextTargets
{
    private static readonly RunShape Shape = new(100, 3, 2);

    public static IReadOnlyList<FuzzTarget> All { get; } =
    [
        new("config", static () => LinkTargets.Texts(ConfigText), static folder => FuzzDecoder.OfFile(folder, "config.yaml", static path => ConfigReader.Read(path) is not null)) { Cost = 20 },
        new("recipe", static () => LinkTargets.Texts("recipe: mine\ndescription: of my own\nmodel: resnet18\nbatch: 128\nlr: 0.1\n", "optimizer:\n  lr: 0.1\n"), static _ => new FuzzDecoder(static bytes => RecipeReader.Parse(Encoding.UTF8.GetString(bytes), "recipe.yaml", "recipe") is not null)) { Cost = 10 },
        new("fault", static () => LinkTargets.Texts("kill:worker-1@10", "stop:worker-2@20+5", "delay:worker-1@4+5,ms=50,jitter=20", "black-hole:ps-0@5+2"),
            static _ => new FuzzDecoder(static bytes => FaultSpec.Parse(Encoding.UTF8.GetString(bytes), Shape.Nodes, Shape.Steps) is { } fault && FaultSpec.Parse(fault.ToString(), Shape.Nodes, Shape.Steps).Equals(fault)
                ? true : throw new InvalidOperationException("a fault that does not come back from its own text"))),
        new("plan", static () => LinkTargets.Texts("name: mine\nfaults:\n- kill:worker-1@10\n- {fault: slow, node: worker-1, step: 10, seconds: 2, factor: 10}\n"), static _ => new FuzzDecoder(static bytes => PlanFile.Parse(Encoding.UTF8.GetString(bytes), "plan.yaml", Shape) is not null)) { Cost = 6 },
        new("routes", static () => LinkTargets.Texts("127.0.0.1:7000=127.0.0.1:9000;unix:/a=unix:/b"), static _ => new FuzzDecoder(static bytes => Detours.Parse(Encoding.UTF8.GetString(bytes)) is not null)),
        new("proxy.order", static () => LinkTargets.Texts("black-hole", "heal", "delay 50", "corrupt", "rate 10"), static _ => new FuzzDecoder(static bytes => ProxySettings.None.Obey(Encoding.UTF8.GetString(bytes)).Next is not null)) { IsTyped = static e => e is FormatException or ClusterException },
        new("monitor.address", static () => LinkTargets.Texts("127.0.0.1:0", "[::1]:8080", "localhost:9"), static _ => new FuzzDecoder(static bytes => MonitorAddress.TryParse(Encoding.UTF8.GetString(bytes), out var _))),
        new("monitor.access", static () => LinkTargets.Texts("GET\n/\nhost\n0123\n0123\nBearer 0123", "GET\n/metrics\nh\n\n\nBearer 0123"), static _ => new FuzzDecoder(Access)),
        new("traces", static () => LinkTargets.Texts(
            """{"process":"worker-0","trace":"000102030405060708090a0b0c0d0e0f","spans":[{"id":"0102","parent":"01","name":"compute","start":5,"ns":7,"tags":{"leaf":"3"},"links":[{"id":"05","tags":{"a":"b"}}],"error":"x"}]}""",
            """{"process":"ps-0","dropped":12}"""), static _ => new FuzzDecoder(static bytes => TraceLine.Read(bytes) is not null)),
        new("kubernetes.selector", static () => LinkTargets.Texts("app.kubernetes.io/name=cluster,component=coordinator:7100", "app in (a,b),!old@training:1"), static _ => new FuzzDecoder(static bytes =>
            PodSelector.Parse(PodSelector.Prefix + Encoding.UTF8.GetString(bytes)) is { } selector && PodSelector.Parse(selector.ToString()) == selector ? true : throw new InvalidOperationException("a selector that does not come back from its own text"))),
        new("kubernetes.pods", static () => LinkTargets.Texts(
            """{"kind":"PodList","metadata":{"resourceVersion":"9"},"items":[{"metadata":{"name":"c-10","namespace":"n"},"spec":{"hostname":"c-10","subdomain":"c"},"status":{"phase":"Running","podIP":"10.0.0.7","podIPs":[{"ip":"10.0.0.7"}]}},{"metadata":{"name":"c-2","namespace":"n"},"status":{"podIP":"10.0.0.8"}}]}""",
            """{"kind":"PodList","items":[{"metadata":{"name":"a","namespace":"n","deletionTimestamp":"2026-11-22T00:00:00Z"}},{"metadata":{"name":"b","namespace":"n"},"status":{"phase":"Failed","podIP":null,"podIPs":[{"ip":"fd00::5"}]}}]}"""),
            static _ => new FuzzDecoder(Pods)),
        new("tensorboard", EventFiles, static _ => new FuzzDecoder(static bytes => EventFileScan.Of(new MemoryStream(bytes)).WallTime is var _)) { Seal = Seals.EventRecords },
    ];

    private static string ConfigText
    {
        get
        {
            var world = new ResolveEnvironment { WorkingDirectory = Path.GetTempPath(), IsForShow = true, DeviceMistake = static _ => null, FreeBytes = static _ => null };
            var run = RunResolver.Resolve(null, [], [], world);
            return ConfigWriter.Write(run, new Dictionary<string, string> { ["run-id"] = "r", ["training-samples"] = "50000", ["total-steps"] = "40", ["layout-hash"] = "ab", ["sample-order"] = "flat" });
        }
    }

    /// <summary>Method, path, host, token of the address, of the cookie, and the header: a line each. Nobody gets in who does not have the token.</summary>
    private static bool Access(byte[] bytes)
    {
        const string token = "0123";
        var parts = Encoding.UTF8.GetString(bytes).Split('\n');
        string? Part(int i) => i < parts.Length && parts[i].Length > 0 ? parts[i] : null;
        var asking = new Asking(Part(0) ?? "", Part(1) ?? "", Part(2), Part(3), Part(4), Part(5));
        var verdict = new MonitorAccess(token).Decide(asking);
        var knows = Part(3) == token || Part(4) == token || Part(5) is { } header && header.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase) && header.AsSpan(7).Trim().SequenceEqual(token);
        if (verdict is Verdict.Serve or Verdict.Remember && !knows && !asking.Path.StartsWith("/healthz", StringComparison.Ordinal)) throw new InvalidOperationException("somebody got in without the token");
        return verdict is Verdict.Serve or Verdict.Remember;
    }

    /// <summary>Every node makes the same of a list, in whatever order it comes; every seed is an address that a link can dial.</summary>
    private static bool Pods(byte[] bytes)
    {
        var pods = PodList.Read(bytes);
        var found = SeedPods.Of(pods, 7100);
        if (!SeedPods.Of(pods.Reverse(), 7100).SameSeeds(found)) throw new InvalidOperationException("another order of pods makes another order of seeds");
        if (found.Seeds.Count + found.LeftOut.Count != pods.Count) throw new InvalidOperationException("a pod is neither a seed nor left out");
        return found.Seeds.All(static seed => LinkAddress.Parse(seed.ToString()) == seed) ? true : throw new InvalidOperationException("a seed that is no address");
    }

    private static IReadOnlyList<byte[]> EventFiles()
    {
        var file = new System.Buffers.ArrayBufferWriter<byte>();
        var at = new DateTimeOffset(2026, 11, 22, 0, 0, 0, TimeSpan.Zero);
        EventRecord.WriteVersion(file, at);
        EventRecord.WriteScalars(file, at, 5, (ReadOnlySpan<byte[]>)["train/loss"u8.ToArray(), "test/accuracy"u8.ToArray()], [0.5, 0.25]);
        return [file.WrittenSpan.ToArray()];
    }
}
