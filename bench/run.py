#!/usr/bin/env python3
"""Speed of Gyre beside references measured in the same run, as one Markdown table. It judges nothing: the exit
code is 0 when the table could be made. `./dev bench` builds what it needs and calls it; README.md says what the
lines mean.

    bench/run.py [--quick] [--only infer,log,forest,idle,tracking,retraining] [--build build/release]
"""
import argparse
import ctypes
import json
import os
import pathlib
import platform
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import traceback

import numpy as np

from harness import (Child, GyreServer, Skipped, Table, Wrk, alternate, ask, free_port, median_of, median_ratio,
                     wait_port)

ROOT = pathlib.Path(__file__).resolve().parent.parent
FEATURES, TREES, DEPTH, BATCH = 14, 100, 6, 256
CONNECTIONS = 32
MODELS = 100
DEPLOYED = 10
METRICS = 1000
CLIENTS = 8


class Bench:
    """What the parts share: the binaries, a folder, how long to measure, one model."""

    def __init__(self, options, folder: pathlib.Path):
        build = pathlib.Path(options.build).resolve()
        self.gyre = build / "gyre"
        self.responder = build / "bench" / "gyre_responder"
        self.build = build
        self.folder = folder
        self.rounds = 2 if options.quick else 5
        self.seconds = 1 if options.quick else 4
        self.quick = options.quick
        self.table = Table()
        self.rng = np.random.default_rng(1)
        self.children = []
        self._repository = None

    def start(self, child: Child) -> Child:
        self.children.append(child)
        return child

    def server(self, name: str, *flags: str) -> GyreServer:
        return self.start(GyreServer(self.gyre, self.folder / name, *flags))

    def stop_all(self) -> None:
        while self.children:
            self.children.pop().stop()

    def rows(self, n: int) -> np.ndarray:
        out = self.rng.normal(size=(n, FEATURES)).astype(np.float32)
        return np.round(out, 4)

    def labels(self, rows: np.ndarray) -> np.ndarray:
        score = np.sin(2 * rows + np.arange(FEATURES)).sum(axis=1) + self.rng.normal(size=len(rows))
        return (score > 0).astype(np.float32)

    @property
    def repository(self) -> pathlib.Path:
        """A model repository with one model, `bench`: TREES trees of depth DEPTH on FEATURES features."""
        if self._repository is None:
            import xgboost
            rows = self.rows(20_000)
            data = xgboost.DMatrix(rows, label=self.labels(rows))
            booster = xgboost.train({"objective": "binary:logistic", "max_depth": DEPTH, "nthread": 1}, data, TREES)
            self._repository = self.folder / "repository"
            (self._repository / "bench" / "1").mkdir(parents=True)
            booster.save_model(self._repository / "bench" / "1" / "model.ubj")
        return self._repository

    def infer_body(self, n: int) -> bytes:
        data = [float(f"{x:.4g}") for x in self.rows(n).ravel()]
        tensor = {"name": "input", "shape": [n, FEATURES], "datatype": "FP32", "data": data}
        return json.dumps({"inputs": [tensor]}, separators=(",", ":")).encode()


INFER = "/v2/models/bench/infer"


def whole_answer(port: int, path: str, body: bytes) -> bytes:
    """The bytes of an answer, head included."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n"
                           f"Content-Length: {len(body)}\r\n\r\n".encode() + body)
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += connection.recv(65536)
        head, _, rest = answer.partition(b"\r\n\r\n")
        length = int(re.search(rb"(?i)content-length: (\d+)", head).group(1))
        while len(rest) < length:
            rest += connection.recv(65536)
        return head + b"\r\n\r\n" + rest


def check_responder(port: int, body: bytes, answer: bytes) -> None:
    """The reference must read whole requests: one cut in pieces and three at once get exactly four answers."""
    request = (f"POST {INFER} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n").encode() + body
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for piece in (request[:20], request[20:-1]):
            connection.sendall(piece)
            time.sleep(0.05)
        connection.settimeout(0.1)
        try:
            connection.recv(1)
            raise RuntimeError("the responder answered before the body was there")
        except TimeoutError:
            connection.settimeout(5)
        connection.sendall(request[-1:] + request * 3)
        got = b""
        while len(got) < 4 * len(answer):
            got += connection.recv(65536)
        if got != answer * 4:
            raise RuntimeError("the responder's answers are not the constant")


def infer(bench: Bench) -> None:
    body = bench.infer_body(1)
    server = bench.server("infer", "--model-repository", str(bench.repository))
    answer = whole_answer(server.port, INFER, body)
    answer_file = bench.folder / "answer.http"
    answer_file.write_bytes(answer)
    port = free_port()
    responder = bench.start(Child([str(bench.responder), str(port), str(os.cpu_count()), str(answer_file)],
                                  bench.folder / "responder.log"))
    wait_port(port, responder)
    check_responder(port, body, answer)
    ours_load = Wrk(bench.folder, server.port, INFER, body)
    bare_load = Wrk(bench.folder, port, INFER, body)
    ours_load.run(1, CONNECTIONS)
    ours, bare = alternate(bench.rounds, lambda: ours_load.run(bench.seconds, CONNECTIONS, child=server),
                           lambda: bare_load.run(bench.seconds, CONNECTIONS, child=responder))
    what = f"infer, 1 row, {CONNECTIONS} connections: "
    for text, key, form, target in (("requests/s", "rps", "{:,.0f}", ">= 0.8"),
                                    ("server CPU us/request", "cpu_us", "{:.2f}", "<= 1.4"),
                                    ("p99 us", "p99_us", "{:,.0f}", "< 3")):
        bench.table.add(what + text, form.format(median_of(ours, key)),
                        f"bare responder, same {len(answer)} bytes: " + form.format(median_of(bare, key)),
                        median_ratio(ours, bare, key), target)
    batch = Wrk(bench.folder, server.port, INFER, bench.infer_body(BATCH))
    runs = [batch.run(bench.seconds, 8, child=server) for _ in range(bench.rounds)]
    bench.table.add(f"infer, {BATCH} rows a request: rows/s", f"{median_of(runs, 'rps') * BATCH:,.0f}",
                    f"server CPU us/row: {median_of(runs, 'cpu_us') / BATCH:.3f}", None,
                    "1,000,000 on 2 cores")


def prediction_log(bench: Bench) -> None:
    if "prediction_log" not in subprocess.run([bench.gyre, "config"], capture_output=True, text=True).stdout:
        raise Skipped("this gyre cannot switch its prediction log off")
    body = bench.infer_body(1)
    repository = ("--model-repository", str(bench.repository))
    on = bench.server("log-on", *repository)
    off = bench.server("log-off", *repository, "--prediction-log", "false")
    loads = [Wrk(bench.folder, server.port, INFER, body) for server in (on, off)]
    with_log, without = alternate(bench.rounds, lambda: loads[0].run(bench.seconds, CONNECTIONS, child=on),
                                  lambda: loads[1].run(bench.seconds, CONNECTIONS, child=off))
    bench.table.add("prediction log on against off: requests/s", f"{median_of(with_log, 'rps'):,.0f}",
                    f"off: {median_of(without, 'rps'):,.0f}", median_ratio(with_log, without, "rps"), ">= 0.85")
    bench.table.add("prediction log on against off: server CPU us/request", f"{median_of(with_log, 'cpu_us'):.2f}",
                    f"off: {median_of(without, 'cpu_us'):.2f}", median_ratio(with_log, without, "cpu_us"))


def best_us(call, calls: int, rounds: int = 15) -> float:
    best = float("inf")
    for _ in range(rounds):
        start = time.thread_time_ns()
        for _ in range(calls):
            call()
        best = min(best, (time.thread_time_ns() - start) / calls / 1000)
    return best


def onnx_us(booster, row: np.ndarray) -> tuple[float, float]:
    """One row through ONNX Runtime on one thread: with the same trees, and with a graph that only copies."""
    import onnxruntime
    from onnx import TensorProto, helper
    from onnxmltools.convert import convert_xgboost
    from onnxmltools.convert.common.data_types import FloatTensorType
    trees = convert_xgboost(booster, initial_types=[("input", FloatTensorType([None, FEATURES]))])
    shape = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [None, FEATURES]) for name in ("input", "output")]
    copy = helper.make_model(helper.make_graph([helper.make_node("Identity", ["input"], ["output"])], "copy",
                                               shape[:1], shape[1:]),
                             opset_imports=[helper.make_opsetid("", 15)], ir_version=8)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    times = []
    for graph in (trees, copy):
        session = onnxruntime.InferenceSession(graph.SerializeToString(), options, ["CPUExecutionProvider"])
        output = [session.get_outputs()[-1].name]
        feed = {"input": row}
        times.append(best_us(lambda: session.run(output, feed), 1000))
    return times[0], times[1]


def pip_xgboost_us(booster, row: np.ndarray) -> tuple[str, float]:
    """One row through XGBoosterPredictFromDense of the xgboost that pip brought, called through ctypes."""
    import xgboost
    from xgboost.core import _LIB
    interface = json.dumps({"data": [row.ctypes.data, True], "shape": list(row.shape), "typestr": "<f4",
                            "version": 3}).encode()
    config = (b'{"type":0,"training":false,"iteration_begin":0,"iteration_end":0,"strict_shape":false,'
              b'"missing":NaN,"cache_id":0}')
    shape, dims, out = ctypes.POINTER(ctypes.c_uint64)(), ctypes.c_uint64(), ctypes.POINTER(ctypes.c_float)()
    arguments = (booster.handle, interface, config, None, ctypes.byref(shape), ctypes.byref(dims), ctypes.byref(out))
    if _LIB.XGBoosterPredictFromDense(*arguments) != 0:
        raise RuntimeError("XGBoosterPredictFromDense failed")
    predict = _LIB.XGBoosterPredictFromDense
    return xgboost.__version__, best_us(lambda: predict(*arguments), 1000)


def forest(bench: Bench) -> None:
    tool = bench.build / "bench" / "forest_bench"
    built = subprocess.run(["ninja", "-C", bench.build, "forest_bench"], capture_output=True, text=True)
    if built.returncode != 0:
        raise Skipped("forest_bench does not build: it needs libxgboost-dev")
    saved = bench.folder / "forest.json"
    text = subprocess.run([tool, str(TREES), str(DEPTH), str(FEATURES), "0", saved], capture_output=True, text=True,
                          check=True).stdout
    version = re.search(r"XGBoost ([\d.]+)", text).group(1)
    lines = {int(n): (float(peer), float(ours)) for n, peer, ours in
             re.findall(r"^\| (\d+) \| ([\d.]+) \| ([\d.]+) \|", text, re.M)}
    one, ours_batch = lines[1][1], lines[max(lines)][1]
    bench.table.add("forest, 1 row, 1 thread: us", f"{one:.3f}", f"XGBoost {version}, C API: {lines[1][0]:.2f}",
                    lines[1][0] / one)
    bench.table.add(f"forest, {max(lines):,} rows, 1 thread: us/row", f"{ours_batch:.3f}",
                    f"XGBoost {version}, C API: {lines[max(lines)][0]:.3f}", lines[max(lines)][0] / ours_batch)
    import xgboost
    booster = xgboost.Booster({"nthread": 1}, model_file=str(saved))
    row = np.ascontiguousarray(bench.rows(1))
    name, pip = pip_xgboost_us(booster, row)
    bench.table.add("forest, 1 row, same trees: us", f"{one:.3f}", f"XGBoost {name} of pip, C API: {pip:.2f}", pip / one)
    trees_us, copy_us = onnx_us(booster, row)
    bench.table.add("forest, 1 row, same trees: us", f"{one:.3f}",
                    f"ONNX Runtime, 1 thread: {trees_us:.2f}, of which calling it {copy_us:.2f}",
                    max(trees_us - copy_us, 0.0) / one)
    encoding = re.search(r"Encoding of raw rows \((.+)\): ([\d.]+) us for one row, ([\d.]+) us", text)
    bench.table.add("encoding from raw values, 1 row: us", encoding.group(2), encoding.group(1))
    bench.table.add("encoding from raw values, 10,000 rows: us/row", encoding.group(3))


def idle(bench: Bench) -> None:
    server = bench.server("idle", "--model-repository", str(bench.repository))
    time.sleep(1)
    bench.table.add("idle, 1 model: resident MB", f"{server.rss_mb():.1f}", "", None, "< 120")
    bench.table.add("start to ready, 1 model: ms", f"{server.ready_s * 1000:.0f}")
    many = bench.folder / "many"
    for i in range(MODELS):
        shutil.copytree(bench.repository / "bench", many / f"m{i:03}")
    runs = []
    for i in range(bench.rounds):
        runs.append(bench.server(f"many{i}", "--model-repository", str(many)))
        if i + 1 < bench.rounds:
            runs[-1].stop()
    time.sleep(1)
    bench.table.add(f"start to ready, {MODELS} models served: ms",
                    f"{statistics.median(run.ready_s for run in runs) * 1000:.0f}", "", None, "< 1000")
    bench.table.add(f"idle, {MODELS} models served: resident MB", f"{runs[-1].rss_mb():.1f}", "", None, "< 120")
    registered_and_deployed(bench)


def must(port: int, method: str, path: str, body: bytes | dict | None = None) -> dict:
    given = json.dumps(body).encode() if isinstance(body, dict) else body
    status, answer = ask(port, method, path, given)
    if status >= 300:
        raise RuntimeError(f"{method} {path}: {status} {answer[:300]!r}")
    return json.loads(answer) if answer else {}


def registered_and_deployed(bench: Bench) -> None:
    """MODELS registered models, DEPLOYED of them behind endpoints; then the same data folder is started again."""
    server = bench.server("registered")
    table = bench.folder / "registered.csv"
    rows = bench.rows(2000)
    names = ",".join([*(f"f{i}" for i in range(FEATURES)), "y"])
    np.savetxt(table, np.column_stack([rows, bench.labels(rows)]), "%.6g", ",", header=names, comments="")
    subprocess.run([bench.gyre, "--url", f"http://127.0.0.1:{server.port}", "train", "--data", table, "--target", "y",
                    "--out", bench.folder / "registered-package", "--register", "m000"], check=True, capture_output=True)
    first = must(server.port, "GET", f"{MLFLOW}/model-versions/get?name=m000&version=1")["model_version"]
    for i in range(1, MODELS):
        must(server.port, "POST", f"{MLFLOW}/registered-models/create", {"name": f"m{i:03}"})
        must(server.port, "POST", f"{MLFLOW}/model-versions/create",
             {"name": f"m{i:03}", "source": first["source"], "run_id": first["run_id"]})
    for i in range(DEPLOYED):
        must(server.port, "POST", "/api/gyre/v1/endpoints", {"name": f"m{i:03}", "model": f"m{i:03}/1"})
    runs = []
    for _ in range(bench.rounds):
        server.stop()
        server = bench.server("registered")
        runs.append(server.ready_s)
    time.sleep(1)
    what = f"{MODELS} models registered, {DEPLOYED} deployed: "
    bench.table.add(what + "start to ready, ms", f"{statistics.median(runs) * 1000:.0f}", "", None, "< 1000")
    bench.table.add(what + "resident MB", f"{server.rss_mb():.1f}", "", None, "< 120")


MLFLOW = "/api/2.0/mlflow"


class Tracking:
    """The same two measurements against anything that speaks MLflow's REST API."""

    def __init__(self, bench: Bench, port: int):
        self.bench, self.port = bench, port
        self.experiment = self.post("/experiments/create", {"name": "bench"})["experiment_id"]
        self.run_id = self.post("/runs/create", {"experiment_id": self.experiment})["run"]["info"]["run_id"]
        self.step = 0
        self.load = Wrk(bench.folder, port, MLFLOW + "/runs/create",
                        json.dumps({"experiment_id": self.experiment, "start_time": 1}).encode())

    def post(self, path: str, body: dict) -> dict:
        return must(self.port, "POST", MLFLOW + path, body)

    def log_batch(self) -> dict:
        """METRICS new points of ten keys in one request."""
        metrics = [{"key": f"loss{i % 10}", "value": i * 0.001, "timestamp": 1_700_000_000_000 + i,
                    "step": self.step + i // 10} for i in range(METRICS)]
        self.step += METRICS // 10
        body = {"run_id": self.run_id, "metrics": metrics}
        start = time.monotonic()
        self.post("/runs/log-batch", body)
        return {"ms": (time.monotonic() - start) * 1000}

    def create(self) -> dict:
        return self.load.run(self.bench.seconds, CLIENTS, threads=1)


def tracking(bench: Bench) -> None:
    server = bench.server("tracking")
    if ask(server.port, "POST", MLFLOW + "/experiments/create", b'{"name":"probe"}')[0] == 404:
        raise Skipped("this gyre has no MLflow routes")
    port = free_port()
    store = bench.folder / "mlflow"
    store.mkdir()
    peer = bench.start(Child([sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port),
                              "--backend-store-uri", f"sqlite:///{store}/mlflow.db", "--artifacts-destination",
                              str(store / "artifacts")], bench.folder / "mlflow.log", cwd=store))
    wait_port(port, peer)
    ours, theirs = Tracking(bench, server.port), Tracking(bench, port)
    a, b = alternate(5 * bench.rounds, ours.log_batch, theirs.log_batch)
    bench.table.add(f"log-batch of {METRICS} metrics: ms", f"{median_of(a, 'ms'):.1f}",
                    f"mlflow server, SQLite: {median_of(b, 'ms'):.1f}", median_ratio(b, a, "ms"))
    a, b = alternate(bench.rounds, ours.create, theirs.create)
    bench.table.add(f"runs/create, {CLIENTS} clients: runs/s", f"{median_of(a, 'rps'):,.0f}",
                    f"mlflow server, SQLite: {median_of(b, 'rps'):,.0f}", median_ratio(a, b, "rps"))


PIPELINE = """
name: retrain
steps:
  - id: train
    kind: train
    with:
      table: "{table}"
      model: bench
      target: y
      time_column: ""
      holdout: {{kind: none}}
      params: {{trees: 5000, max_depth: {depth}, threads: {threads}}}
"""
RUNS = "/api/gyre/v1/pipeline-runs/"


class Retraining:
    """A training that the server itself has started, as a trigger would: inside `with`, trees grow."""

    def __init__(self, bench: Bench, server: GyreServer):
        self.port, self.data = server.port, server.data
        rows = bench.rows(80_000)
        names = [f"f{i}" for i in range(FEATURES)]
        table = np.column_stack([rows, bench.labels(rows)])
        np.savetxt(self.data / "train.csv", table, "%.6g", ",", header=",".join([*names, "y"]), comments="")
        text = PIPELINE.format(table=self.data / "train.csv", depth=DEPTH, threads=os.cpu_count())
        self.ask("POST", "/api/gyre/v1/pipelines", {"yaml": text})

    def ask(self, method: str, path: str, body: dict | None = None) -> dict:
        return must(self.port, method, path, body)

    def __enter__(self) -> None:
        self.run = self.ask("POST", "/api/gyre/v1/pipelines/retrain/runs", {})["id"]
        until = time.monotonic() + 60
        while not self.grows():
            state = self.ask("GET", RUNS + self.run)
            if state["state"] == "failed" or time.monotonic() > until:
                raise RuntimeError(f"training did not begin: {state}")
            time.sleep(0.05)

    def grows(self) -> bool:
        """Whether the child of this run says that it has grown a tree."""
        files = [path for path in self.data.rglob("progress.jsonl") if self.run in str(path)]
        return any('"iteration":2' in path.read_text().replace(" ", "") for path in files)

    def __exit__(self, failure, *unused) -> None:
        state = self.ask("GET", RUNS + self.run)["state"]
        self.ask("POST", RUNS + self.run + "/cancel", {})
        while self.ask("GET", RUNS + self.run)["state"] == "running":
            time.sleep(0.05)
        if state != "running" and failure is None:
            raise RuntimeError(f"the training was {state} before the load ended")


def retraining(bench: Bench) -> None:
    server = bench.server("retraining", "--model-repository", str(bench.repository))
    load = Wrk(bench.folder, server.port, INFER, bench.infer_body(1))
    training = Retraining(bench, server)

    def beside(connections: int) -> dict:
        with training:
            return load.run(bench.seconds, connections, threads=1)

    for connections, state in ((2, "cores to spare"), (CLIENTS, "cores full")):
        busy, alone = alternate(bench.rounds, lambda: beside(connections),
                                lambda: load.run(bench.seconds, connections, threads=1))
        what = f"infer beside a training of the server's, {connections} connections ({state}): "
        bench.table.add(what + "p99 us", f"{median_of(busy, 'p99_us'):,.0f}", f"alone: {median_of(alone, 'p99_us'):,.0f}",
                        median_ratio(busy, alone, "p99_us"), "<= 2")
        bench.table.add(what + "requests/s", f"{median_of(busy, 'rps'):,.0f}", f"alone: {median_of(alone, 'rps'):,.0f}",
                        median_ratio(busy, alone, "rps"))


PARTS = {"infer": infer, "log": prediction_log, "forest": forest, "idle": idle, "tracking": tracking,
         "retraining": retraining}


def cpu_name() -> str:
    found = re.search(r"model name\s*:\s*(.+)", pathlib.Path("/proc/cpuinfo").read_text())
    return found.group(1) if found else platform.machine()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--quick", action="store_true", help="shorter and less exact: about a minute")
    parser.add_argument("--only", default=",".join(PARTS), help="parts, comma-separated: " + ", ".join(PARTS))
    parser.add_argument("--build", default=str(ROOT / "build" / "release"), help="the build folder")
    options = parser.parse_args()
    parts = options.only.split(",")
    if unknown := [part for part in parts if part not in PARTS]:
        parser.error(f"unknown part {unknown[0]!r}; there are {', '.join(PARTS)}")
    notes = []
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="gyre-bench-") as folder:
        bench = Bench(options, pathlib.Path(folder))
        for part in parts:
            print(f"[bench] {part}", file=sys.stderr, flush=True)
            try:
                PARTS[part](bench)
            except Skipped as reason:
                notes.append(f"{part}: left out, {reason}")
            except Exception as failure:
                traceback.print_exc()
                notes.append(f"{part}: failed, {failure}")
            finally:
                bench.stop_all()
    print(f"{cpu_name()}, {os.cpu_count()} cores, load {load:.1f} at the start"
          f"{'; quick: not exact' if options.quick else ''}.\n\n{bench.table.markdown()}")
    if notes:
        print("\n" + "\n".join(f"- {note}" for note in notes))
    return 0


if __name__ == "__main__":
    sys.exit(main())
