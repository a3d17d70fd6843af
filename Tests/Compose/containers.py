"""Stands in for Docker Compose: a private Postgres as its image has it, and the volume of keys as a folder."""

import contextlib
import os
import pathlib
import shutil
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from installation import Installation  # noqa: E402

# exec, up and run as compose/backup and compose/restore call them; the containers' paths lead into FOLDER.
COMPOSE = r'''#!/usr/bin/env bash
set -euo pipefail
[ "$1" = -f ] && shift 2
inside() { local word words=(); for word in "$@"; do words+=("$(sed "s#/secrets#$FOLDER/secrets#g; s#/docker-entrypoint-initdb.d#$FOLDER#g" <<<"$word")"); done; "${words[@]}"; }
case "$*" in
  "up -d postgres") ;;
  "exec -T "*)
    shift 2
    while [ "$1" = -e ]; do export "$2"; shift 2; done
    [ "$1" = postgres ] && shift
    inside "$@"
    ;;
  "run --rm -T --no-deps secrets") echo >>"$FOLDER/handed-out" ;;
  "run --rm -T --no-deps secrets "*) shift 5; inside "$@" ;;
  *) echo "not stood in for: $*" >&2; exit 64 ;;
esac
'''


class Containers:
    """Made by running(); what it starts ends with it."""

    def __init__(self, installation: Installation, folder: pathlib.Path):
        self.installation = installation
        # sed has no spaces in what it puts in.
        self.folder = folder.with_name(folder.name.replace(" ", "-"))

    @classmethod
    @contextlib.contextmanager
    def running(cls, installation: Installation, folder: pathlib.Path):
        containers = cls(installation, folder)
        try:
            containers._start()
            yield containers
        finally:
            installation.shell('stop_cluster "$DATA"', DATA=str(containers.folder / "postgres"))
            shutil.rmtree(containers.folder, ignore_errors=True)

    def _start(self) -> None:
        self.folder.mkdir(mode=0o711)
        (self.folder / "secrets" / "keys").mkdir(parents=True)
        (self.folder / "secrets" / "keys" / "operator.key").write_text("erm_op_new\n")
        for role in ("gateway", "tenant_admin", "ml_training", "ml_prediction"):
            (self.folder / "secrets" / f"{role}.password").write_text("secret")
        compose = self.installation.repository / "compose"
        script = (compose / "postgres-roles.sh").read_text()
        script = script.replace("/secrets/", f"{self.folder}/secrets/").replace("/roles.sql", f"{self.folder}/roles.sql")
        (self.folder / "roles.sh").write_text(script)
        shutil.copy(compose / "roles.sql", self.folder / "roles.sql")
        program = self.installation.stand_ins / "docker-compose"
        program.write_text(COMPOSE)
        program.chmod(0o755)
        self.port = self.installation.shell("free_port 26400").strip()
        # As the image does: a superuser who needs no password on the socket, and the database with the services' roles.
        self.installation.shell(
            'bin="$(postgres_bin)"; mkdir "$DATA"; [ "$(id -u)" -ne 0 ] || chown postgres "$DATA"; '
            'as_postgres "$bin/initdb" -D "$DATA" -U postgres --auth-local=trust --auth-host=scram-sha-256 --pwfile=<(echo x) '
            "--encoding=UTF8 --locale=C.UTF-8 >/dev/null 2>&1 || "
            'as_postgres "$bin/initdb" -D "$DATA" -U postgres --auth-local=trust --auth-host=reject --encoding=UTF8 --locale=C.UTF-8 >/dev/null; '
            "as_postgres \"$bin/pg_ctl\" -D \"$DATA\" -w -s -l \"$DATA/server.log\" -o \"-p $PORT -c listen_addresses=127.0.0.1 "
            "-c unix_socket_directories='$DATA' -c fsync=off\" start >/dev/null; "
            'psql -qX -U postgres -h "$DATA" -p "$PORT" -c "CREATE DATABASE erm" postgres; bash "$ROLES"',
            DATA=str(self.folder / "postgres"), PORT=self.port, ROLES=str(self.folder / "roles.sh"), **self._environment,
        )

    @property
    def _environment(self) -> dict[str, str]:
        return {
            "FOLDER": str(self.folder), "PGHOST": str(self.folder / "postgres"), "PGPORT": self.port, "POSTGRES_USER": "postgres",
            "POSTGRES_DB": "erm", "PATH": f"{self._programs}:{self.installation.environment['PATH']}",
        }

    @property
    def _programs(self) -> str:
        return self.installation.shell("postgres_bin").strip()

    def command(self, name: str, *arguments, check: bool = True) -> subprocess.CompletedProcess:
        return self.installation.command(name, *arguments, check=check, **self._environment)

    def sql(self, statement: str) -> str:
        done = subprocess.run(
            ["psql", "-qtAX", "-U", "postgres", "-d", "erm", "-c", statement], check=True, stdout=subprocess.PIPE, text=True,
            env={**os.environ, **self._environment},
        )
        return done.stdout.strip()

    def key(self, name: str) -> str:
        return (self.folder / "secrets" / "keys" / name).read_text()

    @property
    def handed_out(self) -> int:
        """How often the services have been given their keys."""
        file = self.folder / "handed-out"
        return len(file.read_text().splitlines()) if file.exists() else 0
