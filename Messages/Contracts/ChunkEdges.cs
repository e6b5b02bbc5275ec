namespace Cluster.Contracts;

/// <summary>Cuts a state vector into chunks, and parameters at the chunks' edges. Pure.</summary>
internal static class ChunkEdges
{
    /// <summary>Every chunk's first float, and the vector's end: one more than there are chunks, ascending.</summary>
    /// <param name="parameters">In offset order, without gaps from 0 on.</param>
    /// <param name="bufferOffset">End of the padded parameters: always an edge.</param>
    public static int[] Of(IReadOnlyList<StateEntry> parameters, int bufferOffset, int stateFloats, bool wholeRows)
    {
        var edges = new List<int> { 0 };
        if (wholeRows) CutAtRows(edges, parameters, bufferOffset);
        else CutEvenly(edges, bufferOffset);
        edges.Add(bufferOffset);
        if (stateFloats == bufferOffset) return [.. edges];
        CutEvenly(edges, stateFloats);
        edges.Add(stateFloats);
        return [.. edges];
    }

    /// <summary>Edges from the last one on up to, but without, <paramref name="end"/>.</summary>
    private static void CutEvenly(List<int> edges, int end)
    {
        for (var next = (long)edges[^1] + Limits.ChunkFloats; next < end; next += Limits.ChunkFloats) edges.Add((int)next);
    }

    /// <summary>As many rows to a chunk as fit; one that is longer is a chunk by itself. The padding counts as a row.</summary>
    private static void CutAtRows(List<int> edges, IReadOnlyList<StateEntry> parameters, int bufferOffset)
    {
        foreach (var parameter in parameters)
            for (long row = parameter.Offset; row < parameter.Offset + parameter.Length; row += parameter.RowLength) Begin(row, parameter.RowLength);
        var end = parameters[^1].Offset + parameters[^1].Length;
        Begin(end, bufferOffset - end);

        void Begin(long offset, int length)
        {
            if (offset > edges[^1] && offset + length - edges[^1] > Limits.ChunkFloats && length > 0) edges.Add((int)offset);
        }
    }

    /// <summary>The chunk in which this float lies.</summary>
    public static int IndexOf(int[] edges, int offset)
    {
        var found = Array.BinarySearch(edges, offset);
        return found >= 0 ? found : ~found - 1;
    }

    /// <summary>Every parameter cut at the edges, in offset order.</summary>
    public static ParameterPiece[] Pieces(IReadOnlyList<StateEntry> parameters, int[] edges)
    {
        var pieces = new List<ParameterPiece>(parameters.Count + edges.Length);
        var chunk = 0;
        for (var i = 0; i < parameters.Count; i++)
        {
            var end = parameters[i].Offset + parameters[i].Length;
            for (var start = parameters[i].Offset; start < end; start = Math.Min(end, edges[chunk + 1]))
            {
                while (edges[chunk + 1] <= start) chunk++;
                pieces.Add(new ParameterPiece(i, chunk, start, Math.Min(end, edges[chunk + 1]) - start));
            }
        }
        return [.. pieces];
    }
}
