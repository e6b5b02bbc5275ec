# Sourced by ./cluster: finds what the build needs, installs it when it may, and builds when sources changed.
# Expects: root (absolute path of the repository), artifacts (of what is built) and the array build_options.

say() { printf 'cluster: %s\n' "$*" >&2; }
fail() { say "$*"; exit 2; }

export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 DOTNET_SKIP_FIRST_TIME_EXPERIENCE=1

require_dotnet() {
  command -v dotnet >/dev/null || fail "the .NET 10 SDK is missing: install it from https://dotnet.microsoft.com/download/dotnet/10.0 (or 'apt-get install dotnet-sdk-10.0') and try again"
}

# A libtorch that CMake will find: given by the user, or the distribution's.
have_libtorch() {
  [[ -n ${Torch_DIR:-} && -e $Torch_DIR/TorchConfig.cmake ]] && return 0
  local prefix
  for prefix in ${CMAKE_PREFIX_PATH:+${CMAKE_PREFIX_PATH//:/ }} /usr /usr/local /opt/libtorch; do
    compgen -G "$prefix/share/cmake/Torch/TorchConfig.cmake" >/dev/null && return 0
    compgen -G "$prefix/lib/cmake/Torch/TorchConfig.cmake" >/dev/null && return 0
    compgen -G "$prefix/lib/*/cmake/Torch/TorchConfig.cmake" >/dev/null && return 0
    compgen -G "$prefix/lib/cmake/torch/TorchConfig.cmake" >/dev/null && return 0
  done
  return 1
}

# Sets as_root to the words that run a command as root; fails when there is no way without a password.
may_install() {
  command -v apt-get >/dev/null || return 1
  if [[ $(id -u) == 0 ]]; then as_root=(env); return 0; fi
  command -v sudo >/dev/null && sudo -n true 2>/dev/null && as_root=(sudo -n env) && return 0
  return 1
}

# install_packages NAME…: with apt, after may_install; says what apt complains of and returns 1 when it cannot.
install_packages() {
  local log
  log=$(mktemp)
  if ! "${as_root[@]}" DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@" >"$log" 2>&1; then
    # A machine whose package lists are empty or old.
    "${as_root[@]}" apt-get update >"$log" 2>&1 || true
    if ! "${as_root[@]}" DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@" >>"$log" 2>&1; then
      grep -E '^(E|W):' "$log" | head -5 >&2
      say "whole output: $log"
      return 1
    fi
  fi
  rm -f "$log"
}

# The distribution's libtorch calls a BLAS by a shared name; a libtorch of one's own brings its own.
uses_system_libtorch() { [[ -z ${Torch_DIR:-} ]] && compgen -G '/usr/lib/*/libtorch_cpu.so' >/dev/null; }

# Headers that image decoding is built from: libjpeg-turbo's own (the plain libjpeg cannot decode a region) and libpng's.
have_header() { compgen -G "/usr/include/$1" >/dev/null || compgen -G "/usr/include/*/$1" >/dev/null || compgen -G "/usr/local/include/$1" >/dev/null; }
have_image_libraries() { [[ -n ${CMAKE_PREFIX_PATH:-} ]] || { have_header jpeglib.h && have_header png.h; }; }

# Debian's name of libjpeg-turbo's headers; Ubuntu's where that is what apt knows.
jpeg_package() {
  if apt-cache show libjpeg62-turbo-dev >/dev/null 2>&1 || ! apt-cache show libjpeg-turbo8-dev >/dev/null 2>&1; then echo libjpeg62-turbo-dev; else echo libjpeg-turbo8-dev; fi
}

require_libtorch() {
  local missing=()
  have_libtorch || missing+=(libtorch-dev)
  have_image_libraries || missing+=("$(jpeg_package)" libpng-dev)
  command -v cmake >/dev/null || missing+=(cmake)
  command -v g++ >/dev/null || command -v c++ >/dev/null || missing+=(g++)
  if [[ -z ${Torch_DIR:-} ]] && ! compgen -G '/usr/lib/*/openblas-openmp/libblas.so.3' >/dev/null; then
    if [[ ${missing[*]} == *libtorch-dev* ]] || uses_system_libtorch; then missing+=(libopenblas0-openmp); fi
  fi
  (( ${#missing[@]} == 0 )) && return 0

  local wanted="apt-get install -y --no-install-recommends ${missing[*]}"
  # A BLAS that is only slower is no reason to stop.
  local needed=("${missing[@]/libopenblas0-openmp/}")
  if ! may_install; then
    [[ -z ${needed[*]// /} ]] && { say "libopenblas0-openmp is missing, computing will be about ten times slower: run 'sudo $wanted'"; return 0; }
    fail "missing: ${missing[*]}. Run 'sudo $wanted' (Debian, Ubuntu), or set Torch_DIR to the folder of TorchConfig.cmake of another libtorch"
  fi
  say "installing ${missing[*]} ($wanted)"
  install_packages "${missing[@]}" || fail "apt could not install ${missing[*]}"
  have_libtorch && command -v cmake >/dev/null || fail "apt installed ${missing[*]}, and still there is no libtorch or no cmake: set Torch_DIR to the folder of TorchConfig.cmake"
}

# OpenBLAS's OpenMP build is the only one that obeys libtorch's number of threads; the reference BLAS is 14 times slower.
check_blas() {
  uses_system_libtorch || return 0
  local wanted link name
  wanted=$(compgen -G '/usr/lib/*/openblas-openmp/libblas.so.3' | head -1) || return 0
  [[ -n $wanted ]] || return 0
  local folder=${wanted%/openblas-openmp/*}
  local triplet=${folder##*/}
  for name in libblas.so.3 liblapack.so.3 libopenblas.so.0; do
    link=$folder/$name
    [[ -e $link && -e $folder/openblas-openmp/$name ]] || continue
    [[ $(readlink -f "$link") == "$(readlink -f "$folder/openblas-openmp/$name")" ]] && continue
    local set_it="update-alternatives --set $name-$triplet $folder/openblas-openmp/$name"
    if may_install && "${as_root[@]}" $set_it >/dev/null 2>&1; then
      say "$name pointed to another BLAS; set it to OpenBLAS with OpenMP ($set_it)"
    else
      say "$name is $(readlink -f "$link"), not OpenBLAS with OpenMP: speed and results will differ; run 'sudo $set_it'"
    fi
  done
}

# One hash over names, sizes and times of everything that the build reads.
source_stamp() {
  {
    printf '%s\n' "${build_options[@]}" "${CLUSTER_BUILD:-quick}" "${Torch_DIR:-}"
    cd "$root"
    find Directory.Build.props Directory.Build.targets Directory.Packages.props global.json .editorconfig \
      Messages Models Workers Coordinator ops -type f \
      \( -name '*.cs' -o -name '*.csproj' -o -name '*.props' -o -name '*.targets' -o -name '*.json' -o -name '*.yaml' \
      -o -name '*.cpp' -o -name '*.c' -o -name '*.h' -o -name 'CMakeLists.txt' -o -name '*.py' -o -name '*.cmake' -o -name '*.txt' -o -name '*.sh' -o -name '*.html' -o -name '*.css' -o -name '*.js' -o -name '.editorconfig' \) \
      -not -path '*/obj/*' -not -path '*/bin/*' -printf '%T@ %s %p\n' | LC_ALL=C sort
  } | sha256sum | cut -d' ' -f1
}

# dotnet build, silent when it succeeds; else its error lines alone, and exit 2.
# One compiler for all projects, which is warm from the second on; of this build alone, so that it can be ended with it.
build() {
  local log=$artifacts/build.log compiler=cluster-$$ built=0
  mkdir -p "$artifacts"
  (cd "$root" && dotnet build "$@" -c Release --nologo -v q -clp:NoSummary -p:UseSharedCompilation=true -p:SharedCompilationId="$compiler" "${build_options[@]}") >"$log" 2>&1 9>&- || built=$?
  pkill -f "VBCSCompiler.*-pipename:$compiler" 2>/dev/null || true
  rm -f "/tmp/$compiler" "${TMPDIR:-/tmp}/$compiler"   # its socket, which it leaves when it is told to end
  if (( built != 0 )); then
    grep -E '(error|CLUSTER[0-9]{3})' "$log" | sed -E "s#^$root/##; s# \[[^]]*\]\$##" | sort -u | head -20 >&2
    fail "the build failed (whole output: $log)"
  fi
}

# Quick: the command line alone, without analyzers. CLUSTER_BUILD=full: the whole solution with them, as ./cluster test does.
build_when_changed() {
  local stamp_file=$artifacts/build.stamp program=$artifacts/run/cluster
  is_built() { [[ -x $program && -f $stamp_file && $(<"$stamp_file") == *$(source_stamp)* ]]; }
  is_built && return 0
  mkdir -p "$artifacts"
  exec 9>"$artifacts/build.lock"
  flock 9
  # Somebody else may have built while we waited.
  if ! is_built; then
    if [[ ${CLUSTER_BUILD:-quick} == full ]]; then
      build_everything
    else
      if [[ -x $program ]]; then say "sources changed, building"; else say "building, once (about a minute)"; fi
      : >"$artifacts/unanalyzed"
      # Taken before the build: a file that changes meanwhile is built again next time.
      local stamp
      stamp=$(source_stamp)
      build ops/Cli/Cluster.Cli.csproj -p:RunAnalyzers=false
      compile_ahead
      printf '%s\n' "$stamp" >"$stamp_file"
    fi
  fi
  exec 9>&-
}

# Analyzers do not run over what a quick build has already compiled, so that is compiled again.
build_everything() {
  local again=() stamps
  stamps=$(CLUSTER_BUILD=quick source_stamp; CLUSTER_BUILD=full source_stamp)
  [[ -e $artifacts/unanalyzed ]] && again=(--no-incremental)
  build Cluster.sln "${again[@]}"
  rm -f "$artifacts/unanalyzed"
  compile_ahead
  # The result serves both kinds of build.
  printf '%s\n' "$stamps" >"$artifacts/build.stamp"
}
