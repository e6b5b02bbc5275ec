# Sourced by ./cluster test: builds the solution with analyzers, runs every test executable in turn, adds the results up.
# The last line is "N passed, N failed", with ", N skipped" behind it when tests were skipped.

# run_tests [FILTER]: only tests whose full name contains FILTER. Returns 0 when all passed, 1 otherwise.
run_tests() {
  local filter=${1:-}
  (( $# > 1 )) && fail "./cluster test takes one filter, a part of a test's name; got $#"
  if [[ $filter == -* ]]; then fail "unknown option $filter: ./cluster test [-p:NAME=VALUE] [FILTER]"; fi

  mkdir -p "$root/artifacts"
  exec 9>"$root/artifacts/build.lock"
  flock 9
  say "building the solution with analyzers"
  build_everything
  exec 9>&-

  source "$root/ops/build/promtool.sh"
  provide_promtool

  local passed=0 failed=0 skipped=0 broken=() project name program report rc
  report=$(mktemp -d)
  for project in "$root"/tests/*.Tests/*.csproj; do
    name=$(basename "$project" .csproj)
    program=$root/artifacts/bin/$name/release/$name
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
    passed=$((passed + ${p:-0})) failed=$((failed + ${f:-0} + ${e:-0})) skipped=$((skipped + ${s:-0} + ${n:-0}))
    (( rc == 0 || ${f:-0} + ${e:-0} > 0 )) || [[ -n $filter && ${p:-0} == 0 ]] || broken+=("$name ended with code $rc although no test failed")
  done
  rm -rf "$report"

  (( passed + failed > 0 )) || broken+=("no test ran${filter:+: no name contains '$filter'}")
  local line
  for line in "${broken[@]}"; do printf 'FAILED: %s\n' "$line"; done
  failed=$((failed + ${#broken[@]}))
  printf '\n%d passed, %d failed' "$passed" "$failed"
  (( skipped > 0 )) && printf ', %d skipped' "$skipped"
  printf '\n'
  (( failed == 0 ))
}
