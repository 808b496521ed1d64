# shellcheck shell=bash
# Starting, finding and ending processes. A pid file alone is never believed: the pid may have been
# reused, so the process must also have the state directory on its command line.

# owns PID [WORD]: PID runs with our state directory (and WORD) on its command line.
owns() {
  local line
  line=$(tr '\0' ' ' 2>/dev/null <"/proc/$1/cmdline") 2>/dev/null || return 1
  case $line in *"$state/"*) ;; *) return 1 ;; esac
  case $line in *"${2:-}"*) return 0 ;; *) return 1 ;; esac
}

# alive FILE [WORD]: the process named by the pid file FILE runs and is ours.
alive() {
  local pid
  pid=$(cat "$1" 2>/dev/null) || return 1
  [ -n "$pid" ] && owns "$pid" "${2:-}"
}

# launch NAME COMMAND...: a daemon that outlives the shell and make, with NAME.pid and NAME.log.
# Descriptor 8 is the lock of the state directory, which it must not hold on to. Until the child has
# become the command it bears this script's command line and would pass for a process that died.
launch() {
  local name=$1
  shift
  setsid nohup "$@" >>"$state/$name.log" 2>&1 </dev/null 8>&- &
  echo $! >"$state/$name.pid"
  await 10 launched $! || true
}

# launched PID: it is the command by now, or has ended already.
launched() { owns "$1" || ! kill -0 "$1" 2>/dev/null; }

# await SECONDS COMMAND...: polls until COMMAND succeeds.
await() {
  local left=$(($1 * 20))
  shift
  until "$@"; do
    left=$((left - 1))
    [ "$left" -gt 0 ] || return 1
    sleep 0.05
  done
}

gone() { ! owns "$1"; }

not_alive() { ! alive "$1"; }

# end_process FILE WORD SECONDS: TERM, then KILL after SECONDS, then forgets the pid file.
end_process() {
  local pid
  if alive "$1" "$2"; then
    pid=$(cat "$1")
    kill -TERM "$pid" 2>/dev/null || true
    if ! await "$3" gone "$pid"; then
      kill -KILL "$pid" 2>/dev/null || true
      await 5 gone "$pid" || die "process $pid ($2) does not end: look at it with ps -p $pid and end it by hand"
    fi
  fi
  rm -f "$1"
}

# unmount_below DIR: takes back what a killed daemon left mounted, deepest first.
unmount_below() {
  awk -v dir="$1/" 'index($2, dir) == 1 { print $2 }' /proc/mounts | sort -r | while read -r point; do
    umount -l "$point" 2>/dev/null || true
  done
}
