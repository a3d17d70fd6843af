"""The whole platform for a check from outside: a private Postgres and the four services on free ports of the loopback.

    with Stack.running() as stack:
        stack.url            # http://127.0.0.1:PORT of the gateway
        stack.operator_key   # the platform operator's bearer token
        tenant = stack.quickstart("acme")   # history imported, a model trained and deployed
        tenant.id, tenant.email, tenant.password, tenant.access_token

Uses the debug binaries that compose/test has built, and compose/lib.sh for Postgres.
"""

import contextlib
import dataclasses
import json
import os
import pathlib
import re
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
BINARIES = REPOSITORY / ".build" / "debug"
SERVICES = ("tenant-admin", "ml-training", "ml-prediction", "gateway")
# A smaller company than the demo one, large enough for a model that passes its gates.
COMPANY = {"employees": 60, "projects": 16, "days": 540}


@dataclasses.dataclass
class Tenant:
    id: str
    subdomain: str
    email: str
    password: str
    access_token: str
    model_id: str
    prediction: dict


class Stack:
    """Made by running(); everything it starts ends with it."""

    def __init__(self, folder: pathlib.Path):
        self.folder = folder
        self.processes: dict[str, subprocess.Popen] = {}
        self.ports = {name: _free_port() for name in SERVICES}
        self.operations = {name: _free_port() for name in SERVICES}
        self.url = f"http://127.0.0.1:{self.ports['gateway']}"
        self.operator_key = ""

    @classmethod
    @contextlib.contextmanager
    def running(cls, generous: bool = False, **settings: str):
        """generous: no limits of request rates; settings: further environment variables of all services."""
        folder = pathlib.Path(tempfile.mkdtemp(prefix="erm-live-"))
        folder.chmod(0o711)
        stack = cls(folder)
        try:
            if generous:
                settings["GATEWAY_CONFIG_FILE"] = str(stack._generous_table())
            stack._start(settings)
            yield stack
        except BaseException:
            stack._show_logs()
            raise
        finally:
            stack._stop()
            shutil.rmtree(folder, ignore_errors=True)

    # --- What a check asks for ---------------------------------------------------------------------------------------

    def quickstart(self, subdomain: str) -> Tenant:
        """A tenant with a made-up company's history and a model trained on it in service."""
        data = self.folder / f"data-{subdomain}"
        settings = self.folder / "company.json"
        company = json.loads((REPOSITORY / "compose" / "demo-data.json").read_text()) | COMPANY
        settings.write_text(json.dumps(company))
        self._run([self._binary("ermctl"), "demo-data", "--directory", data, "--settings", settings])
        result = self.folder / f"{subdomain}.json"
        self._run(
            [
                self._binary("ermctl"), "quickstart", "--url", self.url,
                "--operator-key-file", self.folder / "keys" / "operator.key",
                "--data", data, "--tenant", subdomain, "--credentials", self.folder / "logins", "--json", result,
            ],
            ERM_HOME=str(self.folder / "ermctl"),
        )
        told = json.loads(result.read_text())
        login = json.loads(pathlib.Path(told["loginFile"]).read_text())
        return Tenant(
            id=told["tenant"]["id"], subdomain=subdomain, email=login["email"], password=login["password"],
            access_token=told["accessToken"], model_id=told["model"]["id"], prediction=told["prediction"],
        )

    def get(self, path: str, token: str | None = None) -> tuple[int, dict[str, str], bytes]:
        """GET of a path below the gateway's URL: status, headers, body."""
        request = urllib.request.Request(self.url + path)
        if token:
            request.add_header("Authorization", f"Bearer {token}")
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, dict(answer.headers), answer.read()
        except urllib.error.HTTPError as error:
            return error.code, dict(error.headers), error.read()

    def stop(self, service: str) -> None:
        """Ends one service, as an operator would."""
        process = self.processes.pop(service)
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=60)

    def _generous_table(self) -> pathlib.Path:
        table = (REPOSITORY / "gateway-config" / "gateway.yaml").read_text()
        rates = re.compile(r"\{ perSecond: \d+, burst: \d+ \}")
        path = self.folder / "gateway.yaml"
        path.write_text(rates.sub("{ perSecond: 100000, burst: 100000 }", table))
        return path

    # --- Starting and stopping ---------------------------------------------------------------------------------------

    def _start(self, settings: dict[str, str]) -> None:
        self._run([self._binary("ermctl"), "keys", "generate", "--directory", self.folder / "keys"])
        self.operator_key = (self.folder / "keys" / "operator.key").read_text().strip()
        self.database_port = _free_port()
        password = secrets.token_hex(16)
        self._lib(f'make_cluster "$DATA" {password}', f'start_cluster "$DATA" {self.database_port} "-c fsync=off"')
        superuser = f"postgresql://erm:{password}@127.0.0.1:{self.database_port}"
        self._run(["psql", "-X", "-q", f"{superuser}/postgres", "-c", "create database erm"])
        roles = {name: secrets.token_hex(16) for name in ("gateway", "tenant_admin", "ml_training", "ml_prediction")}
        variables = [part for name, secret in roles.items() for part in ("-v", f"{name}_password={secret}")]
        self._run(["psql", "-X", "-q", f"{superuser}/erm", *variables, "-f", REPOSITORY / "compose" / "roles.sql"])
        for service in SERVICES:
            role = service.replace("-", "_")
            database = f"postgresql://erm_{role}:{roles[role]}@127.0.0.1:{self.database_port}/erm"
            self._start_service(service, database, settings)
        for service in SERVICES:
            self._wait_until_ready(service)

    def _start_service(self, service: str, database: str, settings: dict[str, str]) -> None:
        keys = self.folder / "keys"
        environment = {
            "PATH": os.environ["PATH"],
            "HTTP_HOST": "127.0.0.1", "HTTP_PORT": str(self.ports[service]),
            "OPS_HOST": "127.0.0.1", "OPS_PORT": str(self.operations[service]),
            "DATABASE_URL": database, "MIGRATIONS_DIRECTORY": str(REPOSITORY / "migrations"),
            "IDENTITY_KEY_FILE": str(keys / f"{service}.key"), "IDENTITY_JWKS_FILE": str(keys / "jwks.json"),
            **{
                f"{name.replace('-', '_').upper()}_URL": f"http://127.0.0.1:{self.ports[name]}"
                for name in SERVICES if name != "gateway"
            },
            **settings,
        }
        if service == "gateway":
            environment.setdefault("GATEWAY_CONFIG_FILE", str(REPOSITORY / "gateway-config" / "gateway.yaml"))
            environment["OPERATOR_KEY_DIGEST_FILE"] = str(keys / "operator.key.sha256")
        else:
            environment.pop("GATEWAY_CONFIG_FILE", None)
        with open(self.folder / f"{service}.log", "ab") as log:
            self.processes[service] = subprocess.Popen(
                [self._binary(service)], env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )

    def _wait_until_ready(self, service: str) -> None:
        url = f"http://127.0.0.1:{self.operations[service]}/readyz"
        said = "no answer"
        for _ in range(600):
            if self.processes[service].poll() is not None:
                raise RuntimeError(f"{service} stopped")
            try:
                with urllib.request.urlopen(url, timeout=5):
                    return
            except urllib.error.HTTPError as error:
                said = error.read().decode()
            except OSError as error:
                said = str(error)
            time.sleep(0.1)
        raise RuntimeError(f"{service} is not ready after a minute: {said}")

    def _stop(self) -> None:
        for process in reversed(self.processes.values()):
            process.send_signal(signal.SIGTERM)
        for process in self.processes.values():
            try:
                process.wait(timeout=60)
            except subprocess.TimeoutExpired:
                process.kill()
        if (self.folder / "postgres").exists():
            self._lib('stop_cluster "$DATA"', check=False)

    def _show_logs(self) -> None:
        for service in SERVICES:
            log = self.folder / f"{service}.log"
            if log.exists():
                lines = [line for line in log.read_text(errors="replace").splitlines() if '"level":"info"' not in line]
                print(f"--- {service}", *lines[-15:], sep="\n")

    @staticmethod
    def _binary(name: str) -> pathlib.Path:
        path = BINARIES / name
        if not path.exists():
            raise RuntimeError(f"{path} is missing: build with swift build first")
        return path

    def _lib(self, *commands: str, check: bool = True) -> None:
        script = "; ".join(['set -euo pipefail', 'source "$LIB"', *commands])
        self._run(
            ["bash", "-c", script], check=check, LIB=str(REPOSITORY / "compose" / "lib.sh"),
            DATA=str(self.folder / "postgres"),
        )

    def _run(self, command: list, check: bool = True, **environment: str) -> None:
        done = subprocess.run(
            [str(part) for part in command], env={**os.environ, **environment}, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )
        if check and done.returncode != 0:
            name = pathlib.Path(str(command[0])).name
            raise RuntimeError(f"{name} ended with {done.returncode}:\n{done.stdout[-2000:]}")


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]
