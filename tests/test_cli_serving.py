"""gyre endpoints, deploy, predict, labels, predictions and rollout."""
import csv
import json

from cli_util import NATIVE, client, repository, served, stub, write  # noqa: F401 (fixtures)
from loop_util import PORTS


def test_endpoints_as_a_table_and_as_a_document(served):
    assert [one["name"] for one in served.json("endpoints")["endpoints"]] == ["flights"]
    document = served.json("endpoints", "flights")
    assert document["champion"] == "flights/2" and document["task"] == "classification"
    lines = served("endpoints").stdout.splitlines()
    assert lines[0].split()[:4] == ["endpoint", "champion", "state", "task"]
    assert lines[1].split()[:3] == ["flights", "flights/2", "ready"]
    assert "flights/1" in served("endpoints", "flights").stdout


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
    assert done.returncode == 2 and "label 2: no 'value'; name the column with --value" in done.stderr
    unknown = write(tmp_path / "unknown.csv", "request_id,value\na,\n")
    done = client("labels", "flights", "--file", str(unknown))
    assert done.returncode == 2 and "leave out the rows whose outcome is not known" in done.stderr
    named = write(tmp_path / "named.csv", "request_id,value\na,late\n")
    assert client("labels", "flights", "--file", str(named)).returncode == 0
    assert stub.asked[-1][1]["labels"] == [{"request_id": "a", "value": "late"}]


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


ROLLOUT = {"id": "r1", "endpoint": "flights", "champion": "flights/1", "candidate": "flights/2", "policy": "sequential",
           "state": "exposing", "exposure": 0.05, "reason": "", "started_at": "2013-01-02T00:00:00Z", "as_of": None,
           "evidence": {"metric": "brier", "n": 120, "estimate": -0.01, "low": -0.02, "high": 0.001},
           "history": [{"time": "2013-01-03T00:00:00Z", "state": "exposing", "exposure": 0.05, "evidence": {"n": 60}}]}


def test_rollout(stub, client):
    stub.answers = {f"POST {NATIVE}/rollouts": ROLLOUT, f"GET {NATIVE}/rollouts": {"rollouts": [ROLLOUT]},
                    f"GET {NATIVE}/rollouts/r1": ROLLOUT,
                    f"POST {NATIVE}/rollouts/r1/pause": {**ROLLOUT, "state": "paused"}}
    done = client("rollout", "start", "flights", "flights/2", "--option", "sequential.margin=0.01", "--option",
                  "sequential.steps=[0.1,1]", "--option", "effect_delay=1d", "--option", "sequential.deadline=10d")
    assert done.returncode == 0, done.stderr
    assert stub.asked[0][1] == {"endpoint": "flights", "model": "flights/2", "policy": "sequential",
                                "options": {"sequential": {"margin": 0.01, "steps": [0.1, 1], "deadline": "10d"}, "effect_delay": "1d"}}
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
