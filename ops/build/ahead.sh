# Sourced by ./cluster: the program as it is run, in artifacts/run, with its assemblies compiled ahead of time (ReadyToRun).
# A run of six processes compiles the same methods six times at its start, and again whenever one is started anew.
# Where the compiler cannot be had (another architecture, no such package), the assemblies are taken as they are.

ahead_version=10.0.12

# Prints where the compiler is; fails when there is none.
ahead_compiler() {
  [[ $(uname -sm) == 'Linux x86_64' ]] || return 1
  local compiler=${NUGET_PACKAGES:-$HOME/.nuget/packages}/microsoft.netcore.app.crossgen2.linux-x64/$ahead_version/tools/crossgen2
  if [[ ! -e $compiler ]]; then
    timeout 300 dotnet restore "$root/ops/build/ahead/ahead.csproj" -v q >/dev/null 2>&1 || return 1
    [[ -e $compiler ]] || return 1
  fi
  [[ -x $compiler ]] || chmod +x "$compiler" 2>/dev/null || return 1
  printf '%s\n' "$compiler"
}

# Folders of the shared frameworks that the compiled code calls.
ahead_frameworks() {
  local name
  for name in Microsoft.NETCore.App Microsoft.AspNetCore.App; do
    dotnet --list-runtimes | sed -nE "s#^$name (10\.[^ ]+) \[(.*)\]\$#\2/\1#p" | tail -1
  done
}

# compile_ahead: artifacts/bin/Cluster.Cli/release → artifacts/run. What has not changed since the last time is kept.
compile_ahead() {
  local from=$artifacts/bin/Cluster.Cli/release to=$artifacts/run cache=$artifacts/ahead
  local compiler='' file name state references=() folder stale=()
  mkdir -p "$to" "$cache"
  if compiler=$(ahead_compiler); then
    while read -r folder; do references+=(-r "$folder/*.dll"); done < <(ahead_frameworks)
    for file in "$from"/*.dll; do
      name=$(basename "$file")
      state="$ahead_version $(stat -c '%Y %s' "$file")"
      [[ -e $cache/$name && -e $cache/$name.of && $(<"$cache/$name.of") == "$state" ]] || stale+=("$name")
    done
    # Each assembly stands alone: none holds code of another. One that cannot be compiled is taken as it is.
    (( ${#stale[@]} == 0 )) || printf '%s\n' "${stale[@]}" | xargs -P "$(nproc)" -I{} sh -c '
      from=$1 cache=$2 compiler=$3 version=$4 name={}
      shift 4
      rm -f "$cache/$name.of"
      "$compiler" "$from/$name" -o "$cache/$name.new" "$@" -r "$from/*.dll" --targetos linux --targetarch x64 -O >/dev/null 2>&1 || cp -f "$from/$name" "$cache/$name.new"
      mv -f "$cache/$name.new" "$cache/$name" && echo "$version $(stat -c "%Y %s" "$from/$name")" >"$cache/$name.of"
    ' ahead "$from" "$cache" "$compiler" "$ahead_version" "${references[@]}"
  else
    say "the ahead-of-time compiler (crossgen2 $ahead_version) cannot be had; processes start more slowly, results are the same"
  fi
  # A process that runs keeps the file that it has opened: every file is put in place by renaming.
  (cd "$from" && find . -type f -print) | while read -r file; do
    name=${file#./}
    mkdir -p "$to/$(dirname "$name")"
    local source=$from/$name
    [[ -n $compiler && $name == *.dll && $name != */* && -e $cache/$name.of ]] && source=$cache/$name
    cmp -s "$source" "$to/$name" && continue
    cp -p "$source" "$to/$name.new" && mv -f "$to/$name.new" "$to/$name"
  done
  # What this build does not have any more.
  (cd "$to" && find . -type f -print) | while read -r file; do
    [[ -e $from/$file ]] || rm -f "$to/$file"
  done
}
