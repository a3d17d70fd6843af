"""Races, crashes and changes under load, against several nodes of a service:

    sessions   refreshes, replays and logouts that race on three gateway nodes: never two living successors of one token
    reloads    configuration replaced and keys rotated under load, each in force before the next, and with --tls the certificate too:
               no request fails
    revocations
               rights taken away and sessions ended: each of three gateway nodes refuses what was let in, how soon is printed
    nodes      prediction nodes killed, hung, added and given other models under load (node_campaign.py): no idempotent request
               fails, each acknowledged prediction is in the log exactly once, soon nobody answers with the model before, and
               the nodes share the work

    .build/live/bin/python Tests/Live/campaigns.py [NAME ...] [--full] [--tls] [--refreshes N] [--reloads N] [--rotations N]
        [--revocations N] [--kills N]

The defaults are small enough for compose/test. --full: 100,000 requests that race, 1,000 reloads, 100 rotations, 1,000 revocations, 100
kills; `--full NAME` runs one campaign at that size. --tls: gateways take requests by TLS only (sessions, reloads). Prints `name=value`
lines.
"""

import argparse
import concurrent.futures
import random
import secrets
import sys
import time

from load import Caller, Load
from node_campaign import nodes
from stack import Stack

PASSWORD = "a campaign of requests"


def make_tenant(stack: Stack, subdomain: str) -> str:
    status, made = Caller(stack.url, stack.operator_key).send("POST", "/tenants", {
        "name": subdomain, "subdomain": subdomain, "plan": "enterprise", "adminEmail": "a@x.example",
        "adminPassword": PASSWORD})
    assert status == 201, made
    return made["data"]["id"]


def log_in(url: str, tenant: str) -> dict:
    # While many wait for their turn, or tenant-admin takes its time, a login is to be tried again.
    for _ in range(20):
        status, made = Caller(url).send(
            "POST", "/auth/login", {"email": "a@x.example", "password": PASSWORD}, **{"X-Tenant-ID": tenant})
        if status != 503:
            break
        time.sleep(1)
    assert status == 200, made
    return made["data"]


# --- Sessions ------------------------------------------------------------------------------------------------------------


def sessions(options) -> None:
    with Stack.running(generous=True, nodes={"gateway": 3}, tls=options.tls) as stack:
        nodes = [stack.url_of(node) for node, of in stack.service_of.items() if of == "gateway"]
        tenant = make_tenant(stack, "races")
        threads = 6
        callers = [[Caller(url) for url in nodes] for _ in range(threads)]
        count, rounds, unavailable, started = 0, 0, 0, time.monotonic()
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
                    unavailable += sum(status == 503 for _, status, _ in answers)
                    if any(kind == "logout" and status == 204 for kind, status, _ in answers):
                        for token in [*family, *given]:
                            count += 1
                            status = refreshed(callers[0][0], token)
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
        print(f"sessions.requests={count}\nsessions.rounds={rounds}\nsessions.forks=0\nsessions.unavailable={unavailable}\n"
              f"sessions.seconds={time.monotonic() - started:.0f}", flush=True)


def race(pool, callers, token: str, older: list[str], ends: bool) -> list[tuple[str, int, dict]]:
    """Everybody at once: the newest token on all nodes, now and then one used before, and a logout."""
    kinds = ["refresh"] * 4 + (["replay"] if older and random.random() < 0.3 else []) + (["logout"] if ends else [])
    random.shuffle(kinds)

    def ask(index: int, kind: str):
        with_token = random.choice(older) if kind == "replay" else token
        path = "/auth/logout" if kind == "logout" else "/auth/refresh"
        status, answer = random.choice(callers[index]).send("POST", path, {"refreshToken": with_token})
        # 503: that cannot be found out in time, on a machine that is too busy; nothing has changed then.
        assert status in (200, 204, 401, 503), f"{kind}: {status} {answer}"
        return kind, status, answer

    return list(pool.map(ask, range(len(kinds)), kinds))


def refreshed(caller: Caller, token: str) -> int:
    """What a refresh is answered with, once it is answered."""
    for _ in range(30):
        status, _ = caller.send("POST", "/auth/refresh", {"refreshToken": token})
        if status != 503:
            break
        time.sleep(1)
    return status


def copied(stack: Stack, caller: Caller, family: list[str]) -> None:
    """A token used again after the grace was copied: it ends the session, the newest token included."""
    stack.query("UPDATE gateway.refresh_tokens SET used_at = used_at - interval '11 seconds' WHERE used_at IS NOT NULL")
    for token in (family[0], family[-1]):
        status = refreshed(caller, token)
        assert status == 401, f"a copied token's session goes on: {status}"


# --- Reloads -------------------------------------------------------------------------------------------------------------


def reloads(options) -> None:
    with Stack.running(generous=True, tls=options.tls) as stack:
        tenant = make_tenant(stack, "reloads")
        token, started = log_in(stack.url, tenant)["accessToken"], time.monotonic()

        def make_ask(index: int):
            caller = Caller(stack.url, token)

            def ask() -> None:
                # Now and then on a new connection, by the certificate that is in force then.
                if random.random() < 0.02:
                    caller.close()
                status, answer = caller.send("GET", "/employees?limit=5" if index % 2 else "/auth/me")
                assert status == 200, f"{status} {answer}"
            return ask

        with Load(4, make_ask) as load:
            for number in range(options.reloads):
                stack.change_table(f"# reload {number}")
            # Nothing is pruned: what the old keys have signed is still out, as docs/operations.md says.
            for _ in range(options.rotations):
                stack.rotate_keys()
                if options.tls:
                    stack.replace_certificate()
        load.require_fine("reloads and rotations")
        status, _ = Caller(stack.url, token).send("GET", "/employees")
        assert status == 200, "an access token outlives a rotation"
        print(f"reloads.reloads={options.reloads}\nreloads.rotations={options.rotations}\n"
              f"reloads.certificates={options.rotations if options.tls else 0}\nreloads.requests={load.asked}\n"
              f"reloads.failed=0\nreloads.seconds={time.monotonic() - started:.0f}", flush=True)


# --- Revocations ---------------------------------------------------------------------------------------------------------


def revocations(options) -> None:
    with Stack.running(generous=True, nodes={"gateway": 3}) as stack:
        urls = [stack.url_of(node) for node, of in stack.service_of.items() if of == "gateway"]
        nodes_asked = [argument for url in urls for argument in ("--node", url)]
        told = stack.ermctl("bench", "revocation", "--changes", str(options.revocations), *nodes_asked)
        for line in told.splitlines():
            print(f"revocations.{line}", flush=True)


CAMPAIGNS = {"sessions": sessions, "reloads": reloads, "revocations": revocations, "nodes": nodes}
# As run by compose/test, and with --full.
SIZES = {"refreshes": (1500, 100_000), "reloads": (100, 1000), "rotations": (5, 100), "revocations": (20, 1000), "kills": (20, 100)}


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("names", nargs="*", choices=[*CAMPAIGNS, []], metavar="NAME")
    arguments.add_argument(
        "--full", action="store_true", help="as many requests, reloads, rotations, revocations and kills as docs/security.md states")
    arguments.add_argument("--tls", action="store_true", help="gateways take requests by TLS only (sessions, reloads)")
    arguments.add_argument("--refreshes", type=int, help="requests that race, logouts included")
    arguments.add_argument("--reloads", type=int, help="of the gateway's configuration")
    arguments.add_argument("--rotations", type=int, help="of all services' keys")
    arguments.add_argument("--revocations", type=int, help="of a user's role or session")
    arguments.add_argument("--kills", type=int, help="of prediction nodes")
    arguments.add_argument("--threads", type=int, default=6, help="that ask for predictions")
    arguments.add_argument(
        "--swap-seconds", type=float, default=30,
        help="within which all nodes answer with a new model: what a node allows itself; 1 for release binaries")
    arguments.add_argument("--seed", type=int, default=secrets.randbits(32))
    options = arguments.parse_args()
    for name, (usual, full) in SIZES.items():
        if getattr(options, name) is None:
            setattr(options, name, full if options.full else usual)
    random.seed(options.seed)
    print(f"seed={options.seed}")
    for name in options.names or CAMPAIGNS:
        CAMPAIGNS[name](options)


if __name__ == "__main__":
    sys.exit(main())
