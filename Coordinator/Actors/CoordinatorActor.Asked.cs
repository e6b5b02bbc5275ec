using Cluster.Coordinator.Core;

namespace Cluster.Coordinator.Actors;

// A checkpoint that falls due because somebody asks for one.
public sealed partial class CoordinatorActor
{
    /// <summary>Host to coordinator: the next step that commits is to be kept, whatever the policy says.</summary>
    /// <param name="Asker">Who asks, as a sentence begins: <c>SIGUSR1</c>.</param>
    public sealed record CheckpointNow(string Asker);

    /// <summary>Asked for and not begun yet. One that was asked for while another is being written waits for it.</summary>
    private bool _isAsked;

    private void Asked(CheckpointNow ask)
    {
        _isAsked = _plan.Checkpoints.IsOn;
        if (_isAsked) _listener.Said("checkpoint-asked", "coordinator", $"{ask.Asker} asks for a checkpoint: the next step that commits is kept.");
        else _listener.Said("checkpoint-skipped", "coordinator", $"{ask.Asker} asks for a checkpoint and gets none: this run keeps none (--checkpoint-every 0).");
    }
}
