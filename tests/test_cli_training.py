"""gyre train, step, sql, datasets, runs and models."""
import json
import signal
import subprocess

import pytest
import requests

from cli_util import MLFLOW, NATIVE, Client, client, stub, write  # noqa: F401 (fixtures)
from loop_util import ROWS, training_table
from conftest import gyre_binary


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
    options = ["--target", "late", "--out", str(tmp_path / "other")]
    unnamed = gyre("train", "--data", str(data), *options)
    assert unnamed.returncode == 4 and "a CSV without a header: name its columns" in unnamed.stderr
    short = gyre("train", "--data", str(data), "--columns", "origin,late", *options)
    assert short.returncode == 2 and "the file has 3 columns, but 2 names were given" in short.stderr


def test_a_separator_with_a_space_is_no_part_of_the_values(gyre, make_server, tmp_path):
    rows = training_table().split("\n", 1)[1].replace(",", ", ").replace("JFK", "?")
    data = write(tmp_path / "rows.csv", rows)
    csv = ["--columns", "origin,distance,late", "--delimiter", ", ", "--null", "?"]
    done = gyre("--json", "train", "--data", str(data), *csv, "--target", "late", "--holdout", "none", "--trees", "3",
                "--name", "flights", "--out", str(tmp_path / "models"))
    assert done.returncode == 0, done.stderr
    client = Client(gyre, make_server("--model-repository", str(tmp_path / "models")).url)
    asked = client.json("predict", "flights", "--file", str(data), *csv, "--ignore", "late")["predictions"]
    assert len(asked) == ROWS
    origins = {row.split(", ")[0] for row in rows.splitlines()}
    assert "?" in origins and len(origins) > 1
    shown = gyre("--json", "sql", "SELECT DISTINCT origin FROM d ORDER BY 1 NULLS FIRST", "--source", f"d={data}", *csv)
    assert [row["origin"] for row in json.loads(shown.stdout)["rows"]] == [None, *sorted(origins - {"?"})]


def test_train_says_which_class_it_predicts_and_gives_no_interval_where_there_is_none(gyre, tmp_path):
    data = write(tmp_path / "rows.csv", training_table().replace(",1\n", ",late\n").replace(",0\n", ",in time\n"))
    done = gyre("train", "--data", str(data), "--target", "late", "--trees", "3", "--out", str(tmp_path / "model"))
    assert done.returncode == 0, done.stderr
    assert "the probability of 'late'" in done.stdout
    lines = {line.split()[0]: line.split() for line in done.stdout.splitlines() if line}
    assert lines["ece"][2:] == ["-", "-"] and "-" not in lines["brier"]


def test_train_says_what_is_wrong_and_leaves_nothing(gyre, tmp_path):
    data = write(tmp_path / "rows.csv", training_table())
    out = tmp_path / "model"
    wrong = gyre("train", "--data", str(data), "--target", "lade", "--out", str(out))
    assert wrong.returncode in (2, 4) and "lade" in wrong.stderr and not out.exists()
    assert gyre("train", "--data", str(data), "--target", "late", "--trees", "0", "--out", str(out)).returncode == 2
    assert gyre("train", "--data", str(data), "--target", "late", "--task", "x", "--out", str(out)).returncode == 2
    wrong = gyre("train", "--data", str(data), "--target", "lade", "--name", "x", "--out", str(tmp_path / "a" / "b"))
    assert wrong.returncode == 4 and "it has origin, distance, late" in wrong.stderr
    assert "did you mean 'late'?" in wrong.stderr and not (tmp_path / "a").exists()
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
    data = gyre("sql", "SELECT true AS a, NULL AS b, 1::DOUBLE / 3 AS c, '' AS d").stdout.split("\n")[1]
    assert data.split() == ["true", "NULL", "0.3333333333333333"]
    assert gyre("sql", "SELECT * FROM nothing").returncode == 2
    assert gyre("sql", "SELECT 1", "--source", "x").returncode == 2
    assert gyre("sql", "SELECT 1", "--source", f"x={tmp_path}/none.csv").returncode == 4
    assert gyre("sql", "SELECT 1", "--out", str(tmp_path / "o.txt")).returncode == 2


def test_datasets(stub, client, tmp_path):
    stub.answers = {f"GET {NATIVE}/datasets": {"datasets": [{"name": "rows.csv", "bytes": 4}]},
                    f"PUT {NATIVE}/datasets/rows.csv": {"bytes": 4}}
    assert client("datasets").stdout.splitlines()[1].split() == ["rows.csv", "4"]
    rows = write(tmp_path / "rows.csv", "1234")
    assert client("datasets", "put", "rows.csv", str(rows)).stdout == "put dataset rows.csv (4 B)\n"
    assert stub.asked[-1] == (f"PUT {NATIVE}/datasets/rows.csv", 1234)
    assert client("datasets", "put", "rows.csv", str(tmp_path / "none")).returncode == 4


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
