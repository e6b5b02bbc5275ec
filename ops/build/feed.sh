#!/usr/bin/env bash
# Makes a folder of packages for -p:Feed=full out of upstream sources (decision 0022): Akka.NET with DotNetty, MessagePack, TorchSharp.
#   ops/build/feed.sh SOURCES PACKAGES
# SOURCES holds checkouts named akka.net (tag 1.5.30 or newer), DotNetty (dev, 0.7.6), MessagePack-CSharp (tag v3.1.8 or newer),
# TorchSharp (0.107.0; its native half is compiled against the libtorch that is installed, or that of Torch_DIR, with
# FEED_JOBS compilers at a time, 2 by default); a part whose checkout is absent is left out, but one must be there. PACKAGES is the folder for RestoreAdditionalProjectSources.
# AKKA_VERSION, DOTNETTY_VERSION and MESSAGEPACK_VERSION name the versions that are built.
set -euo pipefail

given=$(realpath "${1:?usage: ops/build/feed.sh SOURCES PACKAGES}")
packages=$(realpath -m "${2:?usage: ops/build/feed.sh SOURCES PACKAGES}")
parts=(akka.net DotNetty MessagePack-CSharp TorchSharp)
here=()
for part in "${parts[@]}"; do
  if [[ -d $given/$part ]]; then here+=("$part"); fi
done
if ((${#here[@]} == 0)); then
  echo "$given holds none of the checkouts ${parts[*]}: ops/decisions/0022-a-folder-of-packages.md says how to get them" >&2
  exit 2
fi
mkdir -p "$packages"

# The checkouts stay as they are. Sources of packages and the SDK are this machine's, not those of upstream's build servers.
sources=$(mktemp -d)
trap 'rm -rf "$sources"' EXIT
for part in "${here[@]}"; do cp -r "$given/$part" "$sources/$part"; done
find "$sources" \( -iname 'nuget.config' -o -name global.json \) -delete
framework=net10.0
protobuf=3.25.1        # the version that Directory.Packages.props pins

# pack VERSION PROJECT…: one framework, no symbols, packages found in PACKAGES too.
pack() {
  local version=$1 project
  shift
  for project in "$@"; do
    echo "packing $(basename "$project" .csproj) $version"
    dotnet pack "$project" -c Release --nologo -v q -clp:NoSummary -o "$packages" \
      -p:Version="$version" -p:TargetFrameworks=$framework -p:RestoreAdditionalProjectSources="$packages" -p:GeneratePackageOnBuild=false \
      -p:IncludeSymbols=false -p:DebugType=embedded -p:GenerateDocumentationFile=false -p:NuGetAudit=false -p:TreatWarningsAsErrors=false -p:NoWarn='"CS0618;CS0612;CS8632;NU5128;NU1701;SYSLIB0003;SYSLIB0011;SYSLIB0050;SYSLIB0051"'
  done
}

# shellcheck source=ops/build/torchsharp.sh
source "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/torchsharp.sh"

# Analyzers, source links and the like change nothing in what is built.
without_tools() {
  find "$1" \( -name '*.csproj' -o -name 'Directory.Build.*' -o -name 'Directory.Packages.props' \) -print0 |
    xargs -0 perl -0777 -pi -e 's{<(?:Global)?PackageReference\s+(?:Include|Update)="(?:Akka\.Analyzers|Polyfill|Microsoft\.SourceLink[^"]*|StyleCop[^"]*|CSharpIsNullAnalyzer|PolySharp|Nerdbank\.GitVersioning)"[^>]*?(?:/>|>.*?</(?:Global)?PackageReference>)}{}gs'
}

if [[ -d $sources/DotNetty ]]; then
  without_tools "$sources/DotNetty/src"
  pack "${DOTNETTY_VERSION:-0.7.6}" "$sources"/DotNetty/src/DotNetty.{Common,Buffers,Transport,Codecs,Handlers}/*.csproj
fi
if [[ -d $sources/akka.net ]]; then
  without_tools "$sources/akka.net/src"
  sed -i "s#<ProtobufVersion>[^<]*#<ProtobufVersion>$protobuf#" "$sources/akka.net/src/Directory.Build.props"
  pack "${AKKA_VERSION:-1.5.30}" "$sources"/akka.net/src/core/{Akka,Akka.Remote,Akka.Coordination,Akka.Discovery,Akka.Cluster}/*.csproj \
    "$sources"/akka.net/src/contrib/cluster/Akka.Cluster.Tools/*.csproj
fi
if [[ -d $sources/MessagePack-CSharp ]]; then
  without_tools "$sources/MessagePack-CSharp"
  # Its source generator and analyzers: the product uses neither.
  perl -0777 -pi -e 's{<ProjectReference Include="[^"]*MessagePack\.Analyzers\.csproj".*?/>}{}s' "$sources/MessagePack-CSharp/src/MessagePack/MessagePack.csproj"
  pack "${MESSAGEPACK_VERSION:-3.1.8}" "$sources"/MessagePack-CSharp/src/{MessagePack.Annotations,MessagePack}/*.csproj
fi
if [[ -d $sources/TorchSharp ]]; then
  pack_torchsharp "$sources/TorchSharp"
fi
ls "$packages"
