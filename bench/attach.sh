#!/usr/bin/env bash
# The peer of the port figure: namespaces wired to an Open vSwitch by a careful shell script. Links come from
# one ip -batch and are born where they belong, rules from one ovs-ofctl before the ports, ports from one
# ovs-vsctl that waits for the switch; tc limits both ends. The rules are moset's, as many for each port.
#
#   attach.sh setup BRIDGE            makes the bridge and the rules all ports share
#   attach.sh attach BRIDGE N PREFIX  wires the namespaces PREFIX1 to PREFIXN as 10.78.0.1 to 10.78.0.N
#   attach.sh detach BRIDGE N         takes ports and their rules away; links go with their namespaces
#   attach.sh remove BRIDGE
#
# OVS_RUNDIR is the run directory of the switch.
set -euo pipefail

bridge=$2
tenant=0x4e
mbit=100
first_port=1000

vsctl() { ovs-vsctl -t 30 --db="unix:$OVS_RUNDIR/db.sock" "$@"; }
ofctl() { ovs-ofctl "$1" "unix:$OVS_RUNDIR/$bridge.mgmt" "${@:2}"; }

setup() {
  vsctl -- --may-exist add-br "$bridge" -- set bridge "$bridge" datapath_type=netdev fail_mode=secure
  ofctl add-flows - <<'FLOWS'
table=110,priority=300,vlan_tci=0x1000/0x1000,actions=drop
table=110,priority=300,udp,tp_src=67,actions=drop
table=120,priority=100,arp,actions=resubmit(,140)
table=120,priority=100,ip,actions=ct(table=130,zone=NXM_NX_REG6[0..15])
table=130,priority=300,ip,ct_state=+inv+trk,actions=drop
table=130,priority=100,ip,ct_state=+est+trk,actions=resubmit(,140)
table=130,priority=100,ip,ct_state=+rel+trk,actions=resubmit(,140)
table=130,priority=100,ip,ct_state=+new+trk,actions=resubmit(,140)
table=150,priority=100,arp,actions=output:NXM_NX_REG1[]
table=150,priority=100,ip,ct_state=+est+trk,actions=output:NXM_NX_REG1[]
table=150,priority=100,ip,ct_state=+rel+trk,actions=output:NXM_NX_REG1[]
table=150,priority=10,ip,ct_state=+new+trk,actions=ct(commit,zone=NXM_NX_REG6[0..15]),output:NXM_NX_REG1[]
FLOWS
}

# port N sets what belongs to the Nth port.
port() {
  ip=10.78.0.$1
  printf -v mac 'fa:16:3e:78:00:%02x' "$1"
  number=$((first_port + $1))
  link=bsh$1
}

# links, rules and rows print what ip, ovs-ofctl and ovs-vsctl get, for the ports 1 to N.
links() {
  local i
  for ((i = 1; i <= $1; i++)); do
    port "$i"
    echo "link add name $link mtu 1500 up type veth peer name eth0 address $mac mtu 1500 netns $2$i"
  done
}

rules() {
  local i
  for ((i = 1; i <= $1; i++)); do
    port "$i"
    cat <<FLOWS
cookie=0x7800,table=0,priority=100,in_port=$number,actions=load:$tenant->NXM_NX_REG6[],resubmit(,110)
cookie=0x7800,table=110,priority=100,ip,in_port=$number,dl_src=$mac,nw_src=$ip,actions=resubmit(,120)
cookie=0x7800,table=110,priority=100,arp,in_port=$number,dl_src=$mac,arp_sha=$mac,arp_spa=$ip,actions=resubmit(,120)
cookie=0x7800,table=140,priority=100,reg6=$tenant,dl_dst=$mac,actions=load:$number->NXM_NX_REG1[],resubmit(,150)
cookie=0x7800,table=140,priority=100,arp,reg6=$tenant,dl_dst=ff:ff:ff:ff:ff:ff,arp_op=1,arp_tpa=$ip,actions=load:$number->NXM_NX_REG1[],resubmit(,150)
FLOWS
  done
}

rows() {
  local i
  for ((i = 1; i <= $1; i++)); do
    port "$i"
    printf '%s\n' -- add-port "$bridge" "$link" -- set Interface "$link" "ofport_request=$number" \
      "external_ids:iface-id=$2$i" "external_ids:attached-mac=\"$mac\""
  done
}

limit() { tc "$@" root tbf rate "${mbit}mbit" burst 125000 latency 50ms; }

attach() {
  local i row
  links "$1" "$2" | ip -batch -
  for ((i = 1; i <= $1; i++)); do
    port "$i"
    ip -n "$2$i" -batch - <<BATCH
addr add $ip/16 dev eth0
link set eth0 up
route add default via 10.78.255.254
BATCH
    limit qdisc add dev "$link"
    limit -n "$2$i" qdisc add dev eth0
  done
  rules "$1" | ofctl add-flows -
  mapfile -t row < <(rows "$1" "$2")
  vsctl "${row[@]}"
}

detach() {
  local i row=()
  for ((i = 1; i <= $1; i++)); do row+=(-- --if-exists del-port "$bridge" "bsh$i"); done
  vsctl "${row[@]}"
  ofctl del-flows 'cookie=0x7800/-1'
}

case $1 in
  setup) setup ;;
  attach) attach "$3" "$4" ;;
  detach) detach "$3" ;;
  remove) vsctl --if-exists del-br "$bridge" ;;
  *)
    sed -n 's/^# \{0,1\}//; 2,12p' "$0"
    exit 2
    ;;
esac
