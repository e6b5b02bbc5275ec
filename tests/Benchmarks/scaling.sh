#!/usr/bin/env bash
# Images/s of a whole step with one and with two workers of one thread, and of the bare loop over the binding, in turn.
# Usage: tests/Benchmarks/scaling.sh MODEL STEPS PAIRS     (after ./cluster test, which builds the benchmarks)
set -euo pipefail
root=$(cd "$(dirname "$(readlink -f "$0")")/../.." && pwd)
model=$1 steps=$2 pairs=$3
room=$(mktemp -d); trap 'rm -rf "$room"' EXIT

rate() { # workers
  "$root/cluster" train --model "$model" --data synthetic --batch 512 --microbatches 8 --steps "$steps" --workers "$1" \
    --evaluate false --checkpoint-every 0 --out "$room/$1-$RANDOM" | sed -nE 's/.* in [0-9:]+, ([0-9.]+) images\/s.*/\1/p'
}
bare() {
  "$root/artifacts/bin/Cluster.Benchmarks/release/Cluster.Benchmarks" engine --model "$model" --no-python --rounds 3 --iterations "$((steps / 2 + 1))" \
    | awk '/^binding, bare loop/ {print $(NF-1)}'
}
printf '%-6s %10s %10s %10s %8s %8s\n' pair bare W=1 W=2 W1/bare W2/W1
for ((i = 1; i <= pairs; i++)); do
  b=$(bare); one=$(rate 1); two=$(rate 2)
  awk -v i="$i" -v b="$b" -v o="$one" -v t="$two" 'BEGIN {printf "%-6s %10.1f %10.1f %10.1f %8.3f %8.3f\n", i, b, o, t, o / b, t / o}'
done
