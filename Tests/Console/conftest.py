"""The platform that the tests look at: a private one with a made-up company, started once for all of them."""

import pathlib
import sys
import uuid

import pytest
import requests

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "Live")]
from browser import browser  # noqa: E402
from stack import Stack  # noqa: E402


class Platform:
    """The platform's API in the words of the tests, as the tenant's administrator."""

    def __init__(self, stack, tenant):
        self.url, self.operator_key = stack.url, stack.operator_key
        # For tests that end a service and start it again.
        self.processes = stack
        self.tenant, self.email, self.password = tenant.id, tenant.email, tenant.password
        self.token = self.log_in(self.email, self.password)

    def log_in(self, email, password):
        answer = requests.post(f"{self.url}/api/v1/auth/login", json={"email": email, "password": password},
                               headers={"X-Tenant-ID": self.tenant}, timeout=60)
        answer.raise_for_status()
        return answer.json()["data"]["accessToken"]

    def call(self, method, path, body=None, **headers):
        answer = requests.request(method, f"{self.url}/api/v1{path}", json=body, timeout=60,
                                  headers={"Authorization": f"Bearer {self.token}", **headers})
        assert answer.ok, f"{method} {path}: {answer.status_code} {answer.text[:400]}"
        return answer.json() if answer.content else None

    def first(self, path):
        """The first item of a list."""
        return self.call("GET", f"{path}{'&' if '?' in path else '?'}limit=1")["data"][0]

    def make_person(self, name, **more):
        return self.call("POST", "/employees", {"externalId": f"T-{uuid.uuid4().hex[:10]}", "name": name, **more})["data"]

    def make_project(self, name, **more):
        return self.call("POST", "/projects", {"externalId": f"T-{uuid.uuid4().hex[:10]}", "name": name, "status": "in_progress", **more})["data"]

    def book(self, person, project, **more):
        return self.call("POST", "/allocations", {
            "externalId": f"T-{uuid.uuid4().hex[:10]}", "employeeId": person["id"], "projectId": project["id"], **more})["data"]

    def make_user(self, role):
        email, password = f"{role}-{uuid.uuid4().hex[:8]}@demo.example", f"long enough {uuid.uuid4().hex}"
        self.call("POST", "/users", {"email": email, "name": f"A {role}", "password": password, "roles": [role]})
        return email, password


@pytest.fixture(scope="session")
def stack():
    with Stack.running(generous=True) as running:
        yield Platform(running, running.quickstart("demo"))


@pytest.fixture(scope="session")
def shared_console(stack):
    """One browser for the tests that leave the session as it was."""
    with browser() as console:
        console.open(stack.url)
        console.sign_in(stack.tenant, stack.email, stack.password)
        yield console


@pytest.fixture
def console(shared_console):
    shared_console.complaints()
    yield shared_console
    assert shared_console.complaints() == []


@pytest.fixture
def fresh(stack):
    """A browser of the test's own, not signed in."""
    with browser() as console:
        console.open(stack.url)
        yield console
