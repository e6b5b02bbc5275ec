using System.Text;
using System.Text.Json.Nodes;
using Cluster.Contracts;
using Cluster.Coordinator.Checkpoints;

namespace Cluster.Checkpoints.Tests;

public sealed class DamagedCheckpointSpecs : IDisposable
{
    private readonly RunFolder _run = new(inMemory: true);
    private readonly string _newest;

    public DamagedCheckpointSpecs()
    {
        _run.Write(5);
        _newest = _run.Write(10);
    }

    public void Dispose() => _run.Dispose();

    [Fact]
    public void Missing_manifest_is_passed_over_with_the_reason() => PassesOver("MANIFEST.json is missing", () => Delete("MANIFEST.json"));

    [Fact]
    public void Missing_file_is_passed_over_by_name() => PassesOver("optimizer.safetensors is missing", () => Delete("optimizer.safetensors"));

    [Fact]
    public void Short_file_is_passed_over_with_both_sizes() =>
        PassesOver("model.safetensors has 100 bytes, MANIFEST.json says", () => File.WriteAllBytes(In("model.safetensors"), File.ReadAllBytes(In("model.safetensors"))[..100]));

    [Theory, InlineData("model.safetensors"), InlineData("optimizer.safetensors"), InlineData("run.json")]
    public void One_flipped_bit_is_passed_over_with_the_files_name(string name) => PassesOver($"{name} has SHA-256", () =>
    {
        var bytes = File.ReadAllBytes(In(name));
        bytes[^3] ^= 4;
        File.WriteAllBytes(In(name), bytes);
    });

    [Fact]
    public void Renamed_checkpoint_is_passed_over()
    {
        Directory.Move(_newest, _run.At("checkpoints", "step-000011"));
        Assert.Contains("is of step 10", Assert.Single(_run.Store.FindNewest(States.Tiny).PassedOver).Reason);
    }

    [Fact]
    public void Linked_files_and_folders_are_refused()
    {
        PassesOver("model.safetensors is a symbolic link", () =>
        {
            var outside = _run.At("outside");
            File.Move(In("model.safetensors"), outside);
            File.CreateSymbolicLink(In("model.safetensors"), outside);
        });
        var elsewhere = _run.At("elsewhere");
        Directory.Move(_newest, elsewhere);
        Directory.CreateSymbolicLink(_newest, elsewhere);
        PassesOver("it is a symbolic link", () => { });
    }

    [Theory]
    [InlineData("../outside.json")]
    [InlineData("/etc/passwd")]
    [InlineData("a/b.json")]
    [InlineData("..")]
    [InlineData("model.safetensors\n")]
    [InlineData("MANIFEST.json")]
    public void Manifest_that_names_a_path_is_refused(string name)
    {
        File.WriteAllText(_run.At("checkpoints", "outside.json"), "{}");
        PassesOver("not a plain file name", () => EditManifest(m => m["files"]!.AsObject()[name] = new JsonObject { ["bytes"] = 2, ["sha256"] = new string('0', 64) }));
    }

    [Theory]
    [InlineData("", "0 bytes")]
    [InlineData("{", "not valid")]
    [InlineData("null", "not valid")]
    [InlineData("[]", "not valid")]
    [InlineData("{\"format\":\"cluster-checkpoint\",\"format\":\"cluster-checkpoint\"}", "not valid")]
    [InlineData("{\"format\":\"other\"}", "not a cluster-checkpoint's")]
    [InlineData("{\"format\":\"cluster-checkpoint\",\"version\":2}", "version 2, this program reads version 1")]
    [InlineData("{\"format\":\"cluster-checkpoint\",\"version\":1,\"files\":{}}", "does not name model.safetensors")]
    [InlineData("{\"format\":\"cluster-checkpoint\",\"version\":1,\"files\":{\"model.safetensors\":{\"bytes\":1e99,\"sha256\":\"\"}}}", "not valid")]
    [InlineData("{\"format\":\"cluster-checkpoint\",\"version\":1,\"files\":{\"model.safetensors\":{\"bytes\":-1,\"sha256\":\"\"}}}", "no usable size")]
    [InlineData("{\"format\":[[[[[[[[]]]]]]]]}", "not valid")]
    public void Malformed_manifest_is_passed_over(string manifest, string reason) => PassesOver(reason, () => File.WriteAllText(In("MANIFEST.json"), manifest));

    [Fact]
    public void Oversized_manifest_is_not_read() => PassesOver("1 to 262144 are wanted", () => File.WriteAllBytes(In("MANIFEST.json"), new byte[300_000]));

    [Fact]
    public void Thousands_of_damaged_manifests_and_run_files_are_passed_over_without_another_error()
    {
        var stream = new PhiloxStream(5, RandomPurpose.Fingerprint, 0);
        var passedOver = 0;
        foreach (var name in new[] { "MANIFEST.json", "run.json" })
        {
            var good = File.ReadAllBytes(In(name));
            for (var i = 0; i < 1000; i++)
            {
                var bytes = i % 3 == 0 ? good[..stream.NextInt32(good.Length)] : good.ToArray();
                for (var flips = i % 3; flips > 0; flips--) bytes[stream.NextInt32(bytes.Length)] = (byte)stream.NextInt32(256);
                File.WriteAllBytes(In(name), bytes);
                passedOver += _run.Store.FindNewest(States.Tiny).PassedOver.Count;
            }
            File.WriteAllBytes(In(name), good);
        }
        Assert.InRange(passedOver, 1950, 2000);     // a few flips change blanks, or nothing
        Assert.Equal(_newest, _run.Store.FindNewest(States.Tiny).Newest!.Path);
    }

    [Fact]
    public void Another_layout_is_passed_over_with_every_difference_named()
    {
        var other = ParameterLayout.Of(
        [
            ("fc.weight", [5, 3], StateKind.Parameter, true), ("head.bias", [3], StateKind.Parameter, false), ("bn.running_mean", [3], StateKind.Buffer, false),
            ("bn.num_batches_tracked", [], StateKind.Counter, false),
        ]);
        var found = _run.Store.FindNewest(other);
        Assert.Null(found.Newest);
        Assert.Equal(2, found.PassedOver.Count);
        const string Differences = "1 missing: head.bias; 1 unexpected: fc.bias; 1 mis-shaped: fc.weight (file [3, 5], model [5, 3])";
        Assert.All(found.PassedOver, p => Assert.EndsWith(Differences, p.Reason));

        var mismatch = Assert.Throws<StateMismatchException>(() => CheckpointStore.Load(_newest, other));
        Assert.Equal(["head.bias", $"head.bias.{TestState.Slot}"], mismatch.Missing);
        Assert.Equal(["fc.bias", $"fc.bias.{TestState.Slot}"], mismatch.Unexpected);
        Assert.Equal(2, mismatch.MisShaped.Count);
    }

    [Fact]
    public void Layout_that_differs_in_decay_groups_only_is_refused()
    {
        var other = ParameterLayout.Of(States.Tiny.Entries.Select(e => (e.Name, e.Shape, e.Kind, true)));
        Assert.Contains("weight-decay groups", _run.Store.FindNewest(other).PassedOver[0].Reason);
        Assert.Contains("weight-decay groups", Assert.Throws<CheckpointDamagedException>(() => CheckpointStore.Load(_newest, other)).Message);
    }

    private string In(string name) => Path.Combine(_newest, name);

    private void Delete(string name) => File.Delete(In(name));

    private void EditManifest(Action<JsonObject> edit)
    {
        var manifest = JsonNode.Parse(File.ReadAllBytes(In("MANIFEST.json")))!.AsObject();
        edit(manifest);
        File.WriteAllText(In("MANIFEST.json"), manifest.ToJsonString(), new UTF8Encoding(false));
    }

    private void PassesOver(string reason, Action damage)
    {
        damage();
        var found = _run.Store.FindNewest(States.Tiny);
        Assert.Equal(5, found.Newest?.Version.Value);
        var passed = Assert.Single(found.PassedOver);
        Assert.Equal(_newest, passed.Path);
        Assert.Contains(reason, passed.Reason);
        Assert.DoesNotContain('\n', passed.Reason);
        Assert.Throws<CheckpointDamagedException>(() => CheckpointStore.Load(_newest, States.Tiny));
    }
}
