#!/usr/bin/env bash
# keep.sh COMMAND…: runs it, and starts it again when it dies, as systemd and Kubernetes do; srun does not.
# 0, 2 and 130 are its own word that this is the end: done, nothing that a restart mends, stopped in order.
# SIGTERM and SIGUSR1 go on to it, once each: it has a process group of its own, so nobody else's reach it.
set -um

child='' stopping=0
trap 'stopping=1; [[ -z $child ]] || kill -TERM "$child" 2>/dev/null' TERM INT
trap '[[ -z $child ]] || kill -USR1 "$child" 2>/dev/null' USR1

for ((deaths = 0; ; deaths++)); do
  "$@" &
  child=$!
  # A trap ends wait before the child has ended.
  while :; do
    wait "$child"
    code=$?
    kill -0 "$child" 2>/dev/null || break
  done
  # Its code is known by now, unless a trap came between: then this asks for it once more.
  ((code <= 128)) || { wait "$child" 2>/dev/null; late=$?; ((late == 127)) || code=$late; }
  child=''
  case $code in 0 | 2 | 130) exit "$code" ;; esac
  ((stopping == 0)) || exit "$code"
  if ((deaths >= ${CLUSTER_RESTARTS:-20})); then
    echo "cluster: $1 died $((deaths + 1)) times, the last time with code $code" >&2
    exit "$code"
  fi
  echo "cluster: died with code $code and is started again: $*" >&2
  sleep 1
done
