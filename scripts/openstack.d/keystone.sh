# shellcheck shell=bash
# Keystone under uwsgi. One process with a cache in memory: with more, what one caches the others would not see
# revoked.

keystone_config() {
  cat >"$state/keystone.conf" <<CONF
[DEFAULT]
log_file = $state/keystone-service.log
[database]
connection = $(database_url keystone)
[token]
provider = fernet
[fernet_tokens]
key_repository = $state/fernet
[fernet_receipts]
key_repository = $state/receipts
[credential]
key_repository = $state/credential
[identity]
# The least that bcrypt offers: these passwords guard nothing.
password_hash_rounds = 4
[cache]
enabled = true
backend = dogpile.cache.memory
CONF
  # uwsgi's own HTTP closes after each answer; the header says so, or pooled clients meet closed connections.
  cat >"$state/keystone.ini" <<INI
[uwsgi]
plugins = python3
http-socket = $host:$port
wsgi-file = /usr/bin/keystone-wsgi-public
master = true
processes = 1
threads = 8
enable-threads = true
lazy-apps = true
die-on-term = true
no-orphans = true
need-app = true
buffer-size = 65535
listen = 100
add-header = Connection: close
INI
}

manage_keystone() {
  keystone-manage --config-file "$state/keystone.conf" "$@" >>"$state/keystone-manage.log" 2>&1 ||
    die "keystone-manage $1 failed: see $state/keystone-manage.log"
}

start_keystone() {
  (umask 077 && keystone_config)
  install -d -m 0700 "$state/fernet" "$state/receipts" "$state/credential"
  [ -e "$state/fernet/0" ] || manage_keystone fernet_setup --keystone-user root --keystone-group root
  [ -e "$state/credential/0" ] || manage_keystone credential_setup --keystone-user root --keystone-group root
  if [ ! -e "$state/keystone.made" ]; then
    manage_keystone db_sync
    manage_keystone bootstrap --bootstrap-password "$password" --bootstrap-region-id RegionOne \
      --bootstrap-admin-url "$keystone" --bootstrap-internal-url "$keystone" --bootstrap-public-url "$keystone"
    touch "$state/keystone.made"
  fi
  OS_KEYSTONE_CONFIG_FILES=$state/keystone.conf serve keystone "$port" uwsgi --ini "$state/keystone.ini"
  ready keystone answers "$keystone"
}
