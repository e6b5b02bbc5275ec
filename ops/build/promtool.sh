# Sourced by ./cluster test: gets promtool, which the specs of metrics and alert rules ask. Without it they are skipped.
# It comes from the distribution's package of Prometheus, unpacked under artifacts/tools: no server is installed or started.

find_promtool() {
  command -v promtool || { [[ -x $root/artifacts/tools/promtool ]] && printf '%s\n' "$root/artifacts/tools/promtool"; }
}

# Sets CLUSTER_PROMTOOL; says so when there is no way to get it.
provide_promtool() {
  if ! find_promtool >/dev/null && command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null; then
    local folder
    folder=$(mktemp -d)
    if (cd "$folder" && { timeout 300 apt-get download prometheus || { may_install && "${as_root[@]}" apt-get update && timeout 300 apt-get download prometheus; }; } && dpkg-deb -x prometheus_*.deb .) >"$folder/log" 2>&1; then
      mkdir -p "$root/artifacts/tools"
      mv "$folder/usr/bin/promtool" "$root/artifacts/tools/promtool"
    fi
    rm -rf "$folder"
  fi
  if CLUSTER_PROMTOOL=$(find_promtool); then
    export CLUSTER_PROMTOOL
  else
    unset CLUSTER_PROMTOOL
    say "promtool is not there and cannot be fetched (apt-get download prometheus): specs that need it are skipped"
  fi
}
