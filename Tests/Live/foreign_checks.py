"""Every route of the public API with another tenant's ids, headers, hosts and cursors: nothing of the other tenant is told or
changed. The routes come from the description, so that a new one is tried too.

    .build/live/bin/python Tests/Live/foreign_checks.py
"""

import json
import re
import secrets
import urllib.error
import urllib.request

from stack import BASE_DOMAIN, Stack, Tenant

PARAMETER = re.compile(r"\{(\w+)\}")
# Answers that tell nothing of the object: not found, forbidden, or refused for what the request itself says.
REFUSED = {400, 403, 404, 405, 409, 412, 415, 422, 428}
# Of an id, where what is asked must not depend on it.
ANY_ID = "00000000-0000-4000-8000-000000000000"


class Side:
    """One tenant as its own administrator sees it."""

    def __init__(self, stack: Stack, token: str):
        self.stack, self.token = stack, token

    def call(self, method: str, path: str, body=None, **headers: str) -> tuple[int, bytes]:
        headers = {"Authorization": f"Bearer {self.token}", **headers}
        data = None
        if body is not None:
            data, headers["Content-Type"] = json.dumps(body).encode(), "application/json"
        request = urllib.request.Request(self.stack.url + path, data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()

    def page(self, path: str) -> dict:
        status, body = self.call("GET", path)
        assert status == 200, (path, status, body[:300])
        return json.loads(body)


def check(stack: Stack, victim: Tenant) -> int:
    """Plays the administrator of a new tenant against `victim`. Returns how many requests were tried."""
    token, login = _new_tenant(stack)
    owner, attacker = Side(stack, victim.access_token), Side(stack, token)
    description = json.loads(stack.get("/api/v1/openapi.json")[2])
    paths, parameters = description["paths"], description["components"]["parameters"]
    for kind in ("departments", "skills", "roles", "calendars", "api-keys", "invitations"):
        _make_one(owner, kind)
    lists = {
        path: owner.page(path)["data"] for path, item in paths.items()
        if "get" in item and "{" not in path and _is_list_of_objects(owner, path)
    }
    before = _snapshot(owner, lists)
    told = _names(lists) - _names({path: attacker.page(path)["data"] for path in lists})
    assert told, "the other tenant has nothing to tell"
    tried, reached = 0, set()
    for path, item in paths.items():
        for method, operation in item.items():
            if "{" not in path:
                continue
            target = _filled(path, owner, lists)
            if target is None:
                continue
            tried += 1
            reached.add(path)
            status, body = attacker.call(
                method.upper(), target, _body(operation), **({"If-Match": "*"} if method in ("patch", "put", "delete") else {}))
            assert status in REFUSED, f"{method} {target} with another tenant's id: {status} {body[:300]!r}"
            _tells_nothing(told, body, f"{method} {target}")
    for path, rows in lists.items():
        for parameter in paths[path]["get"].get("parameters", []):
            parameter = parameters[parameter["$ref"].rsplit("/", 1)[-1]] if "$ref" in parameter else parameter
            if parameter["in"] != "query":
                continue
            for value in _values(parameter, owner, path, rows):
                tried += 1
                status, body = attacker.call("GET", f"{path}?{parameter['name']}={value}")
                assert status == 200 or status in REFUSED, f"{path}?{parameter['name']}={value}: {status}"
                _tells_nothing(told, body, f"{path}?{parameter['name']}={value}")
    tried += _check_names(attacker, victim, paths, login, told)
    tried += _check_references(attacker, lists, told)
    missed = {path for path in paths if "{" in path and "/tenants/" not in path} - reached
    print(f"not tried, since the other tenant has none: {sorted(missed)}")
    after = _snapshot(owner, lists)
    assert after == before, [path for path in before if before[path] != after[path]]
    return tried


def _new_tenant(stack: Stack) -> tuple[str, dict]:
    """The access token of its administrator, and what the administrator logs in with."""
    operator = Side(stack, stack.operator_key)
    password = secrets.token_hex(12)
    status, body = operator.call("POST", "/api/v1/tenants", {
        "name": "Curious", "subdomain": "curious", "plan": "enterprise", "adminEmail": "admin@curious.example",
        "adminPassword": password, "defaults": False})
    assert status == 201, body
    tenant = json.loads(body)["data"]["id"]
    login = {"email": "admin@curious.example", "password": password}
    request = urllib.request.Request(
        f"{stack.url}/api/v1/auth/login", json.dumps(login).encode(),
        {"Content-Type": "application/json", "X-Tenant-ID": tenant}, method="POST")
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.loads(answer.read())["data"]["accessToken"], login


def _make_one(side: Side, kind: str) -> None:
    """One of a kind that the made-up company may lack."""
    body = {"name": f"kept from strangers {kind}"} | {
        "roles": {"permissions": [{"resource": "employees", "actions": ["read"]}]}, "api-keys": {"roles": ["viewer"]},
        "invitations": {"email": "somebody@strangers.example", "roles": ["viewer"]},
    }.get(kind, {})
    status, answer = side.call("POST", f"/api/v1/{kind}", body)
    assert status == 201, answer


def _is_list_of_objects(side: Side, path: str) -> bool:
    status, body = side.call("GET", path)
    try:
        data = json.loads(body).get("data")
    except (ValueError, AttributeError):
        return False
    return status == 200 and isinstance(data, list) and all(isinstance(row, dict) for row in data)


def _snapshot(side: Side, lists: dict) -> dict:
    # What is written by looking (audit) or by time (metrics, jobs under way) is not the attacker's doing.
    moving = ("audit", "metrics", "jobs", "reports", "usage")
    return {path: side.page(path)["data"] for path in lists if not any(word in path for word in moving)}


def _filled(path: str, owner: Side, lists: dict) -> str | None:
    """The path with the other tenant's ids; nil where that tenant has none of the kind."""
    while match := PARAMETER.search(path):
        collection = path[: match.start()].rstrip("/")
        rows = lists.get(collection)
        if rows is None and _is_list_of_objects(owner, collection):
            rows = owner.page(collection)["data"]
        name = match.group(1)
        kept = next(
            (row[key] for row in rows or [] for key in ("id", name, "skillId", "date") if isinstance(row.get(key), str)),
            "2025-01-06" if name == "date" else None)
        if kept is None:
            return None
        path = f"{collection}/{kept}{path[match.end():]}"
    return path


def _body(operation: dict):
    content = operation.get("requestBody", {}).get("content", {})
    return content.get("application/json", {}).get("example") if "application/json" in content else None


def _values(parameter: dict, owner: Side, path: str, rows: list) -> list[str]:
    """What of the other tenant's fits the query parameter: its ids and its cursor."""
    if parameter["name"] == "cursor":
        page = owner.page(f"{path}?limit=1").get("page", {})
        return [page["nextCursor"]] if page.get("nextCursor") else []
    if parameter["name"].lower().endswith("id"):
        key = parameter["name"]
        found = [row[key] for row in rows if isinstance(row.get(key), str)] + [row["id"] for row in rows if "id" in row]
        return found[:1]
    return []


def _check_names(attacker: Side, victim: Tenant, paths: dict, login: dict, told: set[str]) -> int:
    """Every route that needs a credential, with the other tenant's id in a header and its name in the host; and logins there."""
    tried = 0
    for headers in ({"X-Tenant-ID": victim.id}, {"Host": f"{victim.subdomain}.{BASE_DOMAIN}"}):
        for path, item in paths.items():
            for method, operation in item.items():
                # Without a credential a name is all there is to go by.
                if not operation.get("security") or {} in operation["security"]:
                    continue
                tried += 1
                target = PARAMETER.sub(ANY_ID, path)
                status, body = attacker.call(method.upper(), target, **headers)
                what = f"{method} {target} with {headers}"
                assert status == 403 and json.loads(body)["code"] == "tenant_mismatch", f"{what}: {status} {body[:300]!r}"
                _tells_nothing(told, body, what)
        tried += 1
        status, body = attacker.call("POST", "/api/v1/auth/login", login, **headers)
        assert status == 401, f"a login at another tenant with {headers}: {status} {body[:300]!r}"
    return tried


def _check_references(attacker: Side, lists: dict, told: set[str]) -> int:
    """Bodies that name another tenant's objects."""
    employee, project = lists["/api/v1/employees"][0]["id"], lists["/api/v1/projects"][0]["id"]
    own = {}
    for kind, body in (("employees", {"externalId": "own", "name": "Own"}), ("projects", {"externalId": "own", "name": "Own"})):
        status, answer = attacker.call("POST", f"/api/v1/{kind}", body)
        assert status == 201, answer
        own[kind] = json.loads(answer)["data"]["id"]
    booking = {"externalId": "x", "startDate": "2026-01-05", "endDate": "2026-01-09", "plannedHours": 8}
    questions = [
        ("allocations", booking | {"employeeId": employee, "projectId": own["projects"]}),
        ("allocations", booking | {"employeeId": own["employees"], "projectId": project}),
        ("predictions", {"employeeId": employee, "projectId": own["projects"], "plannedHours": 8}),
        ("predictions", {"employeeId": own["employees"], "projectId": project, "plannedHours": 8}),
    ]
    for path, body in questions:
        status, answer = attacker.call("POST", f"/api/v1/{path}", body)
        assert status in REFUSED, f"{path} {body}: {status} {answer[:300]!r}"
        _tells_nothing(told, answer, path)
    return len(questions)


def _names(lists: dict) -> set[str]:
    """Words that only the other tenant's rows hold."""
    names = set()
    for path, rows in lists.items():
        for row in rows:
            for key in ("name", "externalId", "email"):
                value = row.get(key)
                if isinstance(value, str) and len(value) >= 6 and path.split("/")[-1] in (
                        "employees", "projects", "allocations", "users"):
                    names.add(value)
    return names


def _tells_nothing(told: set[str], body: bytes, what: str) -> None:
    text = body.decode("utf8", "replace")
    for name in told:
        assert name not in text, f"{what} tells {name!r} of another tenant"


def main() -> None:
    with Stack.running(generous=True) as stack:
        print(f"{check(stack, stack.quickstart('acme'))} requests with another tenant's names gave nothing away")


if __name__ == "__main__":
    main()
