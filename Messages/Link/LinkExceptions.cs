using Cluster.Contracts;

namespace Cluster.Link;

/// <summary>The acceptor answered and said no, or is not who it should be. The message is a sentence for people.</summary>
public sealed class LinkRefusedException(string message) : ClusterException(message);

/// <summary>Nobody answered at the address, or the answer came too late or was none.</summary>
public sealed class LinkUnreachableException(string message) : ClusterException(message);
