"""The campaign `nodes` (campaigns.py): prediction nodes killed, hung, taken away, added and given other models under load."""

import random
import signal
import threading
import time
import uuid

from load import Caller, Load
from stack import Stack, Tenant

# How many answer at once; one more is added in the middle.
NODES = 3


def nodes(options) -> None:
    with Stack.running(generous=True, nodes={"ml-prediction": NODES + 1}) as stack:
        tenant = stack.quickstart("nodes")
        models = [tenant.model_id, train(stack, tenant)]
        names = [node for node, of in stack.service_of.items() if of == "ml-prediction"]
        stack.stop(names[-1])
        before = int(stack.query("SELECT count(*) FROM ml_prediction.predictions"))
        work = Work(stack, tenant)
        with Load(options.threads, work.make_ask) as load, Deployer(stack, tenant, models) as deployer:
            disturb(stack, names, options)
        load.require_fine("nodes killed, hung, added and given other models")
        check_last(work, deployer.deployed, options.swap_seconds)
        check_log(stack, work, before)
        slowest = check_swaps(work.answers, deployer.deployed, options.swap_seconds)
        print(f"nodes.kills={options.kills}\nnodes.predictions={len(work.answers)}\nnodes.lost=0\nnodes.twice=0\n"
              f"nodes.failed=0\nnodes.redeployed={len(deployer.deployed)}\nnodes.slowest_swap_ms={slowest * 1000:.0f}",
              flush=True)
        shares = share(stack, names, work.make_ask, options.threads)
        print(f"nodes.least_share={min(shares):.3f}\nnodes.largest_share={max(shares):.3f}", flush=True)


def train(stack: Stack, tenant: Tenant) -> str:
    """Another model than the one in service."""
    owner = Caller(stack.url, tenant.access_token)
    status, started = owner.send("POST", "/training/jobs", {
        "months": 240, "epochs": 10, "seed": 4711, "modelType": "resource_allocation"})
    assert status == 202, started
    for _ in range(1200):
        _, job = owner.send("GET", f"/training/jobs/{started['data']['jobId']}")
        assert job["data"]["status"] not in ("failed", "cancelled"), job
        if job["data"].get("modelId"):
            return job["data"]["modelId"]
        time.sleep(0.25)
    raise AssertionError("the second model is not trained after five minutes")


class Work:
    """What is asked, and what was answered: of each key the prediction, when it was asked for, and the model."""

    def __init__(self, stack: Stack, tenant: Tenant):
        self.url, self.token = stack.url, tenant.access_token
        owner = Caller(self.url, self.token)
        self.person, self.project = (
            owner.send("GET", f"/{kind}?limit=1")[1]["data"][0]["id"] for kind in ("employees", "projects"))
        self.answers: dict[str, tuple[str, float, str]] = {}
        self._lock = threading.Lock()

    def make_ask(self, _: int):
        caller = Caller(self.url, self.token)

        def ask() -> None:
            key, asked = str(uuid.uuid4()), time.monotonic()
            status, answer = caller.send(
                "POST", "/predictions", {"employeeId": self.person, "projectId": self.project, "plannedHours": 8},
                **{"Idempotency-Key": key})
            assert status == 200, f"{status} {answer}"
            with self._lock:
                self.answers[key] = (answer["data"]["predictionId"], asked, answer["data"]["model"]["id"])
        return ask


class Deployer:
    """Deploys one model after the other, again and again, until it is ended."""

    def __init__(self, stack: Stack, tenant: Tenant, models: list[str]):
        self.deployed: list[tuple[float, str]] = []
        self.wrong: list[str] = []
        self._caller, self._models = Caller(stack.url, tenant.access_token), models
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        number = 0
        while not self._ended.wait(4):
            number += 1
            model = self._models[number % 2]
            status, answer = self._caller.send("POST", f"/models/{model}/deploy", {"force": True})
            if status != 200:
                self.wrong.append(f"{status} {answer}")
                return
            self.deployed.append((time.monotonic(), model))

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._ended.set()
        self._thread.join()
        assert not self.wrong, f"a deployment failed: {self.wrong}"


def disturb(stack: Stack, names: list[str], options) -> None:
    """Kills so many nodes one after the other; now and then one hangs, and halfway one is added."""
    for number in range(options.kills):
        if number == options.kills // 2:
            stack.start(names[-1])
        alive = [name for name in names if name in stack.processes]
        node = alive[number % len(alive)]
        time.sleep(0.7)
        if number % 4 == 3:
            stack.processes[node].send_signal(signal.SIGSTOP)
            time.sleep(1)
            stack.processes[node].send_signal(signal.SIGCONT)
            node = random.choice(alive)
        stack.stop(node, signal.SIGKILL)
        time.sleep(0.5)
        stack.start(node)
    if names[-1] not in stack.processes:
        stack.start(names[-1])
    # Long enough for the last deployment to be judged, too.
    time.sleep(2)


def check_log(stack: Stack, work: Work, before: int) -> None:
    """Each key has one prediction, all of them are in the log, and nothing else is."""
    ids = [prediction for prediction, _, _ in work.answers.values()]
    assert len(set(ids)) == len(ids), "two keys got one prediction"
    logged = set(stack.query("SELECT id FROM ml_prediction.predictions").split())
    lost = [prediction for prediction in ids if prediction not in logged]
    assert not lost, f"{len(lost)} acknowledged predictions are not in the log"
    # No request failed, so that whatever else is logged was logged twice.
    twice = len(logged) - before - len(ids)
    assert twice == 0, f"{twice} predictions are in the log that nobody was told of"


def check_last(work: Work, deployed: list[tuple[float, str]], limit: float) -> None:
    """Within the limit all answers are of the model that was deployed last: no node stays with another one.

    While models are deployed every few seconds nothing can be late by more than that."""
    assert deployed, "nothing was deployed"
    moment, model = deployed[-1]
    ask, alike = work.make_ask(0), 0
    # So many in a row that a node that has its share of them would be among them.
    while alike < 60:
        ask()
        _, asked, answered = next(reversed(work.answers.values()))
        alike = alike + 1 if answered == model else 0
        assert alike or asked - moment < limit, f"a model answered {asked - moment:.2f} s after another had been deployed"


def check_swaps(answers: dict, deployed: list[tuple[float, str]], limit: float) -> float:
    """The longest time after a deployment at which a question was put that the model before answered."""
    slowest = 0.0
    for number, (moment, model) in enumerate(deployed):
        until = deployed[number + 1][0] - 0.5 if number + 1 < len(deployed) else float("inf")
        late = [asked - moment for _, asked, answered in answers.values()
                if moment < asked < until and answered != model]
        slowest = max([slowest, *late])
    assert slowest < limit, f"a model answered {slowest:.2f} s after another had been deployed"
    return slowest


def share(stack: Stack, names: list[str], make_ask, threads: int) -> list[float]:
    """How the nodes that are all well share the work, once those that came back get their full share again."""
    shares: list[float] = []
    least = 0.6 / len(names)
    with Load(threads, make_ask):
        for _ in range(20):
            before = [answered(stack, node) for node in names]
            time.sleep(4)
            done = [answered(stack, node) - old for node, old in zip(names, before)]
            shares = [count / max(1, sum(done)) for count in done]
            if min(shares) > least:
                break
    assert min(shares) > least, f"the nodes do not share the work: {shares}"
    return shares


def answered(stack: Stack, node: str) -> int:
    """How many predictions a node has answered, as its metrics say."""
    lines = stack.metrics(node).splitlines()
    return sum(int(line.rsplit(" ", 1)[1]) for line in lines
               if line.startswith("http_server_requests_total") and 'method="POST"' in line and "predictions" in line)
