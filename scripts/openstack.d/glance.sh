# shellcheck shell=bash
# Glance twice: digests of sha256 (as image indexes want them) on Swift, digests of sha512 (the default) on files.

service_credentials() { # USER
  cat <<CONF
www_authenticate_uri = $keystone
auth_url = $keystone
auth_type = password
user_domain_name = Default
project_domain_name = Default
project_name = service
username = $1
password = $password
service_token_roles = service
CONF
}

glance_config() { # NAME DATABASE PORT HASH STORE
  cat <<CONF
[DEFAULT]
bind_host = $host
bind_port = $3
workers = 2
log_file = $state/$1-service.log
hashing_algorithm = $4
[database]
connection = $(database_url "$2")
[keystone_authtoken]
$(service_credentials glance)
[paste_deploy]
flavor = keystone
config_file = $state/glance-paste.ini
[oslo_concurrency]
lock_path = $state/lock
[glance_store]
$5
CONF
}

file_store() { # DIRECTORY; each Glance needs its own, for the ids of tags follow from their names
  install -d -m 0700 "$1"
  cat <<CONF
stores = file,http
default_store = file
filesystem_store_datadir = $1
CONF
}

swift_store() {
  cat <<CONF
stores = file,http,swift
default_store = swift
filesystem_store_datadir = $state/images
swift_store_config_file = $state/glance-swift.conf
default_swift_reference = local
swift_store_create_container_on_put = true
swift_store_container = glance
CONF
}

swift_reference() {
  cat <<CONF
[local]
user = service:glance
key = $password
auth_address = $keystone
auth_version = 3
user_domain_id = default
project_domain_id = default
CONF
}

# The pipeline of Debian's file without its deployment switches.
glance_paste() {
  cat <<'CONF'
[pipeline:glance-api-keystone]
pipeline = healthcheck http_proxy_to_wsgi versionnegotiation authtoken context rootapp
[composite:rootapp]
paste.composite_factory = glance.api:root_app_factory
/: apiversions
/v2: apiv2app
[app:apiversions]
paste.app_factory = glance.api.versions:create_resource
[app:apiv2app]
paste.app_factory = glance.api.v2.router:API.factory
[filter:healthcheck]
paste.filter_factory = oslo_middleware:Healthcheck.factory
backends = disable_by_file
[filter:versionnegotiation]
paste.filter_factory = glance.api.middleware.version_negotiation:VersionNegotiationFilter.factory
[filter:context]
paste.filter_factory = glance.api.middleware.context:ContextMiddleware.factory
[filter:authtoken]
paste.filter_factory = keystonemiddleware.auth_token:filter_factory
delay_auth_decision = true
[filter:http_proxy_to_wsgi]
paste.filter_factory = oslo_middleware:HTTPProxyToWSGI.factory
CONF
}

# start_one_glance NAME DATABASE PORT HASH STORE
start_one_glance() {
  (umask 077 && glance_config "$@" >"$state/$1.conf")
  if [ ! -e "$state/$1.made" ]; then
    glance-manage --config-file "$state/$1.conf" db_sync >>"$state/$1-manage.log" 2>&1 || die "glance-manage db_sync failed: see $state/$1-manage.log"
    touch "$state/$1.made"
  fi
  serve "$1" "$3" glance-api --config-file "$state/$1.conf"
}

start_glance() {
  install -d -m 0700 "$state/images" "$state/lock"
  glance_paste >"$state/glance-paste.ini"
  (umask 077 && swift_reference >"$state/glance-swift.conf")
  start_one_glance glance glance "$((port + 1))" sha256 "$("${MOSET_GLANCE_STORE:-swift}_store" "$state/images-sha256")"
  start_one_glance glance-sha512 glance512 "$((port + 2))" sha512 "$(file_store "$state/images")"
  ready glance answers "$glance"
  ready glance-sha512 answers "$glance_sha512"
}
