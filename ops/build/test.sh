# Sourced by ./cluster test: builds the solution with analyzers, runs every test executable in turn, adds the results up.
# The last line is "N passed, N failed", with ", N skipped" behind it when tests were skipped.

# failed_by_the_clock REPORT: failed tests (type.method, one per row) that hang on the wall clock and whose failure shows no hash.
# Specs of processes and networks wait for a busy machine's clock; they say so with [Trait("Clock", "wall")] and get a
# second try, alone (decision 0013). What a failure shows of a hash is a broken promise, and never gets one.
failed_by_the_clock() {
  perl -0777 -ne 'while (m{<test ([^>]*?)(?:/>|>(.*?)</test>)}gs) {
    my ($test, $inside) = ($1, $2 // "");
    next unless $test =~ /result="Fail"/ && $inside =~ /name="Clock" value="wall"/ && $inside !~ /[0-9a-fA-F]{32}/;
    print "$1.$2\n" if $test =~ /type="([^"]+)" method="([^"]+)"/;
  }' "$1"
}

# What only tests need: a browser that opens the live page. Without it those specs are skipped, and say so.
require_for_tests() {
  local missing=()
  [[ -n ${CLUSTER_CHROMIUM:-} ]] || command -v chromium chromium-browser google-chrome >/dev/null || missing+=(chromium)
  (( ${#missing[@]} == 0 )) && return 0
  if ! may_install; then
    say "missing: ${missing[*]}; the specs that need it are skipped. 'sudo apt-get install -y --no-install-recommends ${missing[*]}' installs it"
    return 0
  fi
  say "installing ${missing[*]} for the tests"
  install_packages "${missing[@]}" || say "apt could not install ${missing[*]}; the specs that need it are skipped"
}

# bugs_in FOLDER: what processes under test left there that ended by a bug of their own, a line each, the trace printed.
# A run survives the loss of any process, so its result does not show that one was lost for no good reason.
bugs_in() {
  local trace
  for trace in "$1"/cluster-failure-*.txt; do
    [[ -e $trace ]] || continue
    printf '\n-- a process under test ended by a bug\n' >&2
    cat "$trace" >&2
    printf '%s\n' "$(sed -n 4p "$trace") (in: $(sed -n 2p "$trace" | cut -d' ' -f2-))"
  done
}

# run_tests [FILTER]: only tests whose full name contains FILTER. Returns 0 when all passed, 1 otherwise.
run_tests() {
  local filter=${1:-}
  (( $# > 1 )) && fail "./cluster test takes one filter, a part of a test's name; got $#"
  if [[ $filter == -* ]]; then fail "unknown option $filter: ./cluster test [-p:NAME=VALUE] [FILTER]"; fi

  require_for_tests
  mkdir -p "$artifacts"
  exec 9>"$artifacts/build.lock"
  flock 9
  say "building the solution with analyzers"
  build_everything
  exec 9>&-
  # The program that users start is the one that is tested.
  export CLUSTER_PROGRAM=$artifacts/run/cluster

  source "$root/ops/build/promtool.sh"
  provide_promtool

  local passed=0 failed=0 skipped=0 broken=() again=() late=() bugs=() project name program report scratch rc
  report=$(mktemp -d)
  # Processes that are killed leave sockets and traces in it; the name is short because a socket's must be.
  scratch=$(mktemp -d "${TMPDIR:-/tmp}/cluster-test-XXXXXX")
  local -x TMPDIR=$scratch
  for project in "$root"/tests/*.Tests/*.csproj; do
    name=$(basename "$project" .csproj)
    program=$artifacts/bin/$name/release/$name
    # A project without a test class has nothing to run yet.
    compgen -G "$(dirname "$project")/*.cs" >/dev/null || compgen -G "$(dirname "$project")/*/*.cs" >/dev/null || continue
    printf '\n== %s\n' "$name"
    if [[ ! -x $program ]]; then
      broken+=("$name was not built")
      continue
    fi
    rc=0
    # A test that hangs ends after half an hour with code 124.
    (cd "$root" && timeout -k 10 "${CLUSTER_TEST_TIMEOUT:-1800}" "$program" -noLogo -noColor -xml "$report/$name.xml" ${filter:+-method "*$filter*"}) || rc=$?
    # The attributes of <assembly> hold the totals; a crash leaves no file.
    if [[ ! -s $report/$name.xml ]]; then
      broken+=("$name ended with code $rc and left no report")
      continue
    fi
    local attributes
    attributes=$(grep -oE '<assembly [^>]*>' "$report/$name.xml" | head -1)
    count() { sed -nE "s/.* $1=\"([0-9]+)\".*/\1/p" <<<"$attributes"; }
    local p f s e n
    p=$(count passed) f=$(count failed) s=$(count skipped) e=$(count errors) n=$(count not-run)
    mapfile -t late < <(failed_by_the_clock "$report/$name.xml")
    if (( ${#late[@]} > 0 )); then
      printf '\n-- once more, alone: %s\n' "${late[*]}"
      local methods=() method
      while read -r method; do methods+=(-method "$method"); done < <(printf '%s\n' "${late[@]}" | sort -u)
      if (cd "$root" && timeout -k 10 "${CLUSTER_TEST_TIMEOUT:-1800}" "$program" -noLogo -noColor -maxThreads 1 "${methods[@]}"); then
        again+=("${late[@]}")
        p=$((p + ${#late[@]})) f=$((f - ${#late[@]}))
        (( f + ${e:-0} > 0 )) || rc=0
      fi
    fi
    passed=$((passed + ${p:-0})) failed=$((failed + ${f:-0} + ${e:-0})) skipped=$((skipped + ${s:-0} + ${n:-0}))
    (( rc == 0 || ${f:-0} + ${e:-0} > 0 )) || [[ -n $filter && ${p:-0} == 0 ]] || broken+=("$name ended with code $rc although no test failed")
  done
  mapfile -t bugs < <(bugs_in "$scratch")
  for name in "${bugs[@]}"; do broken+=("a process under test ended by a bug: $name"); done
  rm -rf "$report" "$scratch"

  (( passed + failed > 0 )) || broken+=("no test ran${filter:+: no name contains '$filter'}")
  local line
  for line in "${again[@]}"; do printf 'SECOND TRY: %s failed at first and passed alone\n' "$line"; done
  for line in "${broken[@]}"; do printf 'FAILED: %s\n' "$line"; done
  failed=$((failed + ${#broken[@]}))
  printf '\n%d passed, %d failed' "$passed" "$failed"
  (( skipped > 0 )) && printf ', %d skipped' "$skipped"
  printf '\n'
  (( failed == 0 ))
}
