using System.CommandLine;
using System.CommandLine.Parsing;
using Cluster.Cli.Certs;

namespace Cluster.Cli.Verbs;

/// <summary><c>cluster certs</c>: an authority and the certificates of nodes, for <c>--tls</c>.</summary>
internal sealed class CertsVerb : IVerb
{
    private readonly Argument<string> _folder = new("folder") { Arity = ArgumentArity.ZeroOrOne };
    private readonly Option<string> _hosts = new("--hosts");
    private readonly Option<string> _days = new("--days");
    private readonly Option<string> _role = new("--role");
    private readonly Option<string> _into = new("--into");

    public CertsVerb() => Command = new Command("certs", "Make a CA and certificates for --tls.") { _folder, _hosts, _days, _role, _into };

    public Command Command { get; }

    public string HelpText => """
        cluster certs DIR [--hosts NAME,IP,…] [--days N] [--role ROLE,…] [--into FOLDER]

        Makes a certificate authority in DIR, and a certificate and key for each role: coordinator, ps, worker, supervisor.
        'cluster launch --tls DIR' and 'cluster node --tls DIR' encrypt what processes say to each other, and let nobody in
        who has no certificate of this authority for his role. Called again, it issues new certificates from the authority
        that is there, for the same hosts; the authority's key is never written again.

          --hosts NAME,IP,…     under which other machines dial the nodes; localhost, 127.0.0.1, ::1 and this machine's name
                                are always among them
          --days N              how long the certificates hold (90); the authority holds 10 years
          --role ROLE,…         only these roles
          --into FOLDER         write ca.pem and the certificates there: all that a host needs, without the authority's key

        Three hosts, each with a key of its own:
          cluster certs pki --hosts node-a --role coordinator --into pki/node-a
          cluster certs pki --hosts node-b --role ps          --into pki/node-b
          cluster certs pki --hosts node-c --role worker      --into pki/node-c
        then copy pki/node-a to node-a, and so on; pki/ca.key stays where it is.

        docs/security.md says what is protected by what, and how to bring certificates of your own.
        """;

    public Task<int> RunAsync(ParseResult parse, IReadOnlyList<string> mistakes, CancellationToken stop)
    {
        var found = mistakes.ToList();
        var folder = parse.GetValue(_folder);
        if (string.IsNullOrWhiteSpace(folder)) found.Add("the folder is missing: cluster certs DIR");
        var plan = CertsPlan.Parse(RowOptions.TextOf(parse, _role), RowOptions.TextOf(parse, _hosts), RowOptions.TextOf(parse, _days), found);
        HelpVerb.Refuse(found);
        var into = RowOptions.TextOf(parse, _into);
        foreach (var line in CertsIssue.Run(folder!, into ?? folder!, plan, Environment.MachineName, TimeProvider.System.GetUtcNow())) Console.Out.WriteLine(line);
        return Task.FromResult(ExitCodes.Done);
    }
}
