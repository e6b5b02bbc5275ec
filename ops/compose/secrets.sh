#!/usr/bin/env bash
# Draws what must not be in a file of the repository: the join secret and the token of the page. Once; git does not see them.
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")"
mkdir -p secrets
for name in join-secret monitor-token; do
  [[ -s secrets/$name ]] || head -c 32 /dev/urandom | od -An -tx1 | tr -d ' \n' >"secrets/$name"
  # Containers read them as another user than the one who made them.
  chmod 644 "secrets/$name"
done
printf 'CLUSTER_MONITOR_TOKEN=%s\n' "$(<secrets/monitor-token)" >secrets/monitor.env
chmod 700 secrets
