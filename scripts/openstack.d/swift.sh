# shellcheck shell=bash
# Swift: one of each server on one directory, one replica. A store for Glance, not a model of a cluster.

swift_server_config() { # NAME PORT
  cat >"$state/swift/$1.conf" <<CONF
[DEFAULT]
bind_ip = $host
bind_port = $2
workers = 0
user = root
swift_dir = $state/swift
devices = $state/swift/disks
mount_check = false
disable_fallocate = true
[pipeline:main]
pipeline = $1-server
[app:$1-server]
use = egg:swift#$1
CONF
}

swift_proxy_config() {
  cat >"$state/swift/proxy.conf" <<CONF
[DEFAULT]
bind_ip = $host
bind_port = $swift_port
workers = 0
user = root
swift_dir = $state/swift
[pipeline:main]
pipeline = catch_errors gatekeeper healthcheck listing_formats copy authtoken keystoneauth slo dlo proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
allow_account_management = true
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:gatekeeper]
use = egg:swift#gatekeeper
[filter:healthcheck]
use = egg:swift#healthcheck
[filter:listing_formats]
use = egg:swift#listing_formats
[filter:copy]
use = egg:swift#copy
[filter:slo]
use = egg:swift#slo
[filter:dlo]
use = egg:swift#dlo
[filter:keystoneauth]
use = egg:swift#keystoneauth
operator_roles = admin, member
[filter:authtoken]
paste.filter_factory = keystonemiddleware.auth_token:filter_factory
delay_auth_decision = true
$(service_credentials swift)
CONF
}

swift_ring() { # NAME PORT
  [ ! -e "$state/swift/$1.ring.gz" ] || return 0
  (cd "$state/swift" && rm -f "$1.builder" && swift-ring-builder "$1.builder" create 4 1 1 &&
    swift-ring-builder "$1.builder" add "r1z1-$host:$2/d1" 1 && swift-ring-builder "$1.builder" rebalance) >>"$state/swift/ring.log" 2>&1 ||
    [ -e "$state/swift/$1.ring.gz" ] || die "the ring of swift-$1 could not be made: see $state/swift/ring.log"
}

start_swift() {
  local name at=$swift_port
  install -d -m 0755 "$state/swift" "$state/swift/disks/d1"
  if [ ! -e "$state/swift/swift.conf" ]; then
    printf '[swift-hash]\nswift_hash_path_suffix = %s\nswift_hash_path_prefix = %s\n[storage-policy:0]\nname = Policy-0\ndefault = yes\n' \
      "$RANDOM$RANDOM" "$RANDOM$RANDOM" >"$state/swift/swift.conf"
  fi
  for name in account container object; do
    at=$((at + 1))
    swift_ring "$name" "$at"
    swift_server_config "$name" "$at"
    serve "swift-$name" "$at" "swift-$name-server" "$state/swift/$name.conf" -v
  done
  (umask 077 && swift_proxy_config)
  serve swift-proxy "$swift_port" swift-proxy-server "$state/swift/proxy.conf" -v
  ready swift-proxy answers "$swift/healthcheck"
}
