"""Cases from public reports of people who plan, sent through the gateway: what a planner must be right about.

Each `planning/*.json` says where the trouble was seen (`source`) and what is right (`right`); `steps` are requests (method `m`,
path `p`, JSON body `b`, or `file` or `text` with content type `ct`; `save` keeps the answer's data under a name, `{name.id}` puts its id
into later steps); `checks` are [step, path, wanted]: `status`, `~text` (the answer holds the text: true or false), a dotted path
into the answer, or `path#` for a length. A case has a tenant of its own, made without default data, so that lists hold what the case
puts there.

    .build/live/bin/python Tests/Live/planning_checks.py [CASE.json ...]
"""

import json
import pathlib
import sys
import urllib.error
import urllib.request

from stack import Stack

CASES = pathlib.Path(__file__).parent / "planning"
PASSWORD = "field planning trial"


class Platform:
    def __init__(self, stack: Stack):
        self.stack = stack

    def call(self, method, path, token=None, body=None, content=None, tenant=None):
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        if content:
            headers["Content-Type"] = content
        if tenant:
            headers["X-Tenant-ID"] = tenant
        request = urllib.request.Request(f"{self.stack.url}/api/v1{path}", body, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, _parsed(answer.read())
        except urllib.error.HTTPError as error:
            return error.code, _parsed(error.read())

    def send(self, method, path, body, **rest):
        return self.call(method, path, body=json.dumps(body).encode(), content="application/json", **rest)

    def tenant(self, subdomain: str) -> str:
        """A new tenant's access token."""
        status, made = self.send("POST", "/tenants", {
            "name": subdomain, "subdomain": subdomain, "plan": "professional", "adminEmail": "a@x.example",
            "adminPassword": PASSWORD, "defaults": False}, token=self.stack.operator_key)
        assert status == 201, made
        status, login = self.send(
            "POST", "/auth/login", {"email": "a@x.example", "password": PASSWORD}, tenant=made["data"]["id"])
        assert status == 200, login
        return login["data"]["accessToken"]


def _parsed(data: bytes):
    try:
        return json.loads(data)
    except ValueError:
        return data.decode("utf8", "replace")


def filled(value, saved):
    if isinstance(value, str):
        for name, kept in saved.items():
            value = value.replace("{%s.id}" % name, kept["id"])
        return value
    if isinstance(value, dict):
        return {key: filled(entry, saved) for key, entry in value.items()}
    if isinstance(value, list):
        return [filled(entry, saved) for entry in value]
    return value


def found(answer, path):
    status, body = answer
    if path == "status":
        return status
    if path[0] == "~":
        return path[1:] in json.dumps(body, ensure_ascii=False)
    place = body
    for key in path.rstrip("#").split("."):
        try:
            place = place[int(key)] if isinstance(place, list) else place.get(key)
        except (IndexError, AttributeError, ValueError):
            return None
    return len(place) if path.endswith("#") and place is not None else place


def wrong(platform: Platform, number: int, file: pathlib.Path) -> list[str]:
    """What a case found other than it should be."""
    case = json.loads(file.read_text())
    token = platform.tenant(f"case{number}")
    saved, answers = {}, []
    for step in case["steps"]:
        path = filled(step["p"], saved)
        if "file" in step:
            body, content = (file.parent / step["file"]).read_bytes(), step["ct"]
            answer = platform.call(step["m"], path, token, body, content)
        elif "text" in step:
            answer = platform.call(step["m"], path, token, step["text"].encode(), step["ct"])
        elif "b" in step:
            answer = platform.send(step["m"], path, filled(step["b"], saved), token=token)
        else:
            answer = platform.call(step["m"], path, token)
        answers.append(answer)
        if "save" in step:
            saved[step["save"]] = answer[1]["data"]
    return [
        f"step {step} {path}: want {wanted!r}, got {found(answers[step], path)!r}"
        for step, path, wanted in case["checks"] if found(answers[step], path) != wanted
    ] + ([f"right: {case['right']}"] if any(found(answers[s], p) != w for s, p, w in case["checks"]) else [])


def main() -> int:
    files = [pathlib.Path(name) for name in sys.argv[1:]] or sorted(CASES.glob("*.json"))
    failed = 0
    with Stack.running(generous=True) as stack:
        platform = Platform(stack)
        for number, file in enumerate(files):
            faults = wrong(platform, number, file)
            failed += bool(faults)
            print("✘" if faults else "✔", file.stem, *faults, sep="\n      " if faults else " ")
    print(f"{failed} of {len(files)} planning cases fail")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
