#!/usr/bin/env python3
"""Writes the data folder of this binary's release as text: see README.md.

    GYRE_BIN=build/release/gyre build/venv/bin/python tests/data_folders/make.py tests/data_folders/0.1
"""
import base64
import json
import pathlib
import sqlite3
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from conftest import Server  # noqa: E402
from loop_util import Api, export, train_package  # noqa: E402

IDS = [f"request-{i}" for i in range(8)]
TIME = "2013-02-0{}T10:00:00Z"
PIPELINE = """name: retrain
steps:
  - id: validate
    kind: validate
    with: {source: "endpoint://flights", window: 30d}
"""


def fill(api: Api, folder: pathlib.Path) -> dict:
    """A little of everything that a data folder can hold; what the server then says about it."""
    experiment = api.mlflow("experiments/create", {"name": "old"})["experiment_id"]
    run = api.mlflow("runs/create", {"experiment_id": experiment, "run_name": "first"})["run"]["info"]["run_id"]
    api.mlflow("runs/log-batch", {"run_id": run, "params": [{"key": "depth", "value": "6"}],
                                  "metrics": [{"key": "loss", "value": 1 / (step + 1), "timestamp": 1000, "step": step}
                                              for step in range(3)],
                                  "tags": [{"key": "stage", "value": "old"}]})
    api.register(train_package(folder / "train"), "flights")
    api.ok("POST", "/api/2.0/mlflow/registered-models/alias", {"name": "flights", "alias": "champion", "version": "1"})
    api.deploy("flights", "flights/1", time="event", shadows=[{"name": "beside", "model": "flights/1"}])
    api.native("POST", "monitors", {"endpoint": "flights", "name": "drift", "kind": "drift"})
    api.native("POST", "pipelines", {"yaml": PIPELINE})
    answer = api.predict("flights", IDS, event_times=[TIME.format(1 + i) for i in range(len(IDS))])
    labels = [{"request_id": one, "value": float(i % 2), "time": "2013-02-20T00:00:00Z"} for i, one in enumerate(IDS[:5])]
    api.native("POST", "labels", {"endpoint": "flights", "labels": labels})
    return {"run": run, "scores": dict(zip(IDS, answer.json()["predictions"])),
            "labels": {one["request_id"]: one["value"] for one in labels}}


def as_text(content: bytes):
    try:
        return content.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(content).decode()}


def main(target: pathlib.Path):
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch)
        server = Server(folder / "server").start()
        expected = fill(Api(server.url), folder)
        expected["exported"] = len(export(server.url, "flights", folder / "log.parquet"))
        expected["events"] = len(Api(server.url).events())
        assert server.stop() == 0, server.log()
        database = sqlite3.connect(server.data / "gyre.db")
        (target / "gyre.sql").write_text("\n".join(database.iterdump()) + "\n")
        database.close()
        files = {str(path.relative_to(server.data)): as_text(path.read_bytes())
                 for path in sorted(server.data.rglob("*"))
                 if path.is_file() and not path.name.startswith("gyre.db") and path.name != "lock"}
        (target / "files.json").write_text(json.dumps(files, indent=1) + "\n")
        (target / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
