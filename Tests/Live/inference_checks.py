"""Checks the Open Inference Protocol on the live platform with Triton's own client, as it comes from PyPI.

    .build/live/bin/python Tests/Live/inference_checks.py
"""

import json
import pathlib
import sys
import urllib.error
import urllib.request

import numpy
import tritonclient.http as triton
from tritonclient.utils import InferenceServerException

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from stack import Stack, Tenant  # noqa: E402

ROWS = 1000


def main() -> int:
    with Stack.running(generous=True) as stack:
        check(stack, stack.quickstart("acme"))
    print("==> tritonclient works unmodified", flush=True)
    return 0


def check(stack: Stack, tenant: Tenant) -> None:
    headers = {"Authorization": f"Bearer {tenant.access_token}", "X-Tenant-ID": tenant.id}
    client = triton.InferenceServerClient(url=stack.url.removeprefix("http://"), concurrency=4)
    try:
        check_deployment(stack, tenant)
        name = check_descriptions(client, headers)
        check_numbers(client, name, headers)
        check_other_clients(client, name, headers, stack)
        check_errors(client, name, headers, stack)
    finally:
        client.close()


def check_deployment(stack: Stack, tenant: Tenant) -> None:
    """Who deploys and waits hears of every live node."""
    request = urllib.request.Request(
        f"{stack.url}/api/v1/models/{tenant.model_id}/deploy?wait=true", method="POST",
        headers={"Authorization": f"Bearer {tenant.access_token}"},
    )
    with urllib.request.urlopen(request, timeout=120) as answer:
        nodes = json.load(answer)["data"]["serving"]
    assert len(nodes) == 1 and nodes[0]["state"] == "serving", nodes


def check_descriptions(client: triton.InferenceServerClient, headers: dict) -> str:
    """The name of the model, whose every description the client understands."""
    assert client.is_server_live() and client.is_server_ready()
    server = client.get_server_metadata()
    assert "binary_tensor_data" in server["extensions"], server
    index = client.get_model_repository_index(headers=headers)
    assert index and all(entry["state"] == "READY" for entry in index), index
    name, version = index[-1]["name"], index[-1]["version"]
    for wanted in ("", version):
        assert client.is_model_ready(name, model_version=wanted, headers=headers)
        metadata = client.get_model_metadata(name, model_version=wanted, headers=headers)
        assert version in metadata["versions"], metadata
        assert metadata["inputs"] == [{"name": "input", "datatype": "FP32", "shape": [-1, 5]}], metadata
        assert metadata["outputs"] == [{"name": "output", "datatype": "FP32", "shape": [-1, 3]}], metadata
        configuration = client.get_model_config(name, model_version=wanted, headers=headers)
        assert configuration["max_batch_size"] >= ROWS, configuration
    assert not client.is_model_ready("no_such_model", headers=headers)
    return name


def check_numbers(client: triton.InferenceServerClient, name: str, headers: dict) -> None:
    """One row and many, in JSON and binary each way, at once and one after the other: always the same numbers, to the bit."""
    rows = numpy.random.default_rng(1).random((ROWS, 5), dtype=numpy.float32)

    def tensor(numbers: numpy.ndarray, binary: bool) -> list:
        made = triton.InferInput("input", list(numbers.shape), "FP32")
        return [made.set_data_from_numpy(numbers, binary_data=binary)]

    usual = client.infer(name, tensor(rows, True), headers=dict(headers), request_id="many")
    answers = usual.as_numpy("output")
    assert usual.get_response()["id"] == "many" and answers.dtype == numpy.float32
    assert answers.shape == (ROWS, 3) and ((answers >= 0) & (answers <= 1)).all()
    assert len(numpy.unique(answers, axis=0)) > ROWS / 2, "the network says the same of everything"
    for sent in (True, False):
        for received in (True, False):
            wanted = [triton.InferRequestedOutput("output", binary_data=received)]
            answer = client.infer(name, tensor(rows, sent), outputs=wanted, headers=dict(headers))
            assert (answer.as_numpy("output") == answers).all(), (sent, received)
            one = client.infer(name, tensor(rows[:1], sent), outputs=wanted, headers=dict(headers))
            assert (one.as_numpy("output") == answers[:1]).all(), (sent, received)
    under_way = [
        client.async_infer(name, tensor(rows[index:index + 1], True), headers=dict(headers)) for index in range(40)
    ]
    for index, answer in enumerate(under_way):
        assert (answer.get_result().as_numpy("output") == answers[index:index + 1]).all(), index


def check_other_clients(client: triton.InferenceServerClient, name: str, headers: dict, stack: Stack) -> None:
    """What tritonclient does not send: KServe's list of models and its names in the body, and a body that is the tensor alone."""
    rows = numpy.random.default_rng(2).random((3, 5), dtype=numpy.float32)
    tensor = triton.InferInput("input", [3, 5], "FP32").set_data_from_numpy(rows)
    expected = client.infer(name, [tensor], headers=dict(headers)).as_numpy("output")

    def ask(path: str, data: bytes | None = None, **more: str):
        fields = {key.replace("_", "-"): value for key, value in more.items()}
        request = urllib.request.Request(f"{stack.url}{path}", data=data, headers={**headers, **fields})
        with urllib.request.urlopen(request, timeout=120) as answer:
            return answer.headers, answer.read()

    assert name in json.loads(ask("/v2/models")[1])["models"]
    body = {"model_name": name, "outputs": [], "unknown": 1, "inputs": [
        {"name": "input", "shape": [3, 5], "datatype": "FP32", "data": [float(number) for number in rows.flat]}]}
    _, answer = ask(f"/v2/models/{name}/infer", json.dumps(body).encode(), Content_Type="application/json")
    data = numpy.array(json.loads(answer)["outputs"][0]["data"], dtype=numpy.float32)
    assert (data.reshape(3, 3) == expected).all()
    fields, answer = ask(
        f"/v2/models/{name}/infer", rows.tobytes(), Content_Type="application/octet-stream",
        Inference_Header_Content_Length="0")
    length = int(fields["Inference-Header-Content-Length"])
    assert (numpy.frombuffer(answer[length:], dtype=numpy.float32).reshape(3, 3) == expected).all()


def check_errors(client: triton.InferenceServerClient, name: str, headers: dict, stack: Stack) -> None:
    """The client understands every refusal, of the service and of the gateway."""
    row = numpy.ones((1, 4), dtype=numpy.float32)
    tensor = [triton.InferInput("input", [1, 4], "FP32").set_data_from_numpy(row)]
    for model, version, sent, status, words in [
        (name, "", headers, "422", "inputs[0].shape"),
        ("no_such_model", "", headers, "404", "no model of this name"),
        (name, "999", headers, "404", "no such version"),
        (name, "", {}, "401", "credential"),
        (name, "", {**headers, "X-Tenant-ID": "00000000-0000-4000-8000-000000000000"}, "403", "tenant"),
    ]:
        try:
            client.infer(model, tensor, model_version=version, headers=dict(sent))
        except InferenceServerException as error:
            assert error.status() == status and words in error.message(), error
        else:
            raise AssertionError(f"{model} {version} was not refused")
    request = urllib.request.Request(
        f"{stack.url}/v2/models/{name}/infer", data=b"{}x",
        headers={**headers, "Content-Type": "application/octet-stream", "Inference-Header-Content-Length": "9"},
    )
    try:
        urllib.request.urlopen(request, timeout=120)
        raise AssertionError("a header length beyond the body was not refused")
    except urllib.error.HTTPError as error:
        assert error.code == 400, error.code


if __name__ == "__main__":
    sys.exit(main())
