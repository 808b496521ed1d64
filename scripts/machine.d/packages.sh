# shellcheck shell=bash
# Debian packages: what is missing is installed, what was installed is remembered and can be taken back.

packages_file=$state_root/packages

# missing_packages prints the packages whose program is not there, one a line.
missing_packages() {
  local program package
  while read -r program package; do
    command -v "$program" >/dev/null || printf '%s\n' "$package"
  done <<'LIST' | sort -u
dockerd docker.io
docker docker.io
containerd containerd
runc runc
ovs-vswitchd openvswitch-switch
ovs-vsctl openvswitch-switch
ip iproute2
tc iproute2
curl curl
skopeo skopeo
podman podman
update-ca-certificates ca-certificates
LIST
}

installed_packages() { dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n' | awk '$1 == "ii" { print $2 }' | sort -u; }

unit_files() {
  [ -d /run/systemd/system ] || return 0
  systemctl list-unit-files --type=service,socket --state=enabled --no-legend 2>/dev/null | awk '{ print $1 }' | sort -u
}

# forbid_services keeps a package's own daemons from being started while it is installed.
forbid_services() {
  [ -e /usr/sbin/policy-rc.d ] && return 0
  printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
  chmod 0755 /usr/sbin/policy-rc.d
  trap 'rm -f /usr/sbin/policy-rc.d' EXIT
  trap 'exit 130' INT TERM
}

allow_services() {
  [ -n "$(trap -p EXIT)" ] || return 0
  rm -f /usr/sbin/policy-rc.d
  trap - EXIT INT TERM
}

apt() { DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=120 -o Dpkg::Use-Pty=0 "$@" </dev/null; }

install_packages() {
  local missing before units unit log=$state_root/apt.log
  mapfile -t missing < <(missing_packages)
  if [ "${#missing[@]}" -eq 0 ]; then
    say "every package is there"
    return 0
  fi
  command -v apt-get >/dev/null || die "${missing[*]} are missing and there is no apt-get: install them by hand"
  install -d -m 0711 "$state_root"
  before=$(installed_packages)
  getent group docker >/dev/null || touch "$packages_file.group"
  units=$(unit_files)
  forbid_services
  if ! apt install -y --no-install-recommends --no-remove "${missing[@]}" >"$log" 2>&1; then
    # The usual reason is a package list that is old or was never fetched.
    apt update >"$log" 2>&1 && apt install -y --no-install-recommends --no-remove "${missing[@]}" >>"$log" 2>&1 || {
      tail -n 5 "$log" >&2
      die "apt-get could not install ${missing[*]}: see $log, and check the machine's package sources"
    }
  fi
  allow_services
  comm -13 <(printf '%s\n' "$before") <(installed_packages) | while read -r package; do
    printf '%s\n' "$package" >>"$packages_file"
    say "installed the package $package"
  done
  for unit in $(comm -13 <(printf '%s\n' "$units") <(unit_files)); do
    systemctl disable -q "$unit" 2>/dev/null || continue
    say "disabled $unit, which a package brought: the private daemons do without"
  done
}

# programs_run: somebody else runs a daemon by now out of the packages we brought.
programs_run() {
  local dir
  for dir in /proc/[0-9]*; do
    case $(readlink "$dir/exe" 2>/dev/null) in
      */dockerd | */containerd | */containerd-shim* | */ovsdb-server | */ovs-vswitchd*) return 0 ;;
    esac
  done
  return 1
}

# remove_traces: what the packages and the engine leave after a purge, as far as it is empty.
remove_traces() {
  if [ -e "$packages_file.group" ] && getent group docker >/dev/null; then
    groupdel docker && say "removed the group docker"
  fi
  rmdir /run/docker/* /run/docker /run/containerd/* /run/containerd 2>/dev/null || true
}

# purge_packages removes exactly what install_packages brought, unless something else needs it by now.
purge_packages() {
  local ours would package
  [ -s "$packages_file" ] || {
    rm -f "$packages_file" "$packages_file.group" "$state_root/apt.log"
    return 0
  }
  mapfile -t ours < <(comm -12 <(sort -u "$packages_file") <(installed_packages))
  if [ "${#ours[@]}" -gt 0 ] && programs_run; then
    die "kept the installed packages: a process other than ours runs their programs; end it, then clean again"
  fi
  if [ "${#ours[@]}" -gt 0 ]; then
    would=$(apt-get -s purge "${ours[@]}" 2>/dev/null | awk '$1 == "Purg" || $1 == "Remv" { print $2 }' | sort -u)
    would=$(comm -23 <(printf '%s\n' "$would") <(printf '%s\n' "${ours[@]}" | sort -u) | tr '\n' ' ')
    [ -z "${would// /}" ] || die "removing the packages would also remove ${would% }: purge those of $packages_file by hand"
    forbid_services
    apt purge -y "${ours[@]}" >"$state_root/apt.log" 2>&1 || die "apt-get could not purge ${ours[*]}: see $state_root/apt.log"
    allow_services
    for package in "${ours[@]}"; do say "removed the package $package"; done
    remove_traces
  fi
  rm -f "$packages_file" "$packages_file.group" "$state_root/apt.log"
}
