# Shared by up, down and test: where things are, what must be installed, and a private Postgres. Sourced, not run.

repo="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
packages=(libpq-dev libcurl4-openssl-dev libssl-dev zlib1g-dev pkg-config postgresql)

service_roles=(gateway tenant_admin ml_training ml_prediction)

say() { printf '\033[1m==>\033[0m %s\n' "$*" >&2; }
die() { printf '\033[31merror:\033[0m %s\n' "$*" >&2; exit 1; }

need_swift() {
  command -v swift >/dev/null || die "Swift is not installed. Install a 6.2 or newer toolchain from swift.org and put it on PATH."
  local version
  version="$(swift --version 2>/dev/null | sed -n 's/.*Swift version \([0-9]*\.[0-9]*\).*/\1/p' | head -n 1)"
  [ -n "$version" ] || die "'swift --version' does not say its version; is the toolchain complete?"
  if [ "${version%%.*}" -lt 6 ] || { [ "${version%%.*}" -eq 6 ] && [ "${version#*.}" -lt 2 ]; }; then
    die "Swift $version is too old; 6.2 or newer is needed."
  fi
}

# Installs what is missing, after saying what. With install=no it only says.
need_packages() {
  local install="$1" missing=() package
  for package in "${packages[@]}"; do
    case "$(dpkg-query -W -f='${Status}' "$package" 2>/dev/null)" in *"ok installed") ;; *) missing+=("$package") ;; esac
  done
  [ "${#missing[@]}" -gt 0 ] || return 0
  command -v apt-get >/dev/null || die "these Debian packages (or your system's equal) are missing: ${missing[*]}"
  [ "$install" = yes ] || die "missing packages: ${missing[*]}. Install them, or leave out --no-install."
  local sudo=""
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || die "missing packages: ${missing[*]}. Install them as root: apt-get install ${missing[*]}"
    sudo=sudo
  fi
  say "installing ${missing[*]}"
  # The server package would otherwise make and start a system-wide cluster on port 5432, which nobody asked for.
  if [ ! -e /etc/postgresql-common/createcluster.conf ]; then
    $sudo mkdir -p /etc/postgresql-common/createcluster.d
    echo "create_main_cluster = false" | $sudo tee /etc/postgresql-common/createcluster.d/erm.conf >/dev/null
  fi
  $sudo apt-get update -qq >&2 || die "apt-get update failed; is there a network?"
  $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >&2 ||
    die "installing ${missing[*]} failed; see above."
}

# The newest installed Postgres server's programs.
postgres_bin() {
  local bin
  bin="$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1)"
  [ -n "$bin" ] && [ -x "$bin/initdb" ] || bin="$(dirname "$(command -v initdb 2>/dev/null || echo /nonexistent/initdb)")"
  [ -x "$bin/initdb" ] || die "no Postgres server programs found (initdb); install the package postgresql."
  echo "$bin"
}

# Postgres refuses to run as root; then its own user runs it.
as_postgres() {
  if [ "$(id -u)" -eq 0 ]; then
    setpriv --reuid=postgres --regid=postgres --init-groups env HOME=/ "$@"
  else
    "$@"
  fi
}

# runs STATE SERVICE: whether the process noted for the service is the one that compose/up started for this state. Its number
# may have been given to another program since, even to a service of another installation, which is nobody's to stop.
runs() {
  local pid
  pid="$(cat "$1/run/$2.pid" 2>/dev/null)" && [ -n "$pid" ] || return 1
  { tr '\0' '\n' <"/proc/$pid/environ"; } 2>/dev/null | grep -qxF "DATABASE_URL_FILE=$1/run/$2.database"
}

# is_state DIR: whether compose/up keeps its things there, and not somebody else.
is_state() { [ -f "$1/lock" ] && [ -d "$1/run" ]; }

port_is_free() { ! (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# A free port, searched upwards from the one given.
free_port() {
  local port="$1"
  while ! port_is_free "$port"; do
    port=$((port + 1))
    [ "$port" -lt $(($1 + 500)) ] || die "no free port from $1 on"
  done
  echo "$port"
}

# A free port for the Postgres of a state folder: the former one, which services that still run know, unless somebody has taken it. Below
# the ports that Linux gives to outgoing connections, any of which may be in use without anybody listening there.
free_database_port() { free_port "$(cat "$1/run/postgres.port" 2>/dev/null || echo 25432)"; }

random_hex() { od -An -tx1 -N"${1:-24}" /dev/urandom | tr -d ' \n'; }

# make_cluster DATA PASSWORD: a new cluster whose superuser is erm, password over TCP only.
make_cluster() {
  local data="$1" password="$2" bin file
  bin="$(postgres_bin)"
  mkdir -p "$data"
  [ "$(id -u)" -ne 0 ] || chown postgres "$data"
  chmod 700 "$data"
  file="$(mktemp)"
  printf '%s\n' "$password" >"$file"
  [ "$(id -u)" -ne 0 ] || chown postgres "$file"
  as_postgres "$bin/initdb" -D "$data" -U erm --auth=scram-sha-256 --pwfile="$file" --encoding=UTF8 --locale=C.UTF-8 >/dev/null ||
    { rm -f "$file"; die "initdb failed in $data"; }
  rm -f "$file"
}

# The control groups of the processor in which compose/up starts everything, in version 1 and in version 2.
processor_groups=(/sys/fs/cgroup/cpu/erm-platform /sys/fs/cgroup/erm-platform)

# one_processor_group: has Linux share the processor thread by thread among all that this shell starts, where nobody else manages that.
# Otherwise sessions share it first (autogroup), and each service and each connection of Postgres is a session: a thread that stands back
# does so in its own service only, and requests wait for other tenants' loads.
one_processor_group() {
  local group
  [ ! -d /run/systemd/system ] || return 0
  for group in "${processor_groups[@]}"; do
    [ -e "${group%/*}/cpu.shares" ] || grep -qsw cpu "${group%/*}/cgroup.subtree_control" || continue
    { mkdir -p "$group" && echo "$$" >"$group/cgroup.procs"; } 2>/dev/null && return
  done
  return 0
}

# start_cluster DATA PORT [more server options]. A dump locks every table of every tenant, which takes more locks than usual.
start_cluster() {
  local data="$1" port="$2" bin
  shift 2
  bin="$(postgres_bin)"
  forget_crash "$data"
  as_postgres "$bin/pg_ctl" -D "$data" -w -t 60 -s -l "$data/server.log" \
    -o "-p $port -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c max_locks_per_transaction=1024 $*" start >/dev/null ||
    { tail -n 5 "$data/server.log" >&2; die "Postgres did not start; its log is $data/server.log"; }
}

stop_cluster() {
  local bin
  cluster_runs "$1" || return 0
  bin="$(postgres_bin)"
  as_postgres "$bin/pg_ctl" -D "$1" -m fast -w -t 60 -s stop >/dev/null 2>&1 || true
}

# cluster_runs DATA: whether the process noted for the cluster is its server. After a crash the number may be another program's.
cluster_runs() {
  local pid
  pid="$(as_postgres head -n 1 "$1/postmaster.pid" 2>/dev/null)" && [ -n "$pid" ] || return 1
  [ "$(readlink "/proc/$pid/cwd")" = "$(readlink -f "$1")" ]
}

# forget_crash DATA: takes away what a crashed server has noted, which keeps another one from starting while its number is some
# program's; not while any process is at work in the cluster's folder.
forget_crash() {
  local data process
  [ -f "$1/postmaster.pid" ] || return 0
  data="$(readlink -f "$1")"
  for process in /proc/[0-9]*; do
    [ "$(readlink "$process/cwd" 2>/dev/null)" != "$data" ] || return 0
  done
  rm -f "$1/postmaster.pid"
}

# make_settings STATE: what must stay the same from start to start (passwords, where the cluster's data is), made once.
make_settings() {
  local state="$1" data="$1/postgres"
  [ ! -f "$state/settings" ] || return 0
  # Postgres as root runs under its own user, who must be able to reach its data.
  if [ "$(id -u)" -eq 0 ] && ! as_postgres test -x "$(dirname "$state")" 2>/dev/null; then
    data="/var/lib/erm/$(printf '%s' "$state" | cksum | cut -d' ' -f1)"
  elif [ "$(id -u)" -eq 0 ]; then
    chmod 711 "$state"
  fi
  (
    umask 077
    {
      echo "data='$data'"
      echo "superuser_password=$(random_hex)"
      for role in "${service_roles[@]}"; do echo "${role}_password=$(random_hex)"; done
    } >"$state/settings.new"
  )
  mv "$state/settings.new" "$state/settings"
}

# make_roles URL: every service's role and schema, with the passwords of the variables <role>_password.
make_roles() {
  local role variable
  # Passwords by standard input: arguments can be read by every user of the machine.
  {
    for role in "${service_roles[@]}"; do
      variable="${role}_password"
      echo "\\set $variable ${!variable}"
    done
    cat "$repo/compose/roles.sql"
  } | psql -q -X "$1" -f - >/dev/null
}

# build LOG ARGUMENTS…: swift build with its output in LOG, the errors shown when it fails.
build() {
  local log="$1"
  shift
  if ! (cd "$repo" && swift build "$@") >"$log" 2>&1; then
    grep -E "error:" "$log" | head -n 20 >&2 || true
    tail -n 5 "$log" >&2
    die "the build failed; its whole output is $log"
  fi
}

# need_python INSTALL: a Python that can make environments.
need_python() {
  python3 -c 'import ensurepip, venv' 2>/dev/null || { packages=(python3 python3-venv) && need_packages "$1"; }
}

# need_browser INSTALL: what the console's tests drive.
need_browser() {
  command -v chromium >/dev/null && command -v chromedriver >/dev/null ||
    { packages=(chromium chromium-driver fonts-dejavu-core) && need_packages "$1"; }
}

# python_in FOLDER REQUIREMENTS: an environment in FOLDER with what REQUIREMENTS pins, recreated when that changes; prints its
# interpreter.
python_in() {
  local folder="$1" requirements="$2" wanted
  wanted="$(cksum <"$requirements")"
  if [ "$(cat "$folder/requirements.cksum" 2>/dev/null)" != "$wanted" ]; then
    say "installing what $(basename "$(dirname "$requirements")")/$(basename "$requirements") lists into $folder"
    rm -rf "$folder"
    python3 -m venv "$folder" >&2 || die "python3 -m venv failed in $folder"
    "$folder/bin/python" -m pip install --quiet --disable-pip-version-check -r "$requirements" >&2 ||
      die "installing the Python packages failed; is there a network?"
    printf '%s' "$wanted" >"$folder/requirements.cksum"
  fi
  echo "$folder/bin/python"
}
