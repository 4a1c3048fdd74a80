"""Subcommands on the real binary; what no route serves yet, against a small server that keeps the requests."""
import csv
import http.server
import json
import os
import signal
import subprocess
import threading
import urllib.parse

import pytest
import requests

from conftest import ROOT, gyre_binary, wait_for


def write(path, text: str):
    path.write_text(text)
    return path


def run_step(gyre, tmp_path, kind: str, params: dict, table: str):
    """`gyre step` over one CSV; the process and its result.json."""
    write(tmp_path / "rows.csv", table)
    out = tmp_path / "out"
    spec = {"kind": kind, "inputs": [{"name": "rows", "path": str(tmp_path / "rows.csv")}], "params": params,
            "output_dir": str(out)}
    done = gyre("step", str(write(tmp_path / "spec.json", json.dumps(spec))))
    return done, json.loads((out / "result.json").read_text())


def suite(column: str) -> dict:
    return {"table": "rows", "suite": {"name": "s", "expectations": [
        {"type": "expect_column_values_to_not_be_null", "kwargs": {"column": column}}]}}


def test_step_validates_a_table(gyre, tmp_path):
    done, result = run_step(gyre, tmp_path, "validate", suite("a"), "a,b\n1,x\n2,y\n,z\n")
    assert done.returncode == 1, done.stderr
    assert result["result"]["success"] is False and result["result"]["results"][0]["missing_count"] == 1
    done, result = run_step(gyre, tmp_path, "validate", suite("b"), "a,b\n1,x\n2,y\n,z\n")
    assert done.returncode == 0, done.stderr
    assert result["result"]["success"] is True and result["result"]["rows"] == 3


def test_step_names_its_kinds_when_it_does_not_know_one(gyre, tmp_path):
    done, result = run_step(gyre, tmp_path, "cook", {}, "a\n1\n")
    assert done.returncode == 2
    for kind in ("evaluate", "gate", "sql", "train", "validate"):
        assert kind in result["error"]["message"]


def test_step_is_hidden(gyre):
    assert "pipeline step" not in gyre("--help").stdout


# Endpoints, predictions and events, against the real server.

ROWS = 400
PORTS = ["EWR", "JFK", "LGA"]


def training_table() -> str:
    """Late exactly when far and from EWR, but for every 17th row."""
    lines = ["origin,distance,late"]
    for i in range(ROWS):
        origin, distance = PORTS[i % 3], 100 + (i * 37) % 1000
        late = int(origin == "EWR" and distance > 500) if i % 17 else i % 2
        lines.append(f"{origin},{distance},{late}")
    return "\n".join(lines) + "\n"


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    """A model repository with flights/1 and flights/2."""
    folder = tmp_path_factory.mktemp("repository")
    write(folder / "rows.csv", training_table())
    for version in ("1", "2"):
        spec = {"kind": "train", "inputs": [{"name": "rows", "path": str(folder / "rows.csv")}],
                "params": {"table": "rows", "target": "late",
                           "features": [{"name": "origin"}, {"name": "distance"}],
                           "params": {"trees": 5 * int(version)}},
                "output_dir": str(folder / "out")}
        subprocess.run([gyre_binary(), "step", str(write(folder / "spec.json", json.dumps(spec)))], check=True,
                       env={**os.environ, "OMP_WAIT_POLICY": "PASSIVE"}, timeout=60)
        (folder / "models" / "flights").mkdir(parents=True, exist_ok=True)
        (folder / "out" / "package").rename(folder / "models" / "flights" / version)
    return folder / "models"


class Client:
    """`gyre --url URL ARGS`."""

    def __init__(self, gyre, url: str):
        self.gyre, self.url = gyre, url

    def __call__(self, *args: str):
        return self.gyre("--url", self.url, *args)

    def json(self, *args: str):
        done = self("--json", *args)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


@pytest.fixture
def served(make_server, gyre, repository):
    """A server whose endpoint `flights` answers with flights/2."""
    url = make_server("--model-repository", str(repository)).url
    wait_for(lambda: requests.get(url + "/readyz").status_code == 200)  # models load after the server is up
    return Client(gyre, url)


def test_a_training_here_can_be_tracked_and_registered(server, gyre, tmp_path):
    (tmp_path / "rows.csv").write_text(training_table())
    env = {"GYRE_URL": server.url}
    train = ["--json", "train", "--data", str(tmp_path / "rows.csv"), "--target", "late", "--trees", "7", "--register", "flights"]
    unreachable = gyre(*train, "--out", str(tmp_path / "no"), env={"GYRE_URL": "http://127.0.0.1:1"})
    assert unreachable.returncode == 7 and not (tmp_path / "no").exists()  # said before the work
    done = gyre(*train, "--experiment", "late flights", "--out", str(tmp_path / "one"), env=env)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["model"] == "flights/1" and (tmp_path / "one" / "MLmodel").exists()
    run = requests.get(server.url + "/api/2.0/mlflow/runs/get", params={"run_id": result["run_id"]}).json()["run"]
    assert run["info"]["status"] == "FINISHED"
    assert {p["key"]: p["value"] for p in run["data"]["params"]}["trees"] == "7"
    assert "gyre" in json.loads({t["key"]: t["value"] for t in run["data"]["tags"]}["gyre.environment"])
    assert run["inputs"]["dataset_inputs"][0]["dataset"]["digest"] == result["dataset_digest"][:36]
    rounds = requests.get(server.url + "/api/2.0/mlflow/metrics/get-history",
                          params={"run_id": result["run_id"], "metric_key": "train-logloss"}).json()["metrics"]
    assert [point["step"] for point in rounds] == list(range(1, 8))
    assert any(m["key"] == "holdout_roc_auc" for m in run["data"]["metrics"])
    again = json.loads(gyre(*train, "--out", str(tmp_path / "two"), env=env).stdout)
    assert again["model"] == "flights/2"
    assert gyre("deploy", "flights", "flights/1", env=env).returncode == 0
    assert gyre("events", "verify", env=env).returncode == 0


def test_endpoints_as_a_table_and_as_a_document(served):
    assert [one["name"] for one in served.json("endpoints")["endpoints"]] == ["flights"]
    document = served.json("endpoints", "flights")
    assert document["champion"] == "flights/2" and document["task"] == "classification"
    lines = served("endpoints").stdout.splitlines()
    assert lines[0].split()[:4] == ["endpoint", "champion", "state", "task"]
    assert lines[1].split()[:3] == ["flights", "flights/2", "ready"]
    assert "flights/1" in served("endpoints", "flights").stdout


def test_errors_are_one_sentence_and_with_json_one_document(served):
    plain = served("endpoints", "flighs")
    assert plain.returncode == 4 and plain.stderr.startswith("gyre: ") and plain.stderr.count("\n") == 1
    document = json.loads(served("--json", "endpoints", "flighs").stderr)
    assert document["code"] == "not_found" and plain.stderr == f"gyre: {document['message']}\n"
    assert served("deploy", "x", "flights/one").returncode == 2
    assert served("deploy", "x", "flights/1", "--shadow", "flights/2").returncode == 2


def test_no_server_says_what_to_do(gyre):
    done = gyre("--url", "http://127.0.0.1:1", "endpoints")
    assert done.returncode == 7 and "gyre server" in done.stderr


def test_predict_a_row_and_a_file_alike(served, tmp_path):
    rows = [{"origin": PORTS[i % 3], "distance": 100 + i} for i in range(7)]
    given = [argument for row in rows for argument in ("--row", json.dumps(row))]
    one = served.json("predict", "flights", *given)
    assert one["rows"] == 7 and len(one["request_ids"]) == 7 and len(set(one["request_ids"])) == 7
    assert one["batches"] == [{"rows": 7, "model": "flights", "version": 2, "variant": "v2"}]
    lines = write(tmp_path / "r.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    csv = write(tmp_path / "r.csv", "key,origin,distance,late\n" +
                "".join(f"k{i},{row['origin']},{row['distance']},1\n" for i, row in enumerate(rows)))
    assert served.json("predict", "flights", "--file", str(lines))["predictions"] == one["predictions"]
    table = served.json("predict", "flights", "--file", str(csv), "--request-id", "key", "--ignore", "late")
    assert table["predictions"] == one["predictions"] and table["request_ids"] == [f"k{i}" for i in range(7)]
    shown = served("predict", "flights", *given[:2]).stdout.splitlines()
    assert shown[0].split() == ["request_id", "prediction", "model", "variant"]
    assert shown[1].split()[2:] == ["flights/2", "v2"]


def test_predict_many_rows_in_batches_into_a_file(served, tmp_path):
    rows = write(tmp_path / "r.csv", "origin,distance\n" +
                 "".join(f"{PORTS[i % 3]},{100 + i % 1000}\n" for i in range(2500)))
    out = tmp_path / "p.csv"
    done = served("predict", "flights", "--file", str(rows), "--out", str(out))
    assert done.returncode == 0, done.stderr
    assert "2,500 rows" in done.stderr
    lines = out.read_text().splitlines()
    assert lines[0] == "request_id,prediction,model,version,variant" and len(lines) == 2501
    document = served.json("predict", "flights", "--file", str(rows))
    assert [batch["rows"] for batch in document["batches"]] == [1000, 1000, 500]
    assert [float(line.split(",")[1]) for line in lines[1:]] == document["predictions"]
    assert not (tmp_path / "p.csv.part").exists()


def test_predict_names_what_is_wrong(served, tmp_path):
    assert served("predict", "flights").returncode == 2
    wrong = served("predict", "flights", "--row", "[1]")
    assert wrong.returncode == 2 and "--row" in wrong.stderr
    unknown = served("predict", "flights", "--row", '{"origin": "JFK", "distanse": 1}')
    assert unknown.returncode == 2 and "distanse" in unknown.stderr
    broken = write(tmp_path / "r.jsonl", '{"origin": "JFK", "distance": 1}\n\n{"origin"\n')
    done = served("predict", "flights", "--file", str(broken))
    assert done.returncode == 2 and "r.jsonl:3" in done.stderr
    assert served("predict", "flights", "--file", str(tmp_path / "none.csv")).returncode == 4
    out = tmp_path / "p.csv"
    done = served("predict", "flights", "--file", str(broken), "--out", str(out))
    assert done.returncode == 2 and not out.exists() and not (tmp_path / "p.csv.part").exists()


def test_events_verify_checks_the_chain(served):
    verified = served.json("events", "verify")
    assert verified["ok"] is True and verified["checked"] >= 1
    assert "the chain is whole" in served("events", "verify").stdout
    assert "experiment.created" in served("events", "tail").stdout
    assert served("events", "tail", "--type", "rollout.*").stdout == "no events\n"


# Requests and answers of routes, against a server that keeps what it was asked.

class Stub:
    """Answers from a table of "METHOD /path" to documents (a list: one after the other, the last for ever)."""

    def __init__(self):
        self.answers = {}
        self.asked = []
        stub = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def answer(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                stub.asked.append((f"{self.command} {self.path}", json.loads(body) if body else None))
                answer = stub.answers.get(f"{self.command} {urllib.parse.urlsplit(self.path).path}")
                if isinstance(answer, list):
                    answer = answer.pop(0) if len(answer) > 1 else answer[0]
                status, kind = (200, "application/json") if answer is not None else (404, "application/json")
                if answer is None:
                    answer = {"code": "not_found", "message": f"no route {self.path}"}
                if isinstance(answer, str):
                    kind, data = "text/event-stream", answer.encode()
                else:
                    data = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = do_PUT = do_DELETE = answer

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


NATIVE = "/api/gyre/v1"
MLFLOW = "/api/2.0/mlflow"


@pytest.fixture
def stub():
    server = Stub()
    yield server
    server.server.shutdown()
    server.server.server_close()


@pytest.fixture
def client(stub, gyre):
    return Client(gyre, stub.url)


def test_deploy_and_remove(stub, client):
    stub.answers = {f"POST {NATIVE}/endpoints": {"name": "flights", "champion": "flights/1", "variants": [
                        {"name": "next", "model": "flights", "version": 2, "role": "shadow", "state": "ready"}]},
                    f"DELETE {NATIVE}/endpoints/a%2Fb": {}}
    done = client("deploy", "flights", "flights/1", "--time", "event", "--sticky-by", "tailnum", "--shadow",
                  "next=flights/2")
    assert done.returncode == 0 and "flights/2" in done.stdout
    assert stub.asked == [(f"POST {NATIVE}/endpoints",
                           {"name": "flights", "model": "flights/1", "time": "event", "sticky_by": "tailnum",
                            "shadows": [{"name": "next", "model": "flights/2"}]})]
    assert client("endpoints", "remove", "a/b").stdout == "removed endpoint a/b\n"


def test_labels_are_sent_in_batches_and_counted(stub, client, tmp_path):
    stub.answers = {f"POST {NATIVE}/labels": {"accepted": 9, "duplicates": 1, "revisions": 0, "unknown": 2}}
    labels = write(tmp_path / "labels.csv", "request_id,value,time\n" + "".join(
        f"{i},{i % 2},2013-01-02T03:04:05Z\n" for i in range(1200)))
    assert client.json("labels", "flights", "--file", str(labels)) == {
        "sent": 1200, "accepted": 18, "duplicates": 2, "revisions": 0, "unknown": 4}
    bodies = [body for _, body in stub.asked]
    assert [len(body["labels"]) for body in bodies] == [1000, 200] and bodies[0]["endpoint"] == "flights"
    assert bodies[0]["labels"][1] == {"request_id": "1", "value": 1, "time": "2013-01-02T03:04:05Z"}
    lines = write(tmp_path / "labels.jsonl", '{"request_id": "a", "value": true}\n{"request_id": "b"}\n')
    done = client("labels", "flights", "--file", str(lines))
    assert done.returncode == 2 and "label 2" in done.stderr


def test_predictions_are_exported_with_their_labels(served, tmp_path):
    rows = write(tmp_path / "rows.csv", "key,origin,distance\na,EWR,700\nb,JFK,\n")
    served.json("predict", "flights", "--file", str(rows), "--request-id", "key")
    served.json("labels", "flights", "--file", str(write(tmp_path / "labels.csv", "request_id,value\nb,1\n")))
    out = tmp_path / "log.csv"
    assert served.json("predictions", "export", "flights", "--out", str(out))["rows"] == 2
    exported = {row["request_id"]: row for row in csv.DictReader(out.read_text().splitlines())}
    assert exported["a"]["model"] == "flights/2" and exported["a"]["answered"] == "true"
    assert (exported["a"]["label"], exported["b"]["label"]) == ("", "1.0")
    assert (exported["b"]["origin"], exported["b"]["distance"]) == ("JFK", "")
    assert "2 rows in" in served("predictions", "export", "flights", "--out", str(tmp_path / "log.parquet")).stdout
    for code, *given in ((2, "flights", "--out", "log.txt"), (4, "flighs", "--out", str(tmp_path / "x.csv")),
                         (2, "flights", "--out", str(tmp_path / "x.csv"), "--from", "yesterday"),
                         (4, "flights", "--out", str(tmp_path / "x.csv"), "--to", "2001-01-01")):
        done = served("predictions", "export", *given)
        assert done.returncode == code and done.stderr.count("\n") == 1, done.stderr
    assert sorted(path.name for path in tmp_path.glob("*.csv*")) == ["labels.csv", "log.csv", "rows.csv"]


EVENT = {"position": 7, "time": "2013-01-02T00:00:00Z", "type": "rollout.promoted", "subject": "endpoint/flights",
         "principal": "system", "as_of": None, "data": {"to": "flights/2"}}


def test_events_tail_pages_and_follows(stub, client):
    stub.answers = {f"GET {NATIVE}/events": [{"events": [EVENT], "next": 7}, {"events": [], "next": 7}],
                    f"GET {NATIVE}/events/stream": "id: 8\nevent: x\ndata: " + json.dumps({**EVENT, "position": 8}) +
                                                   "\n\n"}
    shown = client("events", "tail", "--type", "rollout.*").stdout
    assert shown == '     7  2013-01-02T00:00:00Z  rollout.promoted  endpoint/flights  system  {"to":"flights/2"}\n'
    assert stub.asked[0][0] == f"GET {NATIVE}/events?after=0&limit=1000&type=rollout.%2A"
    process = subprocess.Popen([gyre_binary(), "--url", stub.url, "--json", "events", "tail", "--follow", "--after",
                                "7"], stdout=subprocess.PIPE, text=True)
    try:  # the stream ends after one event; the command comes back for what follows it
        assert [json.loads(process.stdout.readline())["position"] for _ in range(2)] == [8, 8]
        streams = [path for path, _ in stub.asked if "stream" in path]
        assert streams[:2] == [f"GET {NATIVE}/events/stream?after=7", f"GET {NATIVE}/events/stream?after=8"]
    finally:
        process.kill()
        process.wait()


def test_a_broken_chain_is_exit_code_1(stub, client):
    stub.answers = {f"GET {NATIVE}/events/verify": {"ok": False, "checked": 3, "first_bad": 2, "reason": "hash"}}
    done = client("events", "verify")
    assert done.returncode == 1 and "broken at position 2: hash" in done.stdout


ROLLOUT = {"id": "r1", "endpoint": "flights", "champion": "flights/1", "candidate": "flights/2", "policy": "sequential",
           "state": "exposing", "exposure": 0.05, "reason": "", "started_at": "2013-01-02T00:00:00Z", "as_of": None,
           "evidence": {"metric": "brier", "n": 120, "estimate": -0.01, "low": -0.02, "high": 0.001},
           "history": [{"time": "2013-01-03T00:00:00Z", "state": "exposing", "exposure": 0.05, "evidence": {"n": 60}}]}


def test_rollout(stub, client):
    stub.answers = {f"POST {NATIVE}/rollouts": ROLLOUT, f"GET {NATIVE}/rollouts": {"rollouts": [ROLLOUT]},
                    f"GET {NATIVE}/rollouts/r1": ROLLOUT,
                    f"POST {NATIVE}/rollouts/r1/pause": {**ROLLOUT, "state": "paused"}}
    done = client("rollout", "start", "flights", "flights/2", "--option", "sequential.margin=0.01", "--option",
                  "sequential.steps=[0.1,1]", "--option", "effect_delay=1d")
    assert done.returncode == 0, done.stderr
    assert stub.asked[0][1] == {"endpoint": "flights", "model": "flights/2", "policy": "sequential",
                                "options": {"sequential": {"margin": 0.01, "steps": [0.1, 1]}, "effect_delay": "1d"}}
    assert client("rollout", "list", "--endpoint", "flights").stdout.splitlines()[1].startswith("r1")
    assert stub.asked[-1][0] == f"GET {NATIVE}/rollouts?endpoint=flights"
    assert client.json("rollout", "show", "r1") == ROLLOUT
    assert "-0.02" in client("rollout", "show", "r1").stdout and "success" not in client("rollout", "show", "r1").stdout
    stub.answers[f"GET {NATIVE}/rollouts/r1"] = {**ROLLOUT, "policy": "simple", "success": "error below 2.5"}
    assert [line.split(None, 1) for line in client("rollout", "show", "r1").stdout.splitlines()][5] == ["success", "error below 2.5"]
    missing = client("rollout", "show", "r2")
    assert missing.returncode == 4
    assert client.json("rollout", "pause", "r1")["state"] == "paused"
    assert client("rollout", "start", "flights", "flights/2", "--option", "alpha").returncode == 2


def run_document(state: str, step: str, progress: float) -> dict:
    return {"id": "run-1", "pipeline": "retrain", "state": state, "trigger": {"type": "manual"}, "params": {"trees": 5},
            "steps": [{"id": "train", "kind": "train", "state": step, "attempt": 1, "progress": progress}]}


def test_pipeline_run_waits_and_its_end_is_the_exit_code(stub, client):
    started = f"POST {NATIVE}/pipelines/retrain/runs"
    run = f"GET {NATIVE}/pipeline-runs/run-1"
    stub.answers = {started: run_document("queued", "pending", 0),
                    run: [run_document("running", "running", 0.5), run_document("succeeded", "succeeded", 1)]}
    done = client("pipeline", "run", "retrain", "--param", "trees=5", "--as-of", "2013-02-01", "--wait")
    assert done.returncode == 0, done.stderr
    assert stub.asked[0] == (started, {"params": {"trees": 5}, "as_of": "2013-02-01T00:00:00Z"})
    assert "succeeded" in done.stdout and "retrain [" in done.stderr
    stub.answers[run] = run_document("failed", "failed", 0)
    assert client("pipeline", "run", "retrain", "--wait").returncode == 1
    stub.answers[run] = run_document("running", "running", 0.5)
    late = client("pipeline", "run", "retrain", "--wait", "--timeout", "1s")
    assert late.returncode == 6 and "gyre pipeline show run-1" in late.stderr
    assert client("pipeline", "run", "retrain").returncode == 0


def test_pipeline_lists(stub, client):
    stub.answers = {f"GET {NATIVE}/pipelines": {"pipelines": [{"name": "retrain", "updated_at": "2013-01-01"}]},
                    f"GET {NATIVE}/pipeline-runs": {"runs": [run_document("failed", "failed", 0)]},
                    f"GET {NATIVE}/pipeline-runs/run-1": run_document("failed", "failed", 0),
                    f"GET {NATIVE}/pipelines/retrain/decisions": {"decisions": [
                        {"decided_at": "2013-01-01T00:00:00Z", "outcome": "skipped", "type": "drift.detected",
                         "subject": "endpoint/flights", "reason": "cooldown until 2013-01-08", "run_id": None}]}}
    assert "retrain" in client("pipeline", "list").stdout
    assert client("pipeline", "runs", "retrain").stdout.splitlines()[1].split()[:4] == ["run-1", "retrain", "failed",
                                                                                       "manual"]
    assert stub.asked[-1][0] == f"GET {NATIVE}/pipeline-runs?pipeline=retrain"
    assert "train" in client("pipeline", "show", "run-1").stdout
    stub.answers[f"POST {NATIVE}/pipeline-runs/run-1/cancel"] = run_document("cancelled", "failed", 0)
    assert client.json("pipeline", "cancel", "run-1")["state"] == "cancelled"
    assert "cooldown until" in client("pipeline", "why", "retrain").stdout


GOOD_PIPELINE = """name: retrain
params:
  trees: {type: int, default: 100}
steps:
  - {id: train, kind: train, with: {table: t, model: m, params: {trees: "${{params.trees}}"}}}
  - {id: gate, kind: gate, needs: [train], with: {table: t, candidate: c}}
"""


def test_pipeline_lint_and_put(stub, client, tmp_path):
    good = write(tmp_path / "good.yaml", GOOD_PIPELINE)
    assert client("pipeline", "lint", str(good)).stdout == f"{good}: no problems\n"
    bad = write(tmp_path / "bad.yaml", GOOD_PIPELINE.replace("needs: [train]", "needs: [trian]"))
    done = client("pipeline", "lint", str(bad))
    assert done.returncode == 1 and f"{bad}:6:" in done.stdout and "did you mean 'train'" in done.stdout
    document = json.loads(client("--json", "pipeline", "lint", str(bad)).stdout)
    assert document["ok"] is False and document["problems"][0]["line"] == 6
    wrong = write(tmp_path / "wrong.yaml", GOOD_PIPELINE.replace("model: m", "modle: m").replace("kind: gate", "kind: gaet"))
    said = client("pipeline", "lint", str(wrong)).stdout
    assert "did you mean 'gate'" in said and "field 'model' is missing" in said, said
    assert client("pipeline", "lint", str(tmp_path / "none.yaml")).returncode == 4
    stub.answers = {f"POST {NATIVE}/pipelines": {"name": "retrain"}}
    assert client("pipeline", "put", str(good)).stdout == "put pipeline retrain\n"
    assert stub.asked == [(f"POST {NATIVE}/pipelines", {"yaml": GOOD_PIPELINE})]


def test_pipeline_kinds_and_remove(stub, client):
    assert [line.split()[0] for line in client("pipeline", "kinds").stdout.splitlines()] == [
        "kind", "validate", "train", "evaluate", "gate", "register", "rollout"]
    shown = client("pipeline", "kinds", "rollout").stdout
    assert "options.sequential.loss.margin" in shown and "one of sequential, unpaired, simple, simple-literal" in shown
    assert client.json("pipeline", "kinds", "gate")["with"]["required"] == ["table", "candidate"]
    assert "did you mean 'gate'" in client("pipeline", "kinds", "gaet").stderr
    stub.answers = {f"DELETE {NATIVE}/pipelines/retrain": {"name": "retrain"},
                    f"DELETE {NATIVE}/monitors/m-1": {"name": "auc", "endpoint": "flights"}}
    assert client("pipeline", "remove", "retrain").stdout == "removed pipeline retrain\n"
    assert client("monitor", "remove", "m-1").stdout == "removed monitor auc of flights\n"


def test_monitor_views(stub, client, tmp_path):
    window = {"start": "2013-01-01T00:00:00Z", "end": "2013-01-08T00:00:00Z", "variant": "champion", "n": 900,
              "labelled": 800, "auc": 0.71, "auc_low": 0.69, "auc_high": 0.73, "brier": None}
    stub.answers = {f"GET {NATIVE}/monitors": {"monitors": [{"name": "m", "endpoint": "flights", "kind": "drift"}]},
                    f"POST {NATIVE}/monitors": {"name": "m"},
                    f"GET {NATIVE}/alerts": {"alerts": []},
                    f"GET {NATIVE}/endpoints/flights/performance": {"metrics": ["auc", "brier"], "windows": [window]},
                    f"GET {NATIVE}/endpoints/flights/drift": {"as_of": "2013-02-01T00:00:00Z", "preset": "default",
                        "columns": [{"column": "distance", "type": "number", "statistic": "psi", "value": 0.3,
                                     "threshold": 0.2, "drifted": True}]}}
    assert "flights" in client("monitor", "list").stdout
    assert client("monitor", "alerts", "--endpoint", "flights", "--firing").stdout == "no alerts\n"
    assert stub.asked[-1][0] == f"GET {NATIVE}/alerts?endpoint=flights&firing=true"
    assert "0.71 [0.69, 0.73]" in client("monitor", "performance", "flights").stdout
    assert client.json("monitor", "performance", "flights")["windows"] == [window]
    drift = client("monitor", "drift", "flights").stdout
    assert "distance" in drift and "yes" in drift
    file = write(tmp_path / "m.json", '{"name": "m", "endpoint": "flights"}')
    assert client("monitor", "add", str(file)).stdout == "added monitor m\n"
    assert stub.asked[-1][1] == {"name": "m", "endpoint": "flights"}
    assert client("monitor", "add", str(write(tmp_path / "x.json", "{"))).returncode == 2


def test_datasets(stub, client, tmp_path):
    stub.answers = {f"GET {NATIVE}/datasets": {"datasets": [{"name": "rows.csv", "bytes": 4}]},
                    f"PUT {NATIVE}/datasets/rows.csv": {"bytes": 4}}
    assert client("datasets").stdout.splitlines()[1].split() == ["rows.csv", "4"]
    rows = write(tmp_path / "rows.csv", "1234")
    assert client("datasets", "put", "rows.csv", str(rows)).stdout == "put dataset rows.csv (4 B)\n"
    assert stub.asked[-1] == (f"PUT {NATIVE}/datasets/rows.csv", 1234)
    assert client("datasets", "put", "rows.csv", str(tmp_path / "none")).returncode == 4


def test_a_command_line_that_cannot_be_read_says_where_to_look(gyre):
    typo = gyre("pedict", "flights")
    assert typo.returncode == 2
    assert typo.stderr == "gyre: no command 'pedict' (did you mean 'predict'?); see 'gyre --help'\n"
    assert gyre("events", "tial").stderr == ("gyre: no command 'tial' (did you mean 'tail'?); see "
                                             "'gyre events --help'\n")
    assert gyre("events").stderr == "gyre: a command is missing; see 'gyre events --help'\n"
    document = json.loads(gyre("--json", "predict", "--row", "{}").stderr)
    assert document["code"] == "invalid_argument" and "gyre predict --help" in document["message"]


def test_interrupting_a_wait_says_that_the_run_goes_on(stub):
    stub.answers = {f"POST {NATIVE}/pipelines/retrain/runs": run_document("queued", "pending", 0),
                    f"GET {NATIVE}/pipeline-runs/run-1": run_document("running", "running", 0.5)}
    process = subprocess.Popen([gyre_binary(), "--url", stub.url, "pipeline", "run", "retrain", "--wait"],
                               stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert "retrain [" in process.stderr.readline()
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 130 and "the run goes on" in errors


def mlflow_run(name: str) -> dict:
    return {"info": {"run_id": name, "run_name": name, "experiment_id": "3", "status": "FINISHED",
                     "start_time": 1357000000000}, "data": {"metrics": [{"key": "auc", "value": 0.712345678}],
                                                            "params": [{"key": "trees", "value": "5"}], "tags": []}}


def test_runs_over_the_mlflow_api(stub, client):
    stub.answers = {f"GET {MLFLOW}/experiments/get-by-name": {"experiment": {"experiment_id": "3"}},
                    f"POST {MLFLOW}/runs/search": [{"runs": [mlflow_run("a")], "next_page_token": "t"},
                                                   {"runs": [mlflow_run("b")]}],
                    f"GET {MLFLOW}/runs/get": {"run": mlflow_run("a")}}
    lines = client("runs", "--experiment", "late flights", "--filter", "metrics.auc > 0.7").stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["run", "a", "b"]
    assert "2013-01-01T00:26:40Z" in lines[1] and "auc=0.712346" in lines[1]
    assert stub.asked[0][0] == f"GET {MLFLOW}/experiments/get-by-name?experiment_name=late%20flights"
    assert stub.asked[1][1] == {"experiment_ids": ["3"], "max_results": 50, "filter": "metrics.auc > 0.7"}
    assert stub.asked[2][1]["page_token"] == "t" and stub.asked[2][1]["max_results"] == 49
    shown = client("runs", "show", "a").stdout
    assert "trees" in shown and "FINISHED" in shown


def test_models_over_the_mlflow_api(stub, client):
    model = {"name": "flights", "latest_versions": [{"version": "2"}],
             "aliases": [{"alias": "champion", "version": "1"}]}
    stub.answers = {f"GET {MLFLOW}/registered-models/search": {"registered_models": [model]},
                    f"GET {MLFLOW}/registered-models/get": {"registered_model": model},
                    f"GET {MLFLOW}/model-versions/search": {"model_versions": [
                        {"version": "2", "status": "READY", "run_id": "b"},
                        {"version": "1", "status": "READY", "run_id": "a"}]}}
    assert client("models").stdout.splitlines()[1].split()[:3] == ["flights", "2", "@champion=1"]
    lines = client("models", "flights").stdout.splitlines()
    assert lines[1].split()[:2] == ["2", "-"] and lines[2].split()[:2] == ["1", "@champion"]
    assert "filter=name%3D%27flights%27" in stub.asked[-1][0]


# Work without a server.

def test_train_writes_a_package_that_the_server_serves(gyre, make_server, tmp_path):
    data = write(tmp_path / "rows.csv", training_table())
    arguments = ["train", "--data", str(data), "--target", "late", "--trees", "20", "--out", str(tmp_path / "models"),
                 "--name", "flights"]
    done = gyre(*arguments)
    assert done.returncode == 0, done.stderr
    assert "train [" in done.stderr and "roc_auc" in done.stdout
    document = json.loads(gyre("--json", *arguments, "--features", "distance").stdout)
    assert document["package"] == str(tmp_path / "models" / "flights" / "2")
    assert document["params"]["trees"] == 20 and document["rows_train"] + document["rows_holdout"] == ROWS
    assert sorted(path.name for path in (tmp_path / "models").rglob("*") if path.name.startswith(".gyre")) == []
    client = Client(gyre, make_server("--model-repository", str(tmp_path / "models")).url)
    near, far = client.json("predict", "flights", "--row", '{"distance": 100}', "--row",
                            '{"distance": 900}')["predictions"]
    assert near < far


def test_train_reads_a_table_without_a_header(gyre, tmp_path):
    data = write(tmp_path / "rows.csv", training_table().split("\n", 1)[1])
    done = gyre("--json", "train", "--data", str(data), "--columns", "origin,distance,late", "--target", "late",
                "--holdout", "none", "--trees", "3", "--out", str(tmp_path / "model"))
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["rows_train"] == ROWS and (tmp_path / "model" / "MLmodel").exists()


def test_train_says_what_is_wrong_and_leaves_nothing(gyre, tmp_path):
    data = write(tmp_path / "rows.csv", training_table())
    out = tmp_path / "model"
    wrong = gyre("train", "--data", str(data), "--target", "lade", "--out", str(out))
    assert wrong.returncode in (2, 4) and "lade" in wrong.stderr and not out.exists()
    assert gyre("train", "--data", str(data), "--target", "late", "--trees", "0", "--out", str(out)).returncode == 2
    assert gyre("train", "--data", str(data), "--target", "late", "--task", "x", "--out", str(out)).returncode == 2
    out.mkdir()
    assert gyre("train", "--data", str(data), "--target", "late", "--out", str(out)).returncode == 8
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model", "rows.csv"]


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGHUP])
def test_an_interrupted_training_leaves_nothing(tmp_path, ending):
    data = write(tmp_path / "rows.csv", training_table())
    process = subprocess.Popen([gyre_binary(), "train", "--data", str(data), "--target", "late", "--trees", "10000",
                                "--max-depth", "12", "--features", "origin,distance", "--out", str(tmp_path / "m")],
                               stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert "train [" in process.stderr.readline()
    process.send_signal(ending)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 130 and "interrupted" in errors
    assert [path.name for path in tmp_path.iterdir()] == ["rows.csv"]


def test_sql_over_files(gyre, tmp_path):
    write(tmp_path / "a.csv", "k,n\nx,1\ny,2\nx,3\n")
    write(tmp_path / "b.jsonl", '{"k": "x", "name": "ex"}\n{"k": "y", "name": "why"}\n')
    query = ["SELECT b.name, sum(a.n)::BIGINT AS n FROM a JOIN b USING (k) GROUP BY 1 ORDER BY 1", "--source",
             f"a={tmp_path}/a.csv", "--source", f"b={tmp_path}/b.jsonl"]
    assert gyre("sql", *query).stdout == "name  n\nex    4\nwhy   2\n"
    document = json.loads(gyre("--json", "sql", *query, "--limit", "1").stdout)
    assert document["rows"] == [{"name": "ex", "n": 4}] and document["rows_count"] == 2
    assert document["columns"] == [{"name": "name", "type": "text"}, {"name": "n", "type": "int64"}]
    out = tmp_path / "o.parquet"
    assert gyre("sql", *query, "--out", str(out)).stdout == f"2 rows in {out}\n"
    assert gyre("sql", "SELECT * FROM o", "--source", f"o={out}").stdout == "name  n\nex    4\nwhy   2\n"
    assert gyre("sql", "SELECT * FROM nothing").returncode == 2
    assert gyre("sql", "SELECT 1", "--source", "x").returncode == 2
    assert gyre("sql", "SELECT 1", "--source", f"x={tmp_path}/none.csv").returncode == 4
    assert gyre("sql", "SELECT 1", "--out", str(tmp_path / "o.txt")).returncode == 2


def test_completion_of_bash_follows_the_commands(gyre, tmp_path):
    script = write(tmp_path / "gyre.bash", gyre("completion", "bash").stdout)

    def complete(*words: str) -> list[str]:
        line = " ".join(f"'{word}'" for word in ("gyre", *words))
        command = f"source {script}; COMP_WORDS=({line}); COMP_CWORD={len(words)}; _gyre; echo \"${{COMPREPLY[@]}}\""
        return subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True).stdout.split()

    assert complete("roll") == ["rollout"]
    assert complete("--json", "events", "") [:2] == ["tail", "verify"]
    assert complete("events", "tail", "--fo") == ["--follow"]
    assert "step" not in complete("")
    assert gyre("completion", "tcsh").returncode == 2


def test_completion_of_other_shells_knows_all_commands(gyre):
    for shell in ("zsh", "fish"):
        script = gyre("completion", shell).stdout
        for words in ("gyre pipeline why", "gyre rollout promote", "gyre train"):
            assert f"'{words}'" in script, (shell, words)


def test_the_documentation_names_every_command(gyre):
    document = (ROOT / "docs" / "cli.md").read_text()
    script = gyre("completion", "fish").stdout
    commands = {line.split("-a '")[1].split("'")[0]: line.split('"')[1] for line in script.splitlines()
                if line.startswith("complete") and " -a " in line}
    assert {"predict", "verify", "cancel"} <= commands.keys()
    lines = [line for line in document.splitlines() if "gyre" in line or "also:" in line]
    for name, group in commands.items():
        assert any(f"gyre {name}" in line or f"{group} {name}" in line or
                   ("also:" in line and group in line and name in line) for line in lines), (group, name)
