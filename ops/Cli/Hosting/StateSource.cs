using Cluster.Contracts;
using Cluster.Coordinator.Checkpoints;

namespace Cluster.Cli.Hosting;

/// <summary>Weights for a model, out of a run's newest whole checkpoint (its best one when it stopped early) or a safetensors file. Dispose it: it owns the state.</summary>
/// <param name="Path">Of the checkpoint or the file.</param>
/// <param name="Version">Steps that made the weights; 0 for a file, which does not say.</param>
/// <param name="AppliedSteps">Of them, those that were not skipped.</param>
/// <param name="State">[StateFloats].</param>
/// <param name="IsAverage">The state is the average of the weights that the run kept.</param>
internal sealed record StateSource(string Path, WeightsVersion Version, long AppliedSteps, NativeBuffer State, bool IsAverage = false) : IDisposable
{
    /// <param name="path">A run's folder, or a file.</param>
    /// <param name="last">The weights themselves even where the run kept their average.</param>
    /// <param name="say">Told what is passed over or converted, as a sentence.</param>
    /// <exception cref="UserMistakeException">Nothing there that is whole and fits the model.</exception>
    public static StateSource Open(string path, ParameterLayout layout, bool last, Action<string> say) =>
        Directory.Exists(path) ? OfRun(path, layout, last, say) : OfFile(path, layout, say);

    /// <summary>Reads a file, or says what is wrong with it.</summary>
    /// <exception cref="UserMistakeException">No such file, not safetensors, or of another model: every name that differs.</exception>
    public static StateDict ReadFile(string path, ParameterLayout layout)
    {
        if (!File.Exists(path)) throw new UserMistakeException($"there is no file {path}: give a PyTorch state_dict written as safetensors");
        return OrMistake(() => StateDict.Read(path, layout));
    }

    /// <summary>What the library says about a bad file is the user's to mend.</summary>
    public static T OrMistake<T>(Func<T> read)
    {
        try
        {
            return read();
        }
        catch (ClusterException e) when (e is SafeTensorsException or StateMismatchException or CheckpointDamagedException or NonFiniteStateException)
        {
            throw new UserMistakeException(e.Message, e);
        }
    }

    private static StateSource OfFile(string path, ParameterLayout layout, Action<string> say)
    {
        var file = ReadFile(path, layout);
        if (file.Widened.Count > 0) say(WidenedSentence(path, file.Widened));
        return new StateSource(path, WeightsVersion.Initial, 0, file.State);
    }

    public static string WidenedSentence(string path, IReadOnlyList<string> widened) =>
        $"{widened.Count} {(widened.Count == 1 ? "tensor" : "tensors")} of {path} had another floating-point type and became float32, value for value: {string.Join(", ", widened)}";

    private static StateSource OfRun(string run, ParameterLayout layout, bool last, Action<string> say)
    {
        if (EarlyEnd.Read(run) is { } early)
        {
            say($"The run in {run} stopped early at step {early.StoppedAt}; its result is its best version, step {early.BestStep}.");
            return Of(early.Load(run, layout), last);
        }
        for (var again = true; ; again = false)
        {
            var search = new CheckpointStore(run).FindNewest(layout);
            if (search.Newest is not { } newest) throw Nothing(run, search.PassedOver);
            foreach (var passed in search.PassedOver) say($"Checkpoint {passed.Path} is passed over: {passed.Reason}");
            try
            {
                return Of(CheckpointStore.Load(newest.Path, layout), last);
            }
            catch (CheckpointDamagedException) when (again)
            {
                // A run that is going on may have let go of it since it was found.
            }
            catch (CheckpointDamagedException e)
            {
                throw new UserMistakeException(e.Message, e);
            }
        }
    }

    /// <summary>The average of the weights where the run keeps one, unless the last weights are wanted. Lets go of the rest of the checkpoint.</summary>
    private static StateSource Of(LoadedCheckpoint checkpoint, bool last)
    {
        using var loaded = checkpoint;
        var average = last ? null : loaded.Slots.GetValueOrDefault(StateSlots.Ema);
        return new StateSource(loaded.Path, loaded.Version, loaded.AppliedSteps, (average ?? loaded.State).Share(), average is not null);
    }

    private static UserMistakeException Nothing(string run, IReadOnlyList<PassedOver> passedOver) => new(passedOver.Count == 0
        ? $"{run} holds no checkpoint: the run was started with --checkpoint-every 0, or ended before its first one"
        : string.Join('\n', passedOver.Select(passed => $"checkpoint {passed.Path} cannot be used: {passed.Reason}")));

    public void Dispose() => State.Dispose();
}
