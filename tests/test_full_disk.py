"""A full disk under a whole server: every write says so, everything else goes on, and nothing acknowledged is lost."""
import errno
import os
import pathlib
import subprocess
import threading

import pytest

from conftest import Server, wait_for
from loop_util import Api, export, train_package

DISK_MB = 80  # two or three rings of predictions (8 MB each) and room for the rest
TRIES = 400
BIG = "x" * 4000


@pytest.fixture
def disk(tmp_path):
    """A small file system of its own."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_MB}m", "none", str(folder)], capture_output=True,
                             text=True, check=False)
    if mounted.returncode != 0:
        pytest.skip(f"no file system can be mounted here: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=False)


def fill(path: pathlib.Path):
    """Takes every byte that is left."""
    with open(path, "wb", buffering=0) as file:
        piece = 1 << 20
        while piece > 0:
            try:
                file.write(b"\0" * piece)
            except OSError as failure:
                assert failure.errno == errno.ENOSPC
                piece //= 2


class Writes:
    """One write of every kind; what was acknowledged is remembered."""

    def __init__(self, api: Api, run: dict):
        self.api, self.run, self.number = api, run, 0
        self.runs, self.metrics, self.labels, self.blobs = [], [], {}, []

    def kinds(self) -> dict:
        return {"run": self.create_run, "metric": self.log_metric, "parameter": self.log_param, "artifact": self.upload,
                "model": self.create_model, "label": self.label, "dataset": self.dataset, "pipeline": self.pipeline,
                "endpoint": self.endpoint, "monitor": self.monitor}

    def next(self) -> int:
        self.number += 1
        return self.number

    def create_run(self):
        answer = self.api.raw("POST", "/api/2.0/mlflow/runs/create",
                              json={"experiment_id": "0", "tags": [{"key": "big", "value": BIG}]})
        if answer.status_code == 200:
            self.runs.append(answer.json()["run"]["info"]["run_id"])
        return answer

    def log_metric(self):
        metric = {"key": "m" * 200 + str(self.next()), "value": 1.0, "timestamp": 1, "step": self.number}
        answer = self.api.raw("POST", "/api/2.0/mlflow/runs/log-batch",
                              json={"run_id": self.run["run_id"], "metrics": [metric]})
        if answer.status_code == 200:
            self.metrics.append(metric["key"])
        return answer

    def log_param(self):
        return self.api.raw("POST", "/api/2.0/mlflow/runs/log-parameter",
                            json={"run_id": self.run["run_id"], "key": f"p{self.next()}", "value": BIG})

    def upload(self):
        name = f"blob{self.next()}"
        answer = self.api.upload(self.run["artifact_uri"], name, BIG.encode())
        if answer.status_code < 300:
            self.blobs.append(name)
        return answer

    def create_model(self):
        return self.api.raw("POST", "/api/2.0/mlflow/registered-models/create",
                            json={"name": f"model{self.next()}", "description": BIG})

    def label(self):
        one = f"label-{self.next()}"
        answer = self.api.raw("POST", "/api/gyre/v1/labels", json={
            "endpoint": "flights", "labels": [{"request_id": f"{one}-{i}", "value": 1.0} for i in range(200)]})
        if answer.status_code == 200:
            self.labels[one] = 1.0
        return answer

    def dataset(self):
        return self.api.raw("PUT", f"/api/gyre/v1/datasets/d{self.next()}.csv", data=BIG.encode())

    def pipeline(self):
        text = (f"name: p{self.next()}\ndescription: {BIG}\nsteps:\n  - id: a\n    kind: validate\n"
                "    with: {source: \"endpoint://flights\", window: 30d}\n")
        return self.api.raw("POST", "/api/gyre/v1/pipelines", json={"yaml": text})

    def endpoint(self):
        return self.api.raw("POST", "/api/gyre/v1/endpoints", json={"name": f"e{self.next()}", "model": "flights/1"})

    def monitor(self):
        return self.api.raw("POST", "/api/gyre/v1/monitors",
                            json={"endpoint": "flights", "name": f"m{self.next()}", "kind": "drift"})


def first_refusal(write):
    """What the write is answered once the last pages that the database had in hand are used up."""
    for _ in range(TRIES):
        answer = write()
        if answer.status_code >= 300:
            return answer
    return None


def predict_from_many_connections(server, prefix: str, count: int = 40) -> list[str]:
    """Requests over connections of their own, so that every I/O loop takes some."""
    acknowledged = []

    def ask(number):
        one = f"{prefix}-{number}"
        answer = Api(server.url).predict("flights", [one])
        assert answer.status_code == 200, answer.text
        acknowledged.append(one)

    threads = [threading.Thread(target=ask, args=(i,)) for i in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(acknowledged) == count
    return acknowledged


def overflow_the_rings(api: Api) -> list[str]:
    """More rows than the rings of all threads hold while nothing can be moved out of them: some must be dropped."""
    acknowledged = []
    for request in range(150):
        ids = [f"flood-{request}-{i}" for i in range(1000)]
        assert api.predict("flights", ids).status_code == 200
        acknowledged += ids
    return acknowledged


def dropped(api: Api) -> float:
    for line in api.raw("GET", "/metrics").text.splitlines():
        if line.startswith("gyre_monitoring_predictions_dropped_total "):
            return float(line.split()[1])
    return 0.0


def is_logged(api: Api, predicted: list[str]) -> bool:
    """One more prediction: did the log take it?"""
    before = dropped(api)
    predicted.append(f"probe-{len(predicted)}")
    assert api.predict("flights", predicted[-1:]).status_code == 200
    return dropped(api) == before


def test_a_full_disk_refuses_writes_and_nothing_else(tmp_path, disk):
    server = Server(disk).start()
    server_log = tmp_path / "server.log"
    try:
        api = Api(server.url)
        api.register(train_package(tmp_path / "train"), "flights")
        api.deploy("flights", "flights/1")
        predicted = predict_from_many_connections(server, "before")
        run = api.mlflow("runs/create", {"experiment_id": "0"})["run"]["info"]
        writes = Writes(api, run)
        for kind, write in writes.kinds().items():
            assert write().status_code < 300, kind

        fill(disk / "filler")
        for kind, write in writes.kinds().items():
            refused = first_refusal(write)
            assert refused is not None, f"{kind}: the disk is full and all went well"
            body = refused.json()
            code = body.get("code") or body.get("error_code")
            assert refused.status_code == 507 and code.lower() == "resource_exhausted", f"{kind}: {refused.text}"
            assert "space" in body["message"] and "try again" in body["message"], f"{kind}: {refused.text}"
        predicted += predict_from_many_connections(server, "full", 200) + overflow_the_rings(api)
        for path in ("/healthz", "/readyz", "/metrics", "/", "/api/gyre/v1/endpoints", "/api/gyre/v1/events",
                     f"/api/2.0/mlflow/runs/get?run_id={run['run_id']}", "/v2/models/flights",
                     "/api/gyre/v1/endpoints/flights/traffic"):
            assert api.raw("GET", path).status_code == 200, path
        assert api.mlflow("runs/search", {"experiment_ids": ["0"]})["runs"]
        assert server.process.poll() is None

        os.unlink(disk / "filler")
        wait_for(lambda: writes.label().status_code == 200, 5)
        wait_for(lambda: is_logged(api, predicted), 5)
        for kind, write in writes.kinds().items():
            assert write().status_code < 300, kind
        predicted += predict_from_many_connections(server, "after")
        lost = dropped(api)
        server.kill()
        server.start()
        api = Api(server.url)
        seen = api.ok("GET", "/api/2.0/mlflow/runs/get", params={"run_id": run["run_id"]})["run"]["data"]
        assert {metric["key"] for metric in seen["metrics"]} >= set(writes.metrics)
        for one in writes.runs:
            api.ok("GET", "/api/2.0/mlflow/runs/get", params={"run_id": one})
        for name in writes.blobs:
            path = run["artifact_uri"].removeprefix("mlflow-artifacts:/")
            assert api.raw("GET", f"/api/2.0/mlflow-artifacts/artifacts/{path}/{name}").text == BIG
        known = [{"request_id": f"{one}-{i}", "value": 1.0} for one in writes.labels for i in range(200)]
        for at in range(0, len(known), 50_000):
            counts = api.native("POST", "labels", {"endpoint": "flights", "labels": known[at:at + 50_000]})
            assert counts["accepted"] == 0, "labels that were acknowledged are known after the restart"
        log = export(server.url, "flights", tmp_path / "log.parquet")
        assert log["request_id"].is_unique
        missing = set(predicted) - set(log["request_id"])
        assert 0 < len(missing) == lost < len(predicted), "what the log could not take is counted"
        assert not any(one.startswith(("before", "full", "after")) for one in missing)
        assert api.native("GET", "events/verify")["ok"] is True
    finally:
        server.stop()
        server_log.write_text(server.log())
