# shellcheck shell=bash
# The private Open vSwitch: a database, a run directory and a userspace datapath of its own. The kernel
# datapath is left alone (--disable-system): two switches on one kernel would remove each other's ports.

ovs() { OVS_RUNDIR=$state/ovs OVS_LOGDIR=$state/ovs OVS_DBDIR=$state/ovs OVS_SYSCONFDIR=$state/ovs "$@"; }

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
    --pidfile="$state/ovs/ovsdb-server.pid" --log-file="$state/ovs/ovsdb-server.log" --detach </dev/null 8>&- ||
    die "ovsdb-server does not start: see $state/ovs/ovsdb-server.log"
  await 10 database_answers || die "ovsdb-server does not answer after 10 s: see $state/ovs/ovsdb-server.log"
}

# tag is eight digits that stand for the state directory in the names of devices.
tag() { printf '%08x' "$(printf '%s' "$state" | cksum | cut -d ' ' -f 1)"; }

# Every userspace datapath brings a device called ovs-netdev, and a network namespace has room for one of
# that name. So the switch gets a bridge of its own at once, which keeps its datapath open, and the device
# another name: then the next switch can have the name. The lock keeps two starts apart.
start_vswitchd() {
  local tag
  tag=$(tag)
  vswitchd_answers && attached "movs-$tag" && return 0
  end_process "$state/ovs/ovs-vswitchd.pid" ovs-vswitchd 5
  (
    flock -w 60 9 || die "another start holds /run/lock/moset-ovs-netdev for a minute: end it first"
    ! attached ovs-netdev ||
      die "another userspace Open vSwitch on this machine holds the device ovs-netdev: stop it, then start again"
    delete_device "movs-$tag" # a switch that was killed leaves its devices
    ovs ovs-vsctl --no-wait init
    ovs ovs-vswitchd -vconsole:off "unix:$state/ovs/db.sock" --disable-system --pidfile="$state/ovs/ovs-vswitchd.pid" \
      --log-file="$state/ovs/ovs-vswitchd.log" --detach </dev/null 8>&- 9>&- ||
      die "ovs-vswitchd does not start: see $state/ovs/ovs-vswitchd.log"
    await 10 vswitchd_answers || die "ovs-vswitchd does not answer after 10 s: see $state/ovs/ovs-vswitchd.log"
    ovs ovs-vsctl -t 10 -- --may-exist add-br "moset-$tag" -- set bridge "moset-$tag" datapath_type=netdev &&
      await 5 attached ovs-netdev ||
      die "Open vSwitch cannot make a userspace bridge: see $state/ovs/ovs-vswitchd.log, and check that /dev/net/tun is there"
    ip link set dev ovs-netdev down
    ip link set dev ovs-netdev name "movs-$tag"
  ) 9>/run/lock/moset-ovs-netdev
  say "started Open vSwitch in $state/ovs"
}

# attached DEVICE: some switch has the tap device DEVICE open. One that merely exists may be a leftover.
attached() {
  local dir
  for dir in /proc/[0-9]*; do
    case $(readlink "$dir/exe" 2>/dev/null) in */ovs-vswitchd*) ;; *) continue ;; esac
    if grep -qsx "iff:[[:space:]]*$1" "$dir"/fdinfo/*; then return 0; fi
  done
  return 1
}

start_switch() {
  install -d -m 0755 "$state/ovs"
  start_database
  start_vswitchd
}

# our_devices prints the devices the database knows: bridges, and the host ends of sets' links. It works
# on the file, so it does so when the database server is dead too.
our_devices() {
  local all='["Open_vSwitch", {"op": "select", "table": "Interface", "where": [], "columns": ["name"]}]'
  [ -s "$state/ovs/conf.db" ] || return 0
  ovsdb-tool query "$state/ovs/conf.db" "$all" 2>/dev/null | grep -oE '"name":"[^"]+"' | cut -d '"' -f 4 || true
}

# Only virtual links are ever deleted, and no tap another switch works with: a network card somebody put
# on a bridge stays.
delete_device() {
  case $(ip -d -o link show dev "$1" 2>/dev/null) in
    *' veth '*) ;;
    *' tun '*) ! attached "$1" || return 0 ;;
    *) return 0 ;;
  esac
  ip link del dev "$1" 2>/dev/null && say "removed the device $1"
  return 0
}

stop_switch() {
  local device devices
  devices=$(our_devices)
  if vswitchd_answers; then
    say "stopping Open vSwitch of $state"
    ovs ovs-appctl -T 5 -t ovs-vswitchd exit --cleanup >/dev/null 2>&1 || true
    await 5 not_alive "$state/ovs/ovs-vswitchd.pid" || true
  fi
  end_process "$state/ovs/ovs-vswitchd.pid" ovs-vswitchd 5
  end_process "$state/ovs/ovsdb-server.pid" ovsdb-server 5
  for device in $devices "movs-$(tag)"; do delete_device "$device"; done
  # The bridges went with the daemons, so the next start begins with an empty switch.
  rm -rf "$state/ovs"
}
