"""A copy of compose/ whose compiler, services and ermctl are small programs that stand in: no build, and a service that hangs, ends or
answers as a check wants it."""

import contextlib
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
SERVICES = ("tenant-admin", "ml-prediction", "ml-training", "gateway")

SWIFT = """#!/bin/sh
case "$*" in
  --version) echo "Swift version 6.2" ;;
  *--show-bin-path*) echo "$STAND_INS/bin" ;;
esac
"""

# Notes its start with its settings, answers on its operations port, and behaves as the files beside it say.
SERVICE = '''#!/usr/bin/env python3
import http.server, os, pathlib, signal, sys, time
name = pathlib.Path(sys.argv[0]).name
here = pathlib.Path(sys.argv[0]).parent.parent
if "--help" in sys.argv:
    for key in ("HTTP_PORT", "DATABASE_URL_FILE", "IDENTITY_KEY_FILE", "OPERATOR_KEY_DIGEST_FILE", "GATEWAY_CONFIG_FILE", "LOG_LEVEL"):
        print(f"  --flag  ({key})")
    sys.exit()
print(f"{name} speaks", flush=True)
# The real ones take it before DATABASE_URL_FILE.
if os.environ.get("DATABASE_URL"):
    sys.exit("another database")
if (here / f"{name}.ends").exists():
    sys.exit(3)
stubborn = (here / f"{name}.stubborn").exists()
signal.signal(signal.SIGTERM, (lambda *_: None) if stubborn else (lambda *_: os._exit(0)))
with open(here / "starts", "a") as file:
    file.write(f"{name} {os.getpid()} {os.environ['HTTP_PORT']} {os.environ.get('LOG_LEVEL', '')}\\n")
class Answer(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        while (here / f"{name}.silent").exists():
            time.sleep(0.1)
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()
    def log_message(self, *_):
        pass
http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["OPS_PORT"])), Answer).serve_forever()
'''

ERMCTL = """#!/bin/sh
# keys generate --directory DIR
[ "$1 $2" = "keys generate" ] || exit 64
mkdir -p "$4"
for service in gateway tenant-admin ml-training ml-prediction; do [ -e "$4/$service.key" ] || echo key >"$4/$service.key"; done
echo '{}' >"$4/jwks.json"
[ -e "$4/operator.key" ] || echo erm_op_1 >"$4/operator.key"
sha256sum <"$4/operator.key" >"$4/operator.key.sha256"
"""


class Installation:
    """Made by made(); everything it starts ends with it."""

    def __init__(self, folder: pathlib.Path):
        self.folder = folder
        self.repository = folder / "it's a copy"
        self.state = folder / "the state's folder"
        self.stand_ins = folder / "stand-ins"
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("PG")},
            "PATH": f"{self.stand_ins}:{os.environ['PATH']}", "STAND_INS": str(self.stand_ins), "NO_COLOR": "1",
        }

    @classmethod
    @contextlib.contextmanager
    def made(cls):
        folder = pathlib.Path(tempfile.mkdtemp(prefix="erm-compose-"))
        # Postgres' own user passes through it.
        folder.chmod(0o711)
        installation = cls(folder)
        try:
            installation._copy()
            yield installation
        finally:
            installation._end()
            shutil.rmtree(folder, ignore_errors=True)

    def _copy(self) -> None:
        for name in ("compose", "migrations"):
            shutil.copytree(REPOSITORY / name, self.repository / name)
        (self.repository / "Shared" / "Contracts").mkdir(parents=True)
        shutil.copy(REPOSITORY / "Shared" / "Contracts" / "Subdomain.swift", self.repository / "Shared" / "Contracts")
        (self.repository / "gateway-config").mkdir()
        (self.repository / "gateway-config" / "gateway.yaml").write_text("routes: []\n")
        self.stand_ins.mkdir()
        (self.stand_ins / "bin").mkdir()
        self._program("swift", SWIFT)
        self._program("bin/ermctl", ERMCTL)
        for service in SERVICES:
            self._program(f"bin/{service}", SERVICE)

    def _program(self, name: str, text: str) -> None:
        path = self.stand_ins / name
        path.write_text(text)
        path.chmod(0o755)

    def _end(self) -> None:
        for mark in self.stand_ins.glob("*.*"):
            mark.unlink()
        self.run("down", "--purge", check=False)
        # What a failed check has left: everything that was started here knows where the stand-ins are.
        mine = f"STAND_INS={self.stand_ins}".encode()
        for process in pathlib.Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if mine in (process / "environ").read_bytes().split(b"\0"):
                    os.kill(int(process.name), signal.SIGKILL)

    def run(self, name: str, *arguments, check: bool = True, state: pathlib.Path | None = None, **environment: str):
        """One of the commands, with --state."""
        return self.command(name, *arguments, "--state", state or self.state, check=check, **environment)

    def command(self, name: str, *arguments, check: bool = True, **environment: str) -> subprocess.CompletedProcess:
        """One of the commands just as it is called; its whole output in `stdout`."""
        done = subprocess.run(
            [self.repository / "compose" / name, *map(str, arguments)], env={**self.environment, **environment},
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=600,
        )
        if check and done.returncode != 0:
            raise AssertionError(f"compose/{name} {' '.join(map(str, arguments))} ended with {done.returncode}:\n{done.stdout}")
        return done

    def up(self, *arguments, check: bool = True, **environment: str) -> subprocess.CompletedProcess:
        return self.run("up", "--start-only", "--no-install", *arguments, check=check, **environment)

    def shell(self, script: str, **environment: str) -> str:
        """What a script prints that has lib.sh's functions."""
        done = subprocess.run(
            ["bash", "-c", f"set -euo pipefail; source compose/lib.sh; {script}"], cwd=self.repository, check=True,
            env={**self.environment, **environment}, stdout=subprocess.PIPE, text=True,
        )
        return done.stdout

    def sql(self, statement: str, database: str = "erm") -> str:
        """What the cluster's superuser is answered."""
        return self.shell(
            'read_settings "$STATE"; PGPASSWORD="$superuser_password" psql -qtAX -c "$SQL" '
            '"postgresql://erm@127.0.0.1:$(cat "$STATE/run/postgres.port")/$DATABASE"',
            STATE=str(self.state), SQL=statement, DATABASE=database,
        ).strip()

    def starts(self) -> list[list[str]]:
        """Every start of a service so far: name, process, port, LOG_LEVEL."""
        file = self.stand_ins / "starts"
        return [(line + " ").split(" ")[:4] for line in file.read_text().splitlines()] if file.exists() else []

    def process(self, service: str) -> int:
        """The newest of the service."""
        return int([start[1] for start in self.starts() if start[0] == service][-1])

    def port(self, service: str) -> int:
        """The newest of the service."""
        return int([start[2] for start in self.starts() if start[0] == service][-1])

    def supervisor(self, service: str) -> int:
        return int((self.state / "run" / f"{service}.pid").read_text())

    def mark(self, name: str) -> None:
        (self.stand_ins / name).touch()

    def unmark(self, name: str) -> None:
        (self.stand_ins / name).unlink()


def runs(process: int) -> bool:
    """Whether it runs and is not a zombie."""
    try:
        return pathlib.Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False
