using System.Collections.Immutable;
using System.Formats.Asn1;
using System.Security.Cryptography.X509Certificates;

namespace Cluster.Link;

/// <summary>
/// What a certificate allows its owner to be: the URIs <c>urn:cluster:role:ROLE</c> among its subject alternative names
/// (RFC 5280, 4.2.1.6). One certificate may carry several.
/// </summary>
public static class LinkRoles
{
    /// <summary>Before the role in the URI.</summary>
    public const string UriPrefix = "urn:cluster:role:";

    /// <summary>All roles that there are.</summary>
    public static ImmutableArray<string> All { get; } = ["coordinator", "ps", "worker", "supervisor"];

    private static readonly Asn1Tag Uri = new(TagClass.ContextSpecific, 6);

    /// <summary>The known roles of a certificate, in its order. Empty if it has none, or if its names cannot be read.</summary>
    public static ImmutableArray<string> Of(X509Certificate2 certificate)
    {
        try
        {
            return [.. UrisOf(certificate).Where(u => u.StartsWith(UriPrefix, StringComparison.Ordinal)).Select(u => u[UriPrefix.Length..]).Where(All.Contains).Distinct()];
        }
        catch (AsnContentException)
        {
            return [];
        }
    }

    private static List<string> UrisOf(X509Certificate2 certificate)
    {
        var found = new List<string>();
        foreach (var extension in certificate.Extensions.OfType<X509SubjectAlternativeNameExtension>())
        {
            var names = new AsnReader(extension.RawData, AsnEncodingRules.DER).ReadSequence();
            while (names.HasData)
            {
                if (names.PeekTag() == Uri) found.Add(names.ReadCharacterString(UniversalTagNumber.IA5String, Uri));
                else _ = names.ReadEncodedValue();
            }
        }
        return found;
    }
}
