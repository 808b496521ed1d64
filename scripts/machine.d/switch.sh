# shellcheck shell=bash
# The private Open vSwitch: a database, a run directory and a userspace datapath of its own. The kernel
# datapath is left alone (--disable-system): two switches on one kernel would remove each other's ports.

ovs() { OVS_RUNDIR=$state/ovs "$@"; }

database_answers() { [ -S "$state/ovs/db.sock" ] && ovs ovsdb-client -t 2 list-dbs "unix:$state/ovs/db.sock" >/dev/null 2>&1; }
vswitchd_answers() { alive "$state/ovs/ovs-vswitchd.pid" ovs-vswitchd && ovs ovs-appctl -T 2 -t ovs-vswitchd version >/dev/null 2>&1; }
switch_answers() { database_answers && vswitchd_answers; }

start_database() {
  local schema
  alive "$state/ovs/ovsdb-server.pid" ovsdb-server && database_answers && return 0
  end_process "$state/ovs/ovsdb-server.pid" ovsdb-server 5
  rm -f "$state/ovs/db.sock"
  if [ ! -s "$state/ovs/conf.db" ]; then
    schema=/usr/share/openvswitch/vswitch.ovsschema
    [ -r "$schema" ] || die "the schema of Open vSwitch is not at $schema: install openvswitch-common"
    rm -f "$state/ovs/.conf.db.~lock~"
    ovs ovsdb-tool create "$state/ovs/conf.db" "$schema"
  fi
  ovs ovsdb-server -vconsole:off "$state/ovs/conf.db" --remote="punix:$state/ovs/db.sock" --unixctl="$state/ovs/ovsdb-server.ctl" \
    --pidfile="$state/ovs/ovsdb-server.pid" --log-file="$state/ovs/ovsdb-server.log" --detach </dev/null ||
    die "ovsdb-server does not start: see $state/ovs/ovsdb-server.log"
  await 10 database_answers || die "ovsdb-server does not answer after 10 s: see $state/ovs/ovsdb-server.log"
}

start_vswitchd() {
  vswitchd_answers && return 0
  end_process "$state/ovs/ovs-vswitchd.pid" ovs-vswitchd 5
  ovs ovs-vsctl --no-wait init
  ovs ovs-vswitchd -vconsole:off "unix:$state/ovs/db.sock" --disable-system --pidfile="$state/ovs/ovs-vswitchd.pid" \
    --log-file="$state/ovs/ovs-vswitchd.log" --detach </dev/null ||
    die "ovs-vswitchd does not start: see $state/ovs/ovs-vswitchd.log"
  await 10 vswitchd_answers || die "ovs-vswitchd does not answer after 10 s: see $state/ovs/ovs-vswitchd.log"
  say "started Open vSwitch in $state/ovs"
}

# Every userspace datapath brings a device called ovs-netdev, and a network namespace has room for one of
# that name. So the switch gets a bridge of its own at once, which keeps its datapath open, and the device
# another name: then the next switch can have the name. The lock keeps two starts apart.
hold_datapath() {
  local tag
  tag=$(printf '%08x' "$(printf '%s' "$state" | cksum | cut -d ' ' -f 1)")
  ip link show dev "movs-$tag" >/dev/null 2>&1 && return 0
  (
    flock 9
    ovs ovs-vsctl -t 10 -- --if-exists del-br "moset-$tag"
    ! ip link show dev ovs-netdev >/dev/null 2>&1 ||
      die "another userspace Open vSwitch on this machine holds the device ovs-netdev: stop it, then start again"
    ovs ovs-vsctl -t 10 add-br "moset-$tag" -- set bridge "moset-$tag" datapath_type=netdev ||
      die "Open vSwitch cannot make a userspace bridge: see $state/ovs/ovs-vswitchd.log, and check that /dev/net/tun is there"
    ip link set dev ovs-netdev down
    ip link set dev ovs-netdev name "movs-$tag"
  ) 9>/run/lock/moset-ovs-netdev
}

start_switch() {
  install -d -m 0755 "$state/ovs"
  start_database
  start_vswitchd
  hold_datapath
}

# our_devices prints the devices the running switch holds: bridges, and the host ends of sets' links.
our_devices() {
  ovs ovs-vsctl -t 2 --bare --columns=name find Interface 'ofport!=-1' 2>/dev/null | awk 'NF && $1 != "lo"'
}

# Only virtual links are ever deleted: a network card somebody put on a bridge stays.
delete_device() {
  case $(ip -d -o link show dev "$1" 2>/dev/null) in
    *' veth '* | *' tun '*) ip link del dev "$1" 2>/dev/null && say "removed the device $1" ;;
  esac
  return 0
}

stop_switch() {
  local devices="" device
  if switch_answers; then
    devices=$(our_devices || true)
    say "stopping Open vSwitch of $state"
    ovs ovs-appctl -T 5 -t ovs-vswitchd exit --cleanup >/dev/null 2>&1 || true
    await 5 gone "$(cat "$state/ovs/ovs-vswitchd.pid" 2>/dev/null || echo none)" || true
  fi
  end_process "$state/ovs/ovs-vswitchd.pid" ovs-vswitchd 5
  end_process "$state/ovs/ovsdb-server.pid" ovsdb-server 5
  for device in $devices; do delete_device "$device"; done
  # The bridges went with the daemon, so the next start begins with an empty switch.
  rm -rf "$state/ovs"
}
