"""gyre events, monitor and pipeline: against a server that keeps the requests, events also against the real one."""
import json
import signal
import subprocess

from cli_util import NATIVE, client, repository, served, stub, write  # noqa: F401 (fixtures)
from conftest import gyre_binary


def test_events_verify_checks_the_chain(served):
    verified = served.json("events", "verify")
    assert verified["ok"] is True and verified["checked"] >= 1
    assert "the chain is whole" in served("events", "verify").stdout
    assert "experiment.created" in served("events", "tail").stdout
    assert served("events", "tail", "--type", "rollout.*").stdout == "no events\n"


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


def test_interrupting_a_wait_says_that_the_run_goes_on(stub):
    stub.answers = {f"POST {NATIVE}/pipelines/retrain/runs": run_document("queued", "pending", 0),
                    f"GET {NATIVE}/pipeline-runs/run-1": run_document("running", "running", 0.5)}
    process = subprocess.Popen([gyre_binary(), "--url", stub.url, "pipeline", "run", "retrain", "--wait"],
                               stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert "retrain [" in process.stderr.readline()
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 130 and "the run goes on" in errors


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
    assert "did you mean 'gate'" in said and "did you mean 'model'" in said, said
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
