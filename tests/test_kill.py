"""kill -9 under load: whatever was acknowledged is there after the restart."""
import os
import random
import subprocess
import threading
import time

import pytest
import requests

from conftest import Server, gyre_binary
from loop_util import Api, export, train_package

KILLS = 20
LOAD_S = (0.05, 0.7)  # between two kills
DOWN = (requests.exceptions.ConnectionError, requests.exceptions.ChunkedEncodingError)


class Acknowledged:
    """What the server said yes to. Every list belongs to one writer."""

    def __init__(self):
        self.runs: dict[str, list[tuple[str, float, int]]] = {}  # id -> metrics
        self.predictions: dict[str, float] = {}
        self.labels: dict[str, float] = {}
        self.deployed: list[str] = []
        self.removing: list[str] = []  # asked for; not all were acknowledged
        self.removed: list[str] = []
        self.versions: list[tuple[str, str]] = []
        self.refused: list[str] = []


class Writers:
    """Concurrent clients that go on until their server is gone."""

    def __init__(self, url: str, acknowledged: Acknowledged, round_number: int):
        self.done, self.url, self.round = acknowledged, url, round_number
        self.threads = [threading.Thread(target=self.guard, args=(writer,))
                        for writer in (self.track, self.track, self.predict, self.predict, self.label, self.change)]
        for thread in self.threads:
            thread.start()

    def join(self):
        for thread in self.threads:
            thread.join()

    def guard(self, writer):
        api = Api(self.url)
        try:
            while True:
                writer(api)
        except DOWN:
            pass
        except Exception as failure:  # an answer that is no success: told by the test's thread
            self.done.refused.append(f"{writer.__name__}: {failure}")

    def track(self, api):
        run = api.mlflow("runs/create", {"experiment_id": "0", "run_name": "load"})["run"]["info"]["run_id"]
        self.done.runs[run] = []
        for step in range(4):
            metrics = [{"key": "loss", "value": step / 3, "timestamp": 1, "step": step},
                       {"key": "gain", "value": float(step), "timestamp": 1, "step": step}]
            api.mlflow("runs/log-batch", {"run_id": run, "metrics": metrics})
            self.done.runs[run] += [(m["key"], m["value"], m["step"]) for m in metrics]

    def predict(self, api):
        ids = [f"r{self.round}-{threading.get_ident()}-{time.monotonic_ns()}-{i}" for i in range(3)]
        answer = api.predict("flights", ids)
        assert answer.status_code == 200, answer.text
        self.done.predictions.update(zip(ids, answer.json()["predictions"]))

    def label(self, api):
        pending = [one for one in list(self.done.predictions) if one not in self.done.labels][:20]
        if not pending:
            time.sleep(0.001)
            return
        labels = [{"request_id": one, "value": float(len(one) % 2)} for one in pending]
        api.native("POST", "labels", {"endpoint": "flights", "labels": labels})
        self.done.labels.update({one["request_id"]: one["value"] for one in labels})

    def change(self, api):
        name = f"e{self.round}-{len(self.done.deployed)}"
        api.deploy(name, "flights/1")
        self.done.deployed.append(name)
        made = api.mlflow("registered-models/create", {"name": name})["registered_model"]["name"]
        version = api.mlflow("model-versions/create", {"name": made, "source": "models:/flights/1"})
        self.done.versions.append((made, version["model_version"]["version"]))
        self.done.removing.append(name)
        api.native("DELETE", f"endpoints/{name}")
        self.done.removed.append(name)


def check_metadata(api: Api, done: Acknowledged, runs: list[str]):
    """Everything but the predictions, which one export checks at the end."""
    for run in runs:
        for key in ("loss", "gain"):
            history = api.ok("GET", "/api/2.0/mlflow/metrics/get-history", params={"run_id": run, "metric_key": key})
            seen = {(m["key"], m["value"], int(m["step"])) for m in history.get("metrics", [])}
            assert seen >= {metric for metric in done.runs[run] if metric[0] == key}, run
    events = {(event["type"], event["subject"]) for event in api.events()}
    for name in done.deployed:
        assert ("endpoint.created", f"endpoint/{name}") in events, name
    for name in done.removed:
        assert ("endpoint.removed", f"endpoint/{name}") in events, name
    there = {endpoint["name"] for endpoint in api.native("GET", "endpoints")["endpoints"]}
    assert there >= {"flights"} | (set(done.deployed) - set(done.removing))
    assert there.isdisjoint(done.removed)
    for name, version in done.versions:
        api.ok("GET", "/api/2.0/mlflow/model-versions/get", params={"name": name, "version": version})


def kill_while_it_starts(server: Server, rng: random.Random):
    process = subprocess.Popen(server.command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=server.env, text=True)
    time.sleep(rng.uniform(0.0, 0.12))
    process.kill()
    process.wait()
    process.stdout.close()


def test_nothing_acknowledged_is_lost_by_kill_9(tmp_path):
    seed = int(os.environ.get("GYRE_SEED", random.SystemRandom().randrange(2**32)))
    print(f"seed {seed} (GYRE_SEED repeats the moments)")
    rng = random.Random(seed)
    server = Server(tmp_path / "server").start()
    done, checked = Acknowledged(), 0
    try:
        api = Api(server.url)
        api.register(train_package(tmp_path / "train"), "flights")
        api.deploy("flights", "flights/1")
        for kill in range(KILLS):
            writers = Writers(server.url, done, kill)
            time.sleep(rng.uniform(*LOAD_S))
            server.kill()
            writers.join()
            assert not done.refused, done.refused
            if kill % 5 == 0:
                kill_while_it_starts(server, rng)
            server.start()
            api = Api(server.url)
            assert api.raw("GET", "/readyz").status_code == 200 or wait_ready(api)
            verified = subprocess.run([gyre_binary(), "--url", server.url, "events", "verify"], capture_output=True,
                                      text=True, check=False)
            assert verified.returncode == 0, verified.stdout + verified.stderr
            runs = list(done.runs)
            check_metadata(api, done, runs[checked:])
            checked = len(runs)
        check_metadata(api, done, rng.sample(list(done.runs), min(100, len(done.runs))))
        log = export(server.url, "flights", tmp_path / "log.parquet").set_index("request_id")
        assert log.index.is_unique
        assert set(done.predictions) - set(log.index) == set()
        scores, labels = log["score"].to_dict(), log["label"].to_dict()
        assert {one: scores[one] for one in done.predictions} == pytest.approx(done.predictions, abs=1e-6)
        assert {one: labels[one] for one in done.labels} == done.labels
        print(f"{len(done.runs)} runs, {len(done.predictions)} predictions, {len(done.labels)} labels, "
              f"{len(done.deployed)} endpoints, {len(done.versions)} versions")
        assert min(len(done.runs), len(done.predictions), len(done.labels), len(done.versions)) > 50
        assert server.error_lines() == []
    finally:
        server.stop()


def wait_ready(api: Api) -> bool:
    until = time.monotonic() + 10
    while time.monotonic() < until:
        if api.raw("GET", "/readyz").status_code == 200:
            return True
        time.sleep(0.02)
    return False
