# shellcheck shell=bash
# The private container engine: a containerd and a dockerd that share nothing with the machine's own.

engine() { docker -H "unix://$state/docker.sock" "$@"; }

containerd_answers() { alive "$state/containerd.pid" containerd && [ -S "$state/containerd.sock" ]; }

engine_answers() {
  [ -S "$state/docker.sock" ] || return 1
  curl -fsS --max-time 2 --unix-socket "$state/docker.sock" http://docker/_ping >/dev/null 2>&1
}

engine_settled() { engine_answers || not_alive "$state/dockerd.pid"; }

# The CRI plugin wants networking of its own, and opt would make /opt/containerd.
containerd_config() {
  cat <<CONFIG
version = 2
root = "$state/containerd"
state = "$state/containerd-run"
disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.internal.v1.opt"]
[grpc]
  address = "$state/containerd.sock"
CONFIG
}

start_containerd() {
  containerd_answers && return 0
  end_process "$state/containerd.pid" containerd 10
  rm -f "$state/containerd.sock" "$state/containerd.sock.ttrpc"
  containerd_config >"$state/containerd.toml"
  launch containerd containerd --config "$state/containerd.toml" --log-level warn
  await 20 containerd_answers || die "containerd does not answer after 20 s: see $state/containerd.log"
  say "started containerd in $state"
}

start_dockerd() {
  if alive "$state/dockerd.pid" dockerd && await 10 engine_answers; then return 0; fi
  end_process "$state/dockerd.pid" dockerd 10
  rm -f "$state/docker.sock" "$state/dockerd.engine.pid"
  # cgroupfs: sets have a parent cgroup of their own, and the machine's systemd is left out of it.
  launch dockerd dockerd -H "unix://$state/docker.sock" --containerd "$state/containerd.sock" \
    --config-file "$state/docker.json" --data-root "$state/docker" --exec-root "$state/run" \
    --pidfile "$state/dockerd.engine.pid" --bridge none --iptables=false --ip-forward=false --ip-masq=false \
    --group root --live-restore --exec-opt native.cgroupdriver=cgroupfs
  await 30 engine_settled || true
  engine_answers || die "dockerd does not answer: $(tail -n 1 "$state/dockerd.log") (see $state/dockerd.log)"
  say "started dockerd at unix://$state/docker.sock"
}

# docker_config takes the place of the machine's /etc/docker/daemon.json, and keeps the key that Engine
# 20.10 makes out of /etc/docker; later engines make none and refuse the word.
docker_config() {
  case $(dockerd --version) in
    *' version 20.'*) printf '{"deprecated-key-path": "%s/docker-key.json"}\n' "$state" ;;
    *) printf '{}\n' ;;
  esac
}

start_engine() {
  docker_config >"$state/docker.json"
  start_containerd
  start_dockerd
}

# shims prints the pids of the processes that hold our containers: they outlive both daemons.
shims() {
  local dir
  for dir in /proc/[0-9]*; do
    if owns "${dir#/proc/}" containerd-shim; then printf '%s\n' "${dir#/proc/}"; fi
  done
}

# has_containers: some run still, or have their records on disk.
has_containers() { [ -n "$(shims)" ] || [ -n "$(ls -A "$state/docker/containers" 2>/dev/null)" ]; }

# remove_containers also removes the parent cgroups of sets, which no engine made and so none removes.
remove_containers() {
  local ids parents parent
  mapfile -t ids < <(engine ps -aq)
  if [ "${#ids[@]}" -gt 0 ]; then
    mapfile -t parents < <(engine inspect --format '{{.HostConfig.CgroupParent}}' "${ids[@]}" | grep '^/moset/' | sort -u)
    engine rm -fv "${ids[@]}" >/dev/null && say "removed the containers (${#ids[@]})"
    for parent in "${parents[@]}"; do
      find /sys/fs/cgroup/*"$parent" /sys/fs/cgroup"$parent" -depth -type d -exec rmdir {} + 2>/dev/null || true
    done
  fi
  mapfile -t ids < <(engine volume ls -q)
  [ "${#ids[@]}" -gt 0 ] && engine volume rm -f "${ids[@]}" >/dev/null && say "removed the volumes (${#ids[@]})"
  return 0
}

# end_shims is for containers no engine could remove: their processes, then the shims.
end_shims() {
  local shim child
  for shim in $(shims); do
    for child in $(awk -v shim="$shim" '$4 == shim { print $1 }' /proc/[0-9]*/stat 2>/dev/null); do
      kill -KILL "$child" 2>/dev/null || true
    done
    kill -KILL "$shim" 2>/dev/null || true
  done
}

stop_engine() {
  # Only an engine can remove its containers cleanly, and live-restore keeps them when it is gone.
  if ! engine_answers && has_containers; then (start_engine) || true; fi
  if engine_answers; then remove_containers || true; fi
  if alive "$state/dockerd.pid" dockerd; then say "stopping dockerd and containerd of $state"; fi
  end_process "$state/dockerd.pid" dockerd 20
  end_process "$state/containerd.pid" containerd 10
  end_shims
  rm -f "$state"/docker.sock "$state"/containerd.sock "$state"/containerd.sock.ttrpc "$state/dockerd.engine.pid"
}
