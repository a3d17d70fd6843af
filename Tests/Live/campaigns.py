"""Races, crashes and changes under load, against several nodes of a service:

    sessions   refreshes, replays and logouts that race on three gateway nodes: never two living successors of one token
    reloads    configuration read again and keys rotated under load: no request fails
    nodes      prediction nodes killed, hung and added under load: no idempotent request fails, each acknowledged prediction is
               in the log exactly once, and the nodes share the work

    .build/live/bin/python Tests/Live/campaigns.py [NAME ...] [--refreshes N] [--reloads N] [--rotations N] [--seconds N]

The defaults are small enough for compose/test. Prints `name=value` lines.
"""

import argparse
import concurrent.futures
import itertools
import random
import secrets
import signal
import sys
import threading
import time
import uuid

from load import Caller, Load
from stack import Stack

PASSWORD = "a campaign of requests"


def make_tenant(stack: Stack, subdomain: str) -> str:
    status, made = Caller(stack.url, stack.operator_key).send("POST", "/tenants", {
        "name": subdomain, "subdomain": subdomain, "plan": "enterprise", "adminEmail": "a@x.example",
        "adminPassword": PASSWORD})
    assert status == 201, made
    return made["data"]["id"]


def log_in(url: str, tenant: str) -> dict:
    status, made = Caller(url).send(
        "POST", "/auth/login", {"email": "a@x.example", "password": PASSWORD}, **{"X-Tenant-ID": tenant})
    assert status == 200, made
    return made["data"]


# --- Sessions ------------------------------------------------------------------------------------------------------------


def sessions(options) -> None:
    with Stack.running(generous=True, nodes={"gateway": 3}) as stack:
        nodes = [stack.url_of(node) for node, of in stack.service_of.items() if of == "gateway"]
        tenant = make_tenant(stack, "races")
        threads = 6
        callers = [[Caller(url) for url in nodes] for _ in range(threads)]
        count, rounds, started = 0, 0, time.monotonic()
        with concurrent.futures.ThreadPoolExecutor(threads) as pool:
            while count < options.refreshes:
                family = [log_in(random.choice(nodes), tenant)["refreshToken"]]
                for _ in range(random.randint(5, 25)):
                    rounds += 1
                    ends = random.random() < 0.05
                    answers = race(pool, callers, family[-1], family[:-1], ends)
                    count += len(answers)
                    given = {answer["data"]["refreshToken"] for kind, status, answer in answers
                             if kind == "refresh" and status == 200}
                    assert len(given) <= 1, f"one token has {len(given)} successors"
                    if ends:
                        for token in [*family, *given]:
                            count += 1
                            status, _ = callers[0][0].send("POST", "/auth/refresh", {"refreshToken": token})
                            assert status == 401, f"a token works after its session's logout: {status}"
                        break
                    if not given:
                        break
                    family += given
                else:
                    copied(stack, callers[0][0], family)
        forks = stack.query(
            "SELECT session_id, count(*) FROM gateway.refresh_tokens t JOIN gateway.sessions s ON s.id = t.session_id "
            "WHERE t.used_at IS NULL AND s.revoked_at IS NULL GROUP BY session_id HAVING count(*) > 1")
        assert not forks.strip(), f"sessions with two living tokens: {forks}"
        print(f"sessions.requests={count}\nsessions.rounds={rounds}\nsessions.forks=0\n"
              f"sessions.seconds={time.monotonic() - started:.0f}")


def race(pool, callers, token: str, older: list[str], ends: bool) -> list[tuple[str, int, dict]]:
    """Everybody at once: the newest token on all nodes, now and then one used before, and a logout."""
    kinds = ["refresh"] * 4 + (["replay"] if older and random.random() < 0.3 else []) + (["logout"] if ends else [])
    random.shuffle(kinds)

    def ask(index: int, kind: str):
        with_token = random.choice(older) if kind == "replay" else token
        path = "/auth/logout" if kind == "logout" else "/auth/refresh"
        status, answer = random.choice(callers[index]).send("POST", path, {"refreshToken": with_token})
        assert status in (200, 204, 401), f"{kind}: {status} {answer}"
        return kind, status, answer

    return list(pool.map(ask, range(len(kinds)), kinds))


def copied(stack: Stack, caller: Caller, family: list[str]) -> None:
    """A token used again after the grace was copied: it ends the session, the newest token included."""
    stack.query("UPDATE gateway.refresh_tokens SET used_at = used_at - interval '11 seconds' WHERE used_at IS NOT NULL")
    for token in (family[0], family[-1]):
        status, _ = caller.send("POST", "/auth/refresh", {"refreshToken": token})
        assert status == 401, f"a copied token's session goes on: {status}"


# --- Reloads -------------------------------------------------------------------------------------------------------------


def reloads(options) -> None:
    with Stack.running(generous=True) as stack:
        tenant = make_tenant(stack, "reloads")
        token = log_in(stack.url, tenant)["accessToken"]

        def make_ask(index: int):
            caller = Caller(stack.url, token)

            def ask() -> None:
                status, answer = caller.send("GET", "/employees?limit=5" if index % 2 else "/auth/me")
                assert status == 200, f"{status} {answer}"
            return ask

        with Load(4, make_ask) as load:
            for _ in range(options.reloads):
                stack.processes["gateway"].send_signal(signal.SIGHUP)
                time.sleep(0.01)
            for number in range(options.rotations):
                stack.rotate_keys()
                time.sleep(options.pause)
                # What was signed with the old keys has run out by the time they go, as docs/operations.md says.
        load.require_fine("reloads and rotations")
        status, _ = Caller(stack.url, token).send("GET", "/employees")
        assert status == 200, "an access token outlives a rotation"
        print(f"reloads.reloads={options.reloads}\nreloads.rotations={options.rotations}\nreloads.requests={load.asked}\n"
              f"reloads.failed=0")


# --- Nodes ---------------------------------------------------------------------------------------------------------------


def nodes(options) -> None:
    with Stack.running(generous=True, nodes={"ml-prediction": 3}) as stack:
        tenant = stack.quickstart("nodes")
        owner = Caller(stack.url, tenant.access_token)
        person, project = (owner.send("GET", f"/{kind}?limit=1")[1]["data"][0]["id"] for kind in ("employees", "projects"))
        acknowledged: dict[str, str] = {}
        lock = threading.Lock()
        names = [node for node, of in stack.service_of.items() if of == "ml-prediction"]

        def make_ask(_: int):
            caller = Caller(stack.url, tenant.access_token)

            def ask() -> None:
                key = str(uuid.uuid4())
                status, answer = caller.send(
                    "POST", "/predictions", {"employeeId": person, "projectId": project, "plannedHours": 8},
                    **{"Idempotency-Key": key})
                assert status in (200, 201), f"{status} {answer}"
                with lock:
                    acknowledged[key] = answer["data"]["predictionId"]
            return ask

        with Load(6, make_ask) as load:
            until = time.monotonic() + options.seconds
            for node in itertools.cycle(names):
                if time.monotonic() > until:
                    break
                time.sleep(1.5)
                if random.random() < 0.5:
                    stack.stop(node, signal.SIGKILL)
                    time.sleep(1)
                    stack.start(node)
                else:
                    stack.processes[node].send_signal(signal.SIGSTOP)
                    time.sleep(1)
                    stack.processes[node].send_signal(signal.SIGCONT)
        load.require_fine("nodes killed and hung")
        ids = list(acknowledged.values())
        assert len(set(ids)) == len(ids), "two keys got one prediction"
        logged = set(stack.query("SELECT id FROM ml_prediction.predictions").split())
        lost = [key for key in ids if key not in logged]
        assert not lost, f"{len(lost)} acknowledged predictions are not in the log"
        shares = share(stack, names, make_ask)
        print(f"nodes.predictions={len(ids)}\nnodes.lost=0\nnodes.failed=0\nnodes.least_share={min(shares):.3f}\n"
              f"nodes.largest_share={max(shares):.3f}")


def share(stack: Stack, names: list[str], make_ask) -> list[float]:
    """How the nodes that are all well share the work, once those that came back get their full share again."""
    shares: list[float] = []
    with Load(6, make_ask):
        for _ in range(8):
            before = [answered(stack, node) for node in names]
            time.sleep(4)
            done = [answered(stack, node) - old for node, old in zip(names, before)]
            shares = [count / max(1, sum(done)) for count in done]
            if min(shares) > 0.2:
                break
    assert min(shares) > 0.2, f"the nodes do not share the work: {shares}"
    return shares


def answered(stack: Stack, node: str) -> int:
    """How many predictions a node has answered, as its metrics say."""
    lines = stack.metrics(node).splitlines()
    return sum(int(line.rsplit(" ", 1)[1]) for line in lines
               if line.startswith("http_server_requests_total") and 'method="POST"' in line and "predictions" in line)


CAMPAIGNS = {"sessions": sessions, "reloads": reloads, "nodes": nodes}


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("names", nargs="*", choices=[*CAMPAIGNS, []], metavar="NAME")
    arguments.add_argument("--refreshes", type=int, default=1500)
    arguments.add_argument("--reloads", type=int, default=100)
    arguments.add_argument("--rotations", type=int, default=5)
    arguments.add_argument("--pause", type=float, default=0.5, help="seconds between two rotations")
    arguments.add_argument("--seconds", type=float, default=20, help="of nodes killed and hung")
    arguments.add_argument("--seed", type=int, default=secrets.randbits(32))
    options = arguments.parse_args()
    random.seed(options.seed)
    print(f"seed={options.seed}")
    for name in options.names or CAMPAIGNS:
        CAMPAIGNS[name](options)


if __name__ == "__main__":
    sys.exit(main())
