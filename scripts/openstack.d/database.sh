# shellcheck shell=bash
# MariaDB: one server with a database for Keystone and one for each Glance.

sql() { mariadb --no-defaults --socket="$state/mariadb.sock" --user=root "$@"; }

start_database() {
  if [ ! -d "$state/mariadb/mysql" ]; then
    rm -rf "$state/mariadb"
    mariadb-install-db --no-defaults --user=root --datadir="$state/mariadb" --auth-root-authentication-method=normal --skip-test-db \
      >"$state/mariadb-install.log" 2>&1 || die "the database could not be made: see $state/mariadb-install.log"
  fi
  serve mariadb "$database_port" mariadbd --no-defaults --user=root --datadir="$state/mariadb" --socket="$state/mariadb.sock" \
    --pid-file="$state/mariadb.server-pid" --bind-address="$host" --port="$database_port" --skip-log-bin --skip-name-resolve \
    --max-connections=200 --innodb-buffer-pool-size=64M --innodb-flush-log-at-trx-commit=2 --character-set-server=utf8mb4
  ready mariadb sql -e 'select 1'
  sql <<SQL
create database if not exists keystone;
create database if not exists glance;
create database if not exists glance512;
create user if not exists moset@'%' identified by '$password';
grant all on keystone.* to moset@'%';
grant all on glance.* to moset@'%';
grant all on glance512.* to moset@'%';
SQL
}

database_url() { printf 'mysql+pymysql://moset:%s@%s:%s/%s' "$password" "$host" "$database_port" "$1"; }
