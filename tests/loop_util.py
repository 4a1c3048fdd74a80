"""What tests of the loop share: a small model in the registry, predictions, labels, and the prediction log as a table."""
import json
import os
import pathlib
import subprocess

import pyarrow.parquet
import requests

from conftest import gyre_binary

PORTS = ["EWR", "JFK", "LGA"]
ROWS = 400


def training_table() -> str:
    """Late exactly when far and from EWR, but for every 17th row."""
    lines = ["origin,distance,late"]
    for i in range(ROWS):
        origin, distance = PORTS[i % 3], 100 + (i * 37) % 1000
        late = int(origin == "EWR" and distance > 500) if i % 17 else i % 2
        lines.append(f"{origin},{distance},{late}")
    return "\n".join(lines) + "\n"


def train_package(folder: pathlib.Path, trees: int = 5) -> pathlib.Path:
    """A model package (columns origin and distance) made by a child of our own."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "rows.csv").write_text(training_table())
    spec = {"kind": "train", "inputs": [{"name": "rows", "path": str(folder / "rows.csv")}],
            "params": {"table": "rows", "target": "late", "features": [{"name": "origin"}, {"name": "distance"}],
                       "params": {"trees": trees}},
            "output_dir": str(folder / "out")}
    (folder / "spec.json").write_text(json.dumps(spec))
    subprocess.run([gyre_binary(), "step", str(folder / "spec.json")], check=True, timeout=60,
                   env={**os.environ, "OMP_WAIT_POLICY": "PASSIVE"})
    return folder / "out" / "package"


class Api:
    """Calls that fail the test unless they succeed; `raw` gives any answer. One per thread."""

    def __init__(self, url: str):
        self.url = url
        self.session = requests.Session()

    def raw(self, method: str, path: str, **given) -> requests.Response:
        return self.session.request(method, self.url + path, timeout=30, **given)

    def ok(self, method: str, path: str, body=None, **given) -> dict:
        answer = self.raw(method, path, json=body, **given) if body is not None else self.raw(method, path, **given)
        assert answer.status_code < 300, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json()

    def mlflow(self, path: str, body: dict) -> dict:
        return self.ok("POST", f"/api/2.0/mlflow/{path}", body)

    def native(self, method: str, path: str, body=None) -> dict:
        return self.ok(method, f"/api/gyre/v1/{path}", body)

    def upload(self, artifact_uri: str, name: str, content: bytes) -> requests.Response:
        path = artifact_uri.removeprefix("mlflow-artifacts:/")
        return self.raw("PUT", f"/api/2.0/mlflow-artifacts/artifacts/{path}/{name}", data=content)

    def register(self, package: pathlib.Path, model: str) -> str:
        """A version of the package; "flights/1"."""
        self.raw("POST", "/api/2.0/mlflow/registered-models/create", json={"name": model})
        run = self.mlflow("runs/create", {"experiment_id": "0"})["run"]["info"]
        for file in sorted(path for path in package.rglob("*") if path.is_file()):
            name = f"model/{file.relative_to(package)}"
            assert self.upload(run["artifact_uri"], name, file.read_bytes()).status_code < 300
        version = self.mlflow("model-versions/create", {"name": model, "source": run["artifact_uri"] + "/model",
                                                        "run_id": run["run_id"]})["model_version"]["version"]
        return f"{model}/{version}"

    def deploy(self, endpoint: str, model: str, **more) -> dict:
        return self.native("POST", "endpoints", {"name": endpoint, "model": model, **more})

    def predict(self, endpoint: str, ids: list[str], **more) -> requests.Response:
        rows = [{"origin": PORTS[i % 3], "distance": 100 + len(one) * 31 + i} for i, one in enumerate(ids)]
        return self.raw("POST", f"/api/gyre/v1/endpoints/{endpoint}/predict",
                        json={"rows": rows, "request_ids": ids, **more})

    def events(self) -> list[dict]:
        events, after = [], 0
        while True:
            page = self.native("GET", f"events?limit=500&after={after}")
            if not page["events"]:
                return events
            events += page["events"]
            after = page["next"]


def export(url: str, endpoint: str, path: pathlib.Path, *flags: str):
    """The prediction log by the command line, as a data frame."""
    done = subprocess.run([gyre_binary(), "--url", url, "predictions", "export", endpoint, "--out", str(path), *flags],
                          capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return pyarrow.parquet.read_table(path).to_pandas()
