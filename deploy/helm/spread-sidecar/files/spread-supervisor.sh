# Runs a command and restarts it inside its container, because the kubelet would wait longer before each restart.
#
# sh spread-supervisor.sh FILE COMMAND [ARGUMENT...]: restarts COMMAND when the first line of FILE changes, and when COMMAND
# ends. If COMMAND ends 5 times in a row within 10 s of its start, the container ends with the exit code of COMMAND, so that
# Kubernetes shows the failure. Needs sh, sleep and date.
file=$1
shift

request() {
  requested=
  [ ! -r "$file" ] || read -r requested <"$file" || :
}

say() {
  echo "supervisor: $*"
}

# Sends TERM to a command, and KILL if it does not end within 5 s.
end() {
  kill -TERM "$1" 2>/dev/null
  for _ in 1 2 3 4 5; do
    sleep 1
    kill -0 "$1" 2>/dev/null || return
  done
  kill -KILL "$1" 2>/dev/null
}

watch() {
  while sleep 1; do
    request
    if [ "$requested" != "$2" ]; then
      say "restarting the command, as $file demands"
      end "$1"
      return
    fi
  done
}

stopping=
child=
trap 'stopping=1; [ -z "$child" ] || end "$child" &' TERM INT

failures=0
while [ -z "$stopping" ]; do
  request
  started=$requested
  began=$(date +%s)
  "$@" &
  child=$!
  # A signal can arrive before the command has a process ID.
  [ -z "$stopping" ] || end "$child" &
  watch "$child" "$started" &
  watcher=$!
  # `wait` returns early when a signal arrives.
  wait "$child"
  code=$?
  while kill -0 "$child" 2>/dev/null; do
    wait "$child"
    code=$?
  done
  # The watcher inherits the trap for TERM, so only KILL ends it.
  kill -KILL "$watcher" 2>/dev/null
  wait "$watcher" 2>/dev/null
  [ -z "$stopping" ] || break
  request
  if [ "$requested" != "$started" ]; then
    failures=0
    continue
  fi
  [ $(($(date +%s) - began)) -lt 10 ] || failures=0
  failures=$((failures + 1))
  if [ "$failures" -ge 5 ]; then
    say "the command ended $failures times in a row, the last time with exit code $code"
    exit "$code"
  fi
  say "the command ended with exit code $code; restarting it"
  sleep 1
done
exit "$code"
