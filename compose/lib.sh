# Shared by all commands here: where things are, what must be installed, and a private Postgres. Sourced, not run.

# With it `cd` may go elsewhere than it is told, and prints where.
unset CDPATH
repo="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
packages=(libpq-dev libcurl4-openssl-dev libssl-dev zlib1g-dev pkg-config postgresql perl-base)

# How long, in seconds, a service may take to stop before it is killed, and to be ready before compose/up gives it up.
stop_within="${STOP_WITHIN:-30}" ready_within="${READY_WITHIN:-60}"

service_roles=(gateway tenant_admin ml_training ml_prediction)

# Colours on a terminal only, and not where NO_COLOR asks for none.
bold="" red="" plain=""
if [ -t 2 ] && [ -z "${NO_COLOR:-}" ] && [ "${TERM:-dumb}" != dumb ]; then bold=$'\033[1m' red=$'\033[31m' plain=$'\033[0m'; fi
say() { printf '%s==>%s %s\n' "$bold" "$plain" "$*" >&2; }
die() { printf '%serror:%s %s\n' "$red" "$plain" "$*" >&2; exit 1; }

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

# server_bin DATA: the programs of the version that has made the cluster. A newer one may have been installed since, beside it or instead.
server_bin() {
  local version bin
  version="$(cat "$1/PG_VERSION")" || exit 1
  bin="/usr/lib/postgresql/$version/bin"
  [ -x "$bin/pg_ctl" ] || bin="$(postgres_bin)" || exit 1
  case "$("$bin/postgres" --version)" in
    *"(PostgreSQL) $version"[!0-9]*) echo "$bin" ;;
    *) die "the database in $1 was made by Postgres $version, which is not installed. Install postgresql-$version; compose/backup and compose/restore then bring it to a newer one." ;;
  esac
}

# Postgres refuses to run as root; then its own user runs it.
as_postgres() {
  if [ "$(id -u)" -eq 0 ]; then
    setpriv --reuid=postgres --regid=postgres --init-groups env HOME=/ "$@"
  else
    "$@"
  fi
}

# Seconds since the machine's start. SECONDS follows the wall clock, which somebody may set.
clock() {
  local now
  read -r now _ </proc/uptime
  echo "${now%%.*}"
}

# processes STATE SERVICE: what compose/up has started for the service in this state and still runs, its supervisor first where that is
# left: one number on each line. They are a session, whose number is the supervisor's. That may have been given to another program since,
# even to a service of another installation, which is nobody's to stop: so the file that they were told to read must be this state's.
processes() {
  local session process stat fields variable
  read -r session <"$1/run/$2.pid" && [ -n "$session" ] || return 0
  for process in "/proc/$session" /proc/[0-9]*; do
    stat=""
    # The name, in brackets, may have spaces and brackets of its own.
    { IFS= read -r -d '' stat <"$process/stat" || [ -n "$stat" ]; } || continue
    read -r -a fields <<<"${stat##*) }"
    [ "${fields[3]}" = "$session" ] || continue
    while IFS= read -r -d '' variable; do
      case "$variable" in
        DATABASE_URL_FILE=*)
          # By the file, not by its name: a symbolic link may lead to the same folder.
          [ ! "${variable#*=}" -ef "$1/run/$2.database" ] || echo "${process#/proc/}"
          ;;
      esac
    done <"$process/environ" || true
  done | awk '!seen[$0]++'
} 2>/dev/null

# runs STATE SERVICE: whether anything of the service runs, with its supervisor or without.
runs() { [ -n "$(processes "$1" "$2")" ]; }

# is_supervised STATE SERVICE: whether it would be started again if it ended.
is_supervised() { [ "$(processes "$1" "$2" | head -n 1)" = "$(cat "$1/run/$2.pid" 2>/dev/null)" ]; }

# ends_within SECONDS STATE SERVICE: waits for the end of all that runs of the service.
ends_within() {
  local end=$(($(clock) + $1))
  while runs "$2" "$3"; do
    [ "$(clock)" -lt "$end" ] || return 1
    sleep 0.1
  done
}

# log_end FILE: shows the end of a log.
log_end() { tail -n 10 "$1" >&2 || true; }

# stop_service STATE SERVICE: ends it in its own way, and after a while by force, as containers are.
stop_service() {
  local state="$1" service="$2" process
  for process in $(processes "$state" "$service"); do
    kill "$process" 2>/dev/null || true
    # The supervisor tells its service. Without a supervisor the service is told itself.
    [ "$process" != "$(cat "$state/run/$service.pid")" ] || break
  done
  ends_within "$stop_within" "$state" "$service" && return
  say "$service did not stop in $stop_within s and is killed; the end of its log ($state/logs/$service.log):"
  log_end "$state/logs/$service.log"
  # The supervisor first, which would start it again.
  for process in $(processes "$state" "$service"); do kill -9 "$process" 2>/dev/null || true; done
  ends_within 10 "$state" "$service" ||
    die "$service cannot be stopped: $(processes "$state" "$service" | tr '\n' ' ')still runs, perhaps waiting for a disk. Try again."
}

# is_state DIR: whether compose/up keeps its things there, and not somebody else.
is_state() { [ -f "$1/lock" ] && [ -d "$1/run" ]; }

refuse_half_a_restore() {
  [ ! -e "$1/restoring" ] || die "$1 holds a restore that did not finish; run compose/restore again, which begins it anew"
}

# folder DIR: where it is, without symbolic links. pg_ctl hands some characters to a shell.
folder() {
  local path
  path="$(cd -- "$1" && pwd -P)" || exit 1
  case "$path" in *[\"\$\`\\]* | *$'\n'*) die "$path has one of \" \$ \` \\ or a line break in it, which Postgres' pg_ctl cannot take; choose another folder." ;; esac
  printf '%s\n' "$path"
}

# installation DIR: where the installation is that compose/up keeps in DIR.
installation() {
  refuse_half_a_restore "$1"
  is_state "$1" || die "$1 was not made by compose/up; --state names the folder of an installation"
  folder "$1"
}

# port_problem PORT: prints why nothing could listen there, on whichever address; nothing where it could.
port_problem() {
  LC_ALL=C perl -MSocket -e '
    my $socket;
    socket($socket, PF_INET, SOCK_STREAM, 0) && setsockopt($socket, SOL_SOCKET, SO_REUSEADDR, 1)
      && bind($socket, sockaddr_in($ARGV[0], INADDR_ANY)) && listen($socket, 1) or print "$!\n"' "$1" || echo "perl failed"
}

port_is_free() { [ -z "$(port_problem "$1")" ]; }

# need_port PORT: for the gateway.
need_port() {
  local problem
  problem="$(port_problem "$1")"
  case "$problem" in
    "") ;;
    "Permission denied") die "port $1 is for root only; choose one from 1024 on with --port N." ;;
    *) die "port $1 is taken by another program; stop it or choose another with --port N. ($problem)" ;;
  esac
}

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

# make_cluster DATA PASSWORD: a new cluster whose superuser is erm, password over TCP only. It is there as a whole or not at all.
make_cluster() {
  local data="$1" password="$2" bin new="$1.new"
  bin="$(postgres_bin)"
  # Postgres' own user must reach it, whatever the caller's umask.
  (umask 022 && mkdir -p "$(dirname "$data")")
  # Of one that was interrupted.
  rm -rf "$new" "$new.password"
  (umask 077 && mkdir "$new" && printf '%s\n' "$password" >"$new.password")
  [ "$(id -u)" -ne 0 ] || chown postgres "$new" "$new.password"
  as_postgres "$bin/initdb" -D "$new" -U erm --auth=scram-sha-256 --pwfile="$new.password" --encoding=UTF8 --locale=C.UTF-8 >/dev/null ||
    { rm -rf "$new" "$new.password"; die "initdb failed in $new; see above"; }
  rm -f "$new.password"
  mv -T "$new" "$data"
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

# launch_cluster DATA PORT [more server options]. A dump locks every table of every tenant, which takes more locks than usual.
launch_cluster() {
  local data="$1" port="$2" bin
  shift 2
  bin="$(server_bin "$data")" || exit 1
  forget_crash "$data"
  as_postgres "$bin/pg_ctl" -D "$data" -w -t 60 -s -l "$data/server.log" \
    -o "-p $port -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c max_locks_per_transaction=1024 $*" start >/dev/null
}

# start_cluster DATA PORT [more server options]: the same, or the end.
start_cluster() { launch_cluster "$@" || { log_end "$1/server.log"; die "Postgres did not start; its log is $1/server.log"; }; }

# start_database STATE DATA: the state's cluster, on a port that is noted.
start_database() {
  local state="$1" data="$2" port
  port="$(free_database_port "$state")"
  say "starting Postgres on 127.0.0.1:$port"
  # Another installation that is started in this moment may be quicker to take the port.
  until launch_cluster "$data" "$port" 9>&-; do
    ! port_is_free "$port" || { log_end "$data/server.log"; die "Postgres did not start; its log is $data/server.log"; }
    port="$(free_port $((port + 1)))"
    say "that port has just been taken; starting Postgres on 127.0.0.1:$port"
  done
  echo "$port" >"$state/run/postgres.port"
}

# stop_cluster DATA: its last checkpoint may take a while.
stop_cluster() {
  local bin
  cluster_runs "$1" || return 0
  bin="$(server_bin "$1")" || exit 1
  as_postgres "$bin/pg_ctl" -D "$1" -m fast -w -t 120 -s stop >/dev/null 2>&1 || true
  ! cluster_runs "$1" || die "Postgres has not stopped in 2 minutes; its log is $1/server.log. Try again later."
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
  # Postgres as root runs under its own user, who must be able to reach its data. Not where a state that was removed by hand had it.
  if [ "$(id -u)" -eq 0 ] && ! as_postgres test -x "$(dirname "$state")" 2>/dev/null; then
    data="/var/lib/erm/$(random_hex 8)"
  elif [ "$(id -u)" -eq 0 ]; then
    chmod 711 "$state"
  fi
  (
    umask 077
    {
      printf 'data=%q\n' "$data"
      echo "superuser_password=$(random_hex)"
      for role in "${service_roles[@]}"; do echo "${role}_password=$(random_hex)"; done
    } >"$state/settings.new"
  )
  mv "$state/settings.new" "$state/settings"
}

# read_settings STATE: the variables of make_settings.
read_settings() {
  [ -f "$1/settings" ] || die "$1 has never been started; begin with compose/up"
  source "$1/settings" || die "$1/settings cannot be read; see above"
  # A folder that was moved has its cluster in it still.
  [ -f "$data/PG_VERSION" ] || [ ! -f "$1/postgres/PG_VERSION" ] || data="$1/postgres"
}

# need_data STATE: that the cluster is there, which a disk that is not mounted would hide: never to be replaced by an empty one.
need_data() {
  [ -f "$data/PG_VERSION" ] ||
    die "the database of $1 is not in $data. Is a disk not mounted? Put it back, or restore a backup into another folder with compose/restore."
}

# hide_password ARGUMENTS…: where the URL after --database holds a password, runs this command anew without it, with PGPASSWORD instead:
# every user of the machine can read arguments in the list of processes.
hide_password() {
  local arguments=("$@") place password=""
  for place in "${!arguments[@]}"; do
    [ "$place" -gt 0 ] && [ "${arguments[place - 1]}" = --database ] || continue
    if [[ "${arguments[place]}" =~ ^(postgres(ql)?://[^/@:]*):([^/@]+)@(.*)$ ]]; then
      password="${BASH_REMATCH[3]}" arguments[place]="${BASH_REMATCH[1]}@${BASH_REMATCH[4]}"
    elif [[ "${arguments[place]}" =~ ^(postgres(ql)?://.*[?&])password=([^&]+)\&?(.*)$ ]]; then
      password="${BASH_REMATCH[3]}" arguments[place]="${BASH_REMATCH[1]}${BASH_REMATCH[4]}"
    elif [[ "${arguments[place]}" =~ (^|[[:space:]])password[[:space:]]*= ]]; then
      die "give the password by PGPASSWORD, not with --database: every user of the machine can read it in the list of processes"
    fi
  done
  [ -n "$password" ] || return 0
  password="${password//\\/\\\\}"
  printf -v PGPASSWORD '%b' "${password//%/\\x}"
  export PGPASSWORD
  exec "$BASH" "$0" "${arguments[@]}"
}

# psql_set NAME VALUE: psql's command that gives a variable just this value, whatever is in it.
psql_set() {
  local value="${2//\\/\\\\}" quote="'"
  value="${value//$quote/$quote$quote}"
  printf "\\\\set %s '%s'\n" "$1" "${value//$'\n'/\\n}"
}

# password_variables: psql's variables of roles.sql, from those of the same names here.
password_variables() {
  local role variable
  for role in "${service_roles[@]}"; do
    variable="${role}_password"
    psql_set "$variable" "${!variable}"
  done
}

# make_roles URL: every service's role and schema, with the passwords of the variables <role>_password.
make_roles() {
  # Passwords by standard input: arguments can be read by every user of the machine.
  { password_variables && cat "$repo/compose/roles.sql"; } | psql -q -X "$1" -f - >/dev/null
}

# one_of STATE DATABASE CONTAINERS: that only one of the options was given.
one_of() {
  local given=0
  [ -z "$1" ] || given=$((given + 1))
  [ -z "$2" ] || given=$((given + 1))
  [ "$3" = no ] || given=$((given + 1))
  [ "$given" -le 1 ] || die "only one of --state, --containers and --database"
}

# docker_compose ARGUMENTS…: as the first version of Compose is called, or the second, whichever is installed.
docker_compose() {
  if command -v docker-compose >/dev/null; then
    docker-compose -f "$repo/compose/docker-compose.yml" "$@"
  else
    docker compose -f "$repo/compose/docker-compose.yml" "$@"
  fi
}

# in_postgres PROGRAM…: in the running container; its superuser needs no password on the container's own socket.
in_postgres() { docker_compose exec -T -e PGUSER=postgres postgres "$@"; }

# in_secrets PROGRAM…: in a container that has the volume of all keys.
in_secrets() { docker_compose run --rm -T --no-deps secrets "$@"; }

# need_containers: that Compose is there.
need_containers() {
  command -v docker-compose >/dev/null || docker compose version >/dev/null 2>&1 ||
    die "neither docker-compose nor 'docker compose' is installed"
}

# postgres_tool PROGRAM ARGUMENTS…: one of Postgres' programs, in the container where `containers` says so, else in the folder `bin`.
postgres_tool() {
  if [ "$containers" = yes ]; then in_postgres "$@"; else "$bin/$1" "${@:2}"; fi
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
