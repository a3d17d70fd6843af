"""Checks the API's description on the live platform: it is valid OpenAPI 3.1, a client generated from it does the main job,
Triton's client is understood, another tenant's names open nothing, and schemathesis finds no answer that it does not describe.

    .build/live/bin/python Tests/Live/api_checks.py [--seconds N]
"""

import argparse
import datetime
import importlib
import io
import json
import os
import pathlib
import subprocess
import sys

import openapi_spec_validator

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import foreign_checks  # noqa: E402
import inference_checks  # noqa: E402
from stack import REPOSITORY, Stack, Tenant  # noqa: E402

OPERATOR_PATHS = "^/api/v1/(tenants|messages)"


def main() -> int:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--seconds", type=int, default=110, help="for schemathesis, both callers together")
    seconds = arguments.parse_args().seconds
    # However busy the machine is, nothing is answered 503, which is a fault here, since a history is a second old.
    with Stack.running(generous=True, MIRROR_LIMIT="20s") as stack:
        say("making a tenant with a model in service")
        tenant = stack.quickstart("acme")
        description = check_description(stack)
        say("generating a client and doing the main job with it")
        check_client(stack, tenant, generate_client(stack, description))
        say("asking the tenant's network with tritonclient")
        inference_checks.check(stack, tenant)
        say(f"{foreign_checks.check(stack, tenant)} requests with another tenant's names gave nothing away")
        failed = []
        # The tenant first: the operator may suspend it.
        callers = [
            (
                "a tenant's administrator", tenant.access_token,
                ["--exclude-path-regex", OPERATOR_PATHS, "--header", f"X-Tenant-ID: {tenant.id}"], seconds * 8 // 11,
            ),
            # A deleted tenant can be looked at, exported and restored until it is purged.
            (
                "the platform operator", stack.operator_key,
                ["--include-path-regex", OPERATOR_PATHS, "--exclude-checks", "use_after_free"], seconds * 3 // 11,
            ),
        ]
        for who, token, which, budget in callers:
            say(f"schemathesis as {who}, for {budget} s")
            if not schemathesis(stack, description, token, which, budget):
                failed.append(who)
        check_away(stack)
    if failed:
        print(f"schemathesis found faults as {' and as '.join(failed)}")
        return 1
    say("the API is as described")
    return 0


def say(text: str) -> None:
    print(f"==> {text}", flush=True)


# --- The document --------------------------------------------------------------------------------------------------------


def check_description(stack: Stack) -> pathlib.Path:
    status, headers, body = stack.get("/api/v1/openapi.json")
    assert status == 200, status
    document = json.loads(body)
    assert "x-missing-services" not in document, document["x-missing-services"]
    openapi_spec_validator.validate(document)
    operations = [
        operation
        for item in document["paths"].values()
        for method, operation in item.items()
        if method in ("get", "post", "put", "patch", "delete")
    ]
    names = [operation["operationId"] for operation in operations]
    assert len(set(names)) == len(names), "an operation id is there twice"
    for operation in operations:
        content = operation.get("requestBody", {}).get("content", {}).get("application/json")
        assert content is None or "example" in content, f"{operation['operationId']} has no example"
    say(f"the description is valid OpenAPI {document['openapi']}: {len(operations)} operations, "
        f"{len(document['components']['schemas'])} schemas")
    path = stack.folder / "openapi.json"
    path.write_bytes(body)
    return path


def check_away(stack: Stack) -> None:
    """A service that is away is described as it was."""
    stack.stop("ml-training")
    status, _, body = stack.get("/api/v1/openapi.json")
    assert status == 200, status
    assert "/api/v1/training/jobs" in json.loads(body)["paths"]
    say("a service that is away is still described")


# --- The client ----------------------------------------------------------------------------------------------------------


def generate_client(stack: Stack, description: pathlib.Path) -> str:
    name = "erm_client"
    done = subprocess.run(
        [
            sys.executable, "-m", "openapi_python_client", "generate", "--path", str(description),
            "--output-path", str(stack.folder / name), "--meta", "none", "--overwrite",
            "--config", str(REPOSITORY / "Tests" / "Live" / "client.yaml"),
        ],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        # Its formatter is a program beside the interpreter.
        env={**os.environ, "PATH": f"{pathlib.Path(sys.executable).parent}:{os.environ['PATH']}"},
    )
    assert done.returncode == 0, done.stdout
    assert "WARNING" not in done.stdout.upper(), done.stdout
    sys.path.insert(0, str(stack.folder))
    return name


def check_client(stack: Stack, tenant: Tenant, name: str) -> None:
    client_module = importlib.import_module(name)
    models = importlib.import_module(f"{name}.models")
    types = importlib.import_module(f"{name}.types")

    def call(tag: str, function: str, client, **arguments):
        module = importlib.import_module(f"{name}.api.{tag}.{function}")
        answer = module.sync_detailed(client=client, **arguments)
        assert answer.status_code < 300, f"{function}: {answer.status_code} {answer.content[:500]!r}"
        return answer.parsed

    open_client = client_module.Client(base_url=stack.url)
    # A string: openapi-python-client puts a UUID into a header as it is, and httpx takes text only.
    tokens = call(
        "auth", "log_in", open_client, x_tenant_id=tenant.id,
        body=models.LoginRequest(email=tenant.email, password=tenant.password),
    ).data
    client = client_module.AuthenticatedClient(base_url=stack.url, token=tokens.access_token)

    # Import one employee more.
    rows = b"external_id,name,email,department,weekly_capacity_hours,hired_on,left_on\n" \
           b"G-1,Grace Hopper,grace@acme.example,Research,40,2024-01-01,\n"
    report = call(
        "imports", "import_file", client, kind=models.ImportFileKind.EMPLOYEES,
        body=types.File(payload=io.BytesIO(rows), mime_type="text/csv"),
    ).data
    assert report.inserted == 1 and not report.errors, report
    assert call("imports", "get_import", client, id=report.id).data.id == report.id

    # People, page by page.
    first = call("employees", "list_employees", client, limit=10)
    rest = call("employees", "list_employees", client, limit=10, cursor=first.page.next_cursor)
    assert len(first.data) == 10 and len(rest.data) == 10 and first.data[0].id != rest.data[0].id
    project = call("projects", "list_projects", client, limit=1).data[0]

    # Train, and cancel: the tenant has a model in service already. So long that no machine is through with it before.
    started = call(
        "training", "start_training", client,
        body=models.CreateTrainingJobRequest(months=240, epochs=1000), idempotency_key="client-check",
    ).data
    job = call("training", "get_training_job", client, job_id=started.job_id).data
    assert job.id == started.job_id
    call("training", "cancel_training_job", client, job_id=started.job_id)

    # Predict.
    prediction = call(
        "predictions", "predict", client,
        body=models.PredictionRequest(
            employee_id=first.data[0].id, project_id=project.id, planned_hours=16.0,
            start_date=datetime.date.today(),
        ),
    ).data
    assert prediction.estimated_hours > 0
    call("predictions", "get_prediction", client, prediction_id=prediction.prediction_id)
    say(f"the generated client logged in, imported, trained and predicted {prediction.estimated_hours:.1f} hours")


# --- Any request at all --------------------------------------------------------------------------------------------------


# Each event of the services' streams, whose description is the text of the whole.
EVENT = {
    "type": "object",
    "required": ["event", "data"],
    "properties": {
        "id": {"type": "string"},
        "event": {"type": "string", "minLength": 1},
        "data": {"type": "string", "contentMediaType": "application/json"},
    },
    "additionalProperties": False,
}


def for_schemathesis(description: pathlib.Path) -> pathlib.Path:
    """A copy whose operations take a bearer token alone: an invented API key beside the token would be refused, and nothing
    behind it tried. OpenAPI 3.1 has no schema for one event of a stream; schemathesis takes the body's for it."""
    document = json.loads(description.read_text())
    for item in document["paths"].values():
        for operation in item.values():
            operation["security"] = [need for need in operation["security"] if "apiKey" not in need]
            for answer in operation["responses"].values():
                if stream := answer.get("content", {}).get("text/event-stream"):
                    stream["schema"] = EVENT
    del document["components"]["securitySchemes"]["apiKey"]
    path = description.with_name("bearer.json")
    path.write_text(json.dumps(document))
    return path


def schemathesis(stack: Stack, description: pathlib.Path, token: str, which: list[str], seconds: int) -> bool:
    description = for_schemathesis(description)
    command = [
        sys.executable, "-m", "schemathesis.cli", "--config-file",
        str(REPOSITORY / "Tests" / "Live" / "schemathesis.toml"), "--no-color", "run", str(description),
        "--url", stack.url, "--header", f"Authorization: Bearer {token}", "--checks", "all",
        "--max-time", str(seconds), "--request-timeout", "60", "--seed", "1", *which,
    ]
    hooks = {"SCHEMATHESIS_HOOKS": "hooks", "PYTHONPATH": str(REPOSITORY / "Tests" / "Live")}
    return subprocess.run(
        command, cwd=stack.folder, stdin=subprocess.DEVNULL, env={**os.environ, **hooks}).returncode == 0


if __name__ == "__main__":
    sys.exit(main())
