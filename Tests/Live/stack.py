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
import random
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
# Of compose/test's build, where the variable names no other folder.
BINARIES = pathlib.Path(os.environ.get("ERM_BINARIES", REPOSITORY / ".build" / "debug"))
SERVICES = ("tenant-admin", "ml-training", "ml-prediction", "gateway")
# Tenants are subdomains of this name, too.
BASE_DOMAIN = "localhost"
# A smaller company than the demo one, large enough for a model that passes its gates.
COMPANY = {"employees": 60, "projects": 16, "days": 540}
# How long what must come is waited for: far longer than it takes on a slow machine.
PATIENCE_SECONDS = 240


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

    def __init__(self, folder: pathlib.Path, nodes: dict[str, int], tls: bool = False):
        self.folder = folder
        self.tls = tls
        self.processes: dict[str, subprocess.Popen] = {}
        # A service's first node has its name, the others a number behind it: gateway, gateway-2.
        self.service_of = {
            name if number == 1 else f"{name}-{number}": name
            for name in SERVICES for number in range(1, nodes.get(name, 1) + 1)
        }
        self.ports = {node: _free_port() for node in self.service_of}
        self.operations = {node: _free_port() for node in self.service_of}
        self.url = self.url_of("gateway")
        self.operator_key = ""
        self._databases: dict[str, str] = {}
        self._settings: dict[str, str] = {}

    @classmethod
    @contextlib.contextmanager
    def running(cls, generous: bool = False, nodes: dict[str, int] | None = None, tls: bool = False, **settings: str):
        """generous: no limits of request rates; nodes: how many of a service, where not one; tls: gateways take requests by TLS only,
        with a certificate that this process trusts from then on; settings: further environment variables of all services."""
        # What runs in the background is ended like this; nothing that was started may stay.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended by SIGTERM"))
        folder = pathlib.Path(tempfile.mkdtemp(prefix="erm-live-"))
        folder.chmod(0o711)
        stack = cls(folder, nodes or {}, tls)
        try:
            if generous:
                settings["GATEWAY_CONFIG_FILE"] = str(stack._generous_table())
            stack._settings = settings
            stack._start()
            yield stack
        except BaseException:
            stack._show_logs()
            raise
        finally:
            stack._stop()
            shutil.rmtree(folder, ignore_errors=True)

    # --- What a check asks for ---------------------------------------------------------------------------------------

    def quickstart(self, subdomain: str, company: dict | None = None) -> Tenant:
        """A tenant with a made-up company's history and a model trained on it in service; `company` differs from the demo one."""
        data = self.folder / f"data-{subdomain}"
        settings = self.folder / "company.json"
        company = json.loads((REPOSITORY / "compose" / "demo-data.json").read_text()) | (COMPANY if company is None else company)
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

    def ermctl(self, *arguments: str) -> str:
        """What a command of the platform operator prints."""
        return self._run(
            [self._binary("ermctl"), *arguments, "--url", self.url, "--operator-key-file", self.folder / "keys" / "operator.key"],
            ERM_HOME=str(self.folder / "ermctl"))

    def get(self, path: str, token: str | None = None) -> tuple[int, dict[str, str], bytes]:
        """GET of a path below the gateway's URL: status, headers, body."""
        request = urllib.request.Request(self.url + path)
        if token:
            request.add_header("Authorization", f"Bearer {token}")
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE_SECONDS) as answer:
                return answer.status, dict(answer.headers), answer.read()
        except urllib.error.HTTPError as error:
            return error.code, dict(error.headers), error.read()

    def url_of(self, node: str) -> str:
        scheme = "https" if self.tls and self.service_of[node] == "gateway" else "http"
        return f"{scheme}://127.0.0.1:{self.ports[node]}"

    def stop(self, node: str, how: signal.Signals = signal.SIGTERM) -> None:
        """Ends one node, by default as an operator would."""
        process = self.processes.pop(node)
        process.send_signal(how)
        process.wait(timeout=PATIENCE_SECONDS)

    def start(self, node: str) -> None:
        """Starts a node that was ended, at its old address."""
        self._start_node(node)
        self._wait_until_ready(node)

    def rotate_keys(self) -> None:
        """New keys for all services; returns once each of them reads its files again.

        Not once each has said that its keys were replaced: a service that is asked by a new key has read them before."""
        with self._taken_over("Reloading configuration", list(self.processes)):
            self._run([self._binary("ermctl"), "keys", "rotate", "--directory", self.folder / "keys"])

    def change_table(self, line: str) -> None:
        """Another last line in gateway.yaml; returns once the gateways have put it in force. Needs `generous`."""
        table = self.folder / "gateway.yaml"
        with self._taken_over("Configuration replaced", self._gateways()):
            text = self._table + line + "\n"
            (self.folder / "next.yaml").write_text(text)
            (self.folder / "next.yaml").rename(table)

    def replace_certificate(self) -> None:
        """Another certificate and key of the same authority; returns once the gateways answer with it. Needs `tls`."""
        with self._taken_over("Certificate replaced", self._gateways()):
            self._make_certificate()

    @contextlib.contextmanager
    def _taken_over(self, phrase: str, nodes: list[str]):
        """Makes nodes read again what has changed in the block, and waits until each has said so in its log."""
        before = {node: self._logged(node) for node in nodes}
        yield
        for node in nodes:
            self.processes[node].send_signal(signal.SIGHUP)
        end = time.monotonic() + PATIENCE_SECONDS
        for node, position in before.items():
            while time.monotonic() < end:
                with open(self.folder / f"{node}.log", "rb") as log:
                    log.seek(position)
                    if f'"{phrase}"'.encode() in log.read():
                        break
                time.sleep(0.005)
            else:
                raise RuntimeError(f"{node} has not said within {PATIENCE_SECONDS} s: {phrase}")

    def _logged(self, node: str) -> int:
        return (self.folder / f"{node}.log").stat().st_size

    def _gateways(self) -> list[str]:
        return [node for node in self.processes if self.service_of[node] == "gateway"]

    def metrics(self, node: str) -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.operations[node]}/metrics", timeout=PATIENCE_SECONDS) as answer:
            return answer.read().decode()

    def query(self, statement: str) -> str:
        """What a statement gives in the database, past all row security: a line a row, columns between |."""
        return self._run(["psql", "-X", "-q", "-A", "-t", f"{self._superuser}/erm", "-c", statement])

    def _generous_table(self) -> pathlib.Path:
        table = (REPOSITORY / "gateway-config" / "gateway.yaml").read_text()
        rates = re.compile(r"\{ perSecond: \d+, burst: \d+ \}")
        path = self.folder / "gateway.yaml"
        self._table = rates.sub("{ perSecond: 100000, burst: 100000 }", table)
        path.write_text(self._table)
        return path

    def _make_authority(self) -> None:
        self._run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                   "-subj", "/CN=live checks", "-keyout", self.folder / "authority.key", "-out", self.folder / "authority.pem"])
        # Read by every client of this process from here on.
        os.environ["SSL_CERT_FILE"] = str(self.folder / "authority.pem")
        self._make_certificate()

    def _make_certificate(self) -> None:
        """While only one of the two files is new, gateways keep what is in force."""
        names = {name: self.folder / f"next.{name}" for name in ("key", "csr", "pem", "ext")}
        names["ext"].write_text("subjectAltName=IP:127.0.0.1\n")
        self._run(["openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=127.0.0.1",
                   "-keyout", names["key"], "-out", names["csr"]])
        self._run(["openssl", "x509", "-req", "-in", names["csr"], "-CA", self.folder / "authority.pem", "-CAkey",
                   self.folder / "authority.key", "-CAcreateserial", "-days", "2", "-extfile", names["ext"], "-out", names["pem"]])
        names["key"].rename(self.folder / "gateway.key")
        names["pem"].rename(self.folder / "gateway.pem")

    # --- Starting and stopping ---------------------------------------------------------------------------------------

    def _start(self) -> None:
        self._run([self._binary("ermctl"), "keys", "generate", "--directory", self.folder / "keys"])
        self.operator_key = (self.folder / "keys" / "operator.key").read_text().strip()
        if self.tls:
            self._make_authority()
        self.database_port = _free_port()
        password = secrets.token_hex(16)
        self._lib(f'make_cluster "$DATA" {password}', f'start_cluster "$DATA" {self.database_port} "-c fsync=off"')
        self._superuser = f"postgresql://erm:{password}@127.0.0.1:{self.database_port}"
        self._run(["psql", "-X", "-q", f"{self._superuser}/postgres", "-c", "create database erm"])
        roles = {service: secrets.token_hex(16) for service in SERVICES}
        variables = [
            part for service, secret in roles.items()
            for part in ("-v", f"{service.replace('-', '_')}_password={secret}")
        ]
        self._run(["psql", "-X", "-q", f"{self._superuser}/erm", *variables, "-f", REPOSITORY / "compose" / "roles.sql"])
        self._databases = {
            service: f"postgresql://erm_{service.replace('-', '_')}:{secret}@127.0.0.1:{self.database_port}/erm"
            for service, secret in roles.items()
        }
        for node in self.service_of:
            self._start_node(node)
        for node in self.service_of:
            self._wait_until_ready(node)

    def _start_node(self, node: str) -> None:
        keys = self.folder / "keys"
        service = self.service_of[node]
        environment = {
            "PATH": os.environ["PATH"],
            "HTTP_HOST": "127.0.0.1", "HTTP_PORT": str(self.ports[node]),
            "OPS_HOST": "127.0.0.1", "OPS_PORT": str(self.operations[node]),
            "DATABASE_URL": self._databases[service], "MIGRATIONS_DIRECTORY": str(REPOSITORY / "migrations"),
            "IDENTITY_KEY_FILE": str(keys / f"{service}.key"), "IDENTITY_JWKS_FILE": str(keys / "jwks.json"),
            **{
                f"{name.replace('-', '_').upper()}_URL": ",".join(
                    self.url_of(other) for other, of in self.service_of.items() if of == name)
                for name in SERVICES if name != "gateway"
            },
            **self._settings,
        }
        if service == "gateway":
            environment.setdefault("GATEWAY_CONFIG_FILE", str(REPOSITORY / "gateway-config" / "gateway.yaml"))
            environment.setdefault("PUBLIC_BASE_DOMAIN", BASE_DOMAIN)
            environment["OPERATOR_KEY_DIGEST_FILE"] = str(keys / "operator.key.sha256")
            if self.tls:
                environment["TLS_CERTIFICATE_FILE"] = str(self.folder / "gateway.pem")
                environment["TLS_KEY_FILE"] = str(self.folder / "gateway.key")
        else:
            environment.pop("GATEWAY_CONFIG_FILE", None)
        with open(self.folder / f"{node}.log", "ab") as log:
            self.processes[node] = subprocess.Popen(
                [self._binary(service)], env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )

    def _wait_until_ready(self, node: str) -> None:
        url = f"http://127.0.0.1:{self.operations[node]}/readyz"
        said = "no answer"
        end = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < end:
            if self.processes[node].poll() is not None:
                raise RuntimeError(f"{node} stopped")
            try:
                with urllib.request.urlopen(url, timeout=5):
                    return
            except urllib.error.HTTPError as error:
                said = error.read().decode()
            except OSError as error:
                said = str(error)
            time.sleep(0.1)
        raise RuntimeError(f"{node} is not ready after {PATIENCE_SECONDS} s: {said}")

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
        for node in self.service_of:
            log = self.folder / f"{node}.log"
            if log.exists():
                lines = [line for line in log.read_text(errors="replace").splitlines() if '"level":"info"' not in line]
                print(f"--- {node}", *lines[-15:], sep="\n")

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

    def _run(self, command: list, check: bool = True, **environment: str) -> str:
        done = subprocess.run(
            [str(part) for part in command], env={**os.environ, **environment}, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )
        if check and done.returncode != 0:
            name = pathlib.Path(str(command[0])).name
            raise RuntimeError(f"{name} ended with {done.returncode}:\n{done.stdout[-2000:]}")
        return done.stdout


_given: set[int] = set()


def _free_port() -> int:
    """Below the ports that the system gives to connections, one of which could come before the server; and below those that Swift's tests
    take (Tests/TestSupport/FreePort.swift). Each is given once."""
    while True:
        port = random.SystemRandom().randrange(10_000, 20_000)
        if port in _given:
            continue
        _given.add(port)
        with socket.socket() as listener:
            try:
                listener.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue
