"""The protocol as MLflow's own clients use it, unmodified."""
import json
import os
import pathlib
import subprocess
import sys

import mlflow
import numpy
import pandas
import pytest
import requests
import sklearn.linear_model
import xgboost
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

ROOT = pathlib.Path(__file__).resolve().parent.parent
SESSION = ROOT / "tests" / "mlflow_session.py"


@pytest.fixture
def client(server, monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    mlflow.set_tracking_uri(server.url)
    mlflow.set_experiment(experiment_id="0")  # a process remembers the one of an earlier test
    yield MlflowClient(server.url)
    while mlflow.active_run():
        mlflow.end_run()


def run_session(python: str, url: str) -> None:
    done = subprocess.run([python, str(SESSION), url], capture_output=True, text=True, timeout=180,
                          env={**os.environ, "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1"})
    assert done.returncode == 0 and done.stdout.rstrip().endswith("OK"), done.stdout + done.stderr


def test_an_ordinary_session(server):
    run_session(sys.executable, server.url)


def test_an_ordinary_session_of_mlflow_skinny_3_6(server):
    python = os.environ.get("GYRE_MLFLOW36_PYTHON", str(ROOT / "build" / "venv-mlflow36" / "bin" / "python"))
    if not pathlib.Path(python).exists():
        pytest.skip(f"no interpreter with mlflow-skinny 3.6.0 at {python}; set GYRE_MLFLOW36_PYTHON")
    run_session(python, server.url)


def iris_like():
    rng = numpy.random.default_rng(7)
    x = pandas.DataFrame(rng.random((80, 3)), columns=["a", "b", "c"])
    return x, (x["a"] + x["b"] > 1).astype(int)


def test_a_sklearn_model_is_logged_registered_and_loaded(client):
    x, y = iris_like()
    model = sklearn.linear_model.LogisticRegression().fit(x, y)
    mlflow.set_experiment("models")
    with mlflow.start_run() as run:
        info = mlflow.sklearn.log_model(model, name="lr", registered_model_name="lr", input_example=x[:2])
        mlflow.log_metric("acc", 0.9, model_id=info.model_id)
    client.set_registered_model_alias("lr", "champion", 1)
    for uri in (info.model_uri, "models:/lr/1", "models:/lr@champion", "models:/lr/latest",
                f"runs:/{run.info.run_id}/lr"):
        assert (mlflow.pyfunc.load_model(uri).predict(x) == model.predict(x)).all(), uri
    logged = client.get_logged_model(info.model_id)
    assert logged.status == "READY" and logged.source_run_id == run.info.run_id
    assert [(m.key, m.value, m.run_id) for m in logged.metrics] == [("acc", 0.9, run.info.run_id)]
    assert '"lr"' in logged.tags["mlflow.modelVersions"]
    assert client.get_model_version("lr", 1).run_id == run.info.run_id
    found = mlflow.search_logged_models(filter_string="metrics.acc > 0.5 AND name = 'lr'", output_format="list")
    assert [each.model_id for each in found] == [info.model_id]
    assert mlflow.search_logged_models(filter_string="metrics.acc > 0.95", output_format="list") == []
    outputs = client.get_run(run.info.run_id).outputs.model_outputs
    assert [each.model_id for each in outputs] == [info.model_id]


def test_an_xgboost_model_is_logged_registered_and_loaded(client):
    x, y = iris_like()
    model = xgboost.XGBClassifier(n_estimators=5, max_depth=3).fit(x, y)
    with mlflow.start_run():
        mlflow.xgboost.log_model(model, name="xgb", registered_model_name="xgb", model_format="json")
    loaded = mlflow.xgboost.load_model("models:/xgb/1")
    assert (loaded.predict(x) == model.predict(x)).all()


def test_autologging_of_xgboost(client):
    x, y = iris_like()
    mlflow.xgboost.autolog(log_datasets=True, model_format="json")
    try:
        with mlflow.start_run() as run:
            data = xgboost.DMatrix(x, y)
            xgboost.train({"objective": "binary:logistic", "max_depth": 2}, data, 4, evals=[(data, "train")], verbose_eval=False)
    finally:
        mlflow.xgboost.autolog(disable=True)
    logged = client.get_run(run.info.run_id)
    assert logged.info.status == "FINISHED" and logged.data.params["max_depth"] == "2"
    history = client.get_metric_history(run.info.run_id, "train-logloss")
    assert [each.step for each in history] == [0, 1, 2, 3] and history[3].value < history[0].value
    assert len(logged.outputs.model_outputs) == 1 and len(logged.inputs.dataset_inputs) == 2
    assert "feature_importance_weight.json" in {each.path for each in client.list_artifacts(run.info.run_id)}


def test_logged_models_are_finalized_tagged_searched_and_deleted(client):
    one = client.create_logged_model("0", name="one", params={"p": "1"}, tags={"t": "a"}, model_type="tree")
    two = client.create_logged_model("0", name="two")
    assert one.status == "PENDING" and one.params == {"p": "1"} and one.model_id.startswith("m-")
    assert client.finalize_logged_model(one.model_id, "READY").status == "READY"
    client.set_logged_model_tags(one.model_id, {"u": "b"})
    client.delete_logged_model_tag(one.model_id, "t")
    assert client.get_logged_model(one.model_id).tags == {"u": "b"}
    with pytest.raises(MlflowException, match="No tag with key 't'"):
        client.delete_logged_model_tag(one.model_id, "t")
    names = lambda **k: [each.name for each in client.search_logged_models(["0"], **k)]  # noqa: E731
    assert names() == ["two", "one"]
    assert names(order_by=[{"field_name": "name", "ascending": True}]) == ["one", "two"]
    assert names(filter_string="params.p = '1' AND tags.u LIKE 'b%' AND model_type = 'tree'") == ["one"]
    page = client.search_logged_models(["0"], max_results=1)
    assert [each.name for each in page] == ["two"] and page.token
    client.delete_logged_model(two.model_id)
    assert names() == ["one"]
    with pytest.raises(MlflowException, match="not found"):
        client.get_logged_model(two.model_id)
    with pytest.raises(MlflowException, match="Model name"):
        client.create_logged_model("0", name="a/b")


def test_datasets_are_inputs_of_a_run(client, server):
    x, _ = iris_like()
    dataset = mlflow.data.from_pandas(x, source="https://data.example/x.csv", name="x")
    with mlflow.start_run() as run:
        mlflow.log_input(dataset, context="training")
    inputs = client.get_run(run.info.run_id).inputs.dataset_inputs
    assert [(each.dataset.name, each.dataset.digest) for each in inputs] == [("x", dataset.digest)]
    assert len(client.search_runs(["0"], "dataset.context = 'training'")) == 1
    answer = requests.post(server.url + "/ajax-api/2.0/mlflow/experiments/search-datasets", json={"experiment_ids": ["0"]})
    assert answer.json() == {"dataset_summaries": [
        {"experiment_id": "0", "name": "x", "digest": dataset.digest, "context": "training"}]}


def test_search_pages_and_orders_runs(client):
    for i in range(7):
        run = client.create_run("0", run_name=f"r{i}", start_time=100 + i)
        client.log_metric(run.info.run_id, "m", i % 4)
    names, token = [], None
    while True:
        page = client.search_runs(["0"], order_by=["metrics.m DESC", "attributes.start_time ASC"], max_results=3,
                                  page_token=token)
        names += [each.info.run_name for each in page]
        token = page.token
        if not token:
            break
    assert names == ["r3", "r2", "r6", "r1", "r5", "r0", "r4"]
    client.delete_run(run.info.run_id)
    assert len(client.search_runs(["0"])) == 6
    client.restore_run(run.info.run_id)
    assert len(client.search_runs(["0"])) == 7
    with pytest.raises(MlflowException, match="Invalid clause"):
        client.search_runs(["0"], "metrics.m > 1 OR metrics.m < 0")


def test_experiments_are_renamed_deleted_and_restored(client):
    experiment = client.create_experiment("one", tags={"a": "1"})
    client.rename_experiment(experiment, "two")
    client.set_experiment_tag(experiment, "b", "2")
    assert client.get_experiment_by_name("two").tags == {"a": "1", "b": "2"}
    client.delete_experiment(experiment)
    assert client.get_experiment(experiment).lifecycle_stage == "deleted"
    with pytest.raises(MlflowException, match="already exists"):
        client.create_experiment("two")
    with pytest.raises(MlflowException, match="must be in the 'active' state"):
        client.create_run(experiment)
    client.restore_experiment(experiment)
    assert [each.name for each in client.search_experiments(filter_string="tags.b = '2'")] == ["two"]
    assert client.get_experiment_by_name("none") is None


def test_params_do_not_change(client):
    run_id = client.create_run("0").info.run_id
    client.log_param(run_id, "p", "1")
    client.log_param(run_id, "p", "1")
    with pytest.raises(MlflowException, match="Changing param values is not allowed"):
        client.log_param(run_id, "p", "2")


def test_versions_are_never_numbered_twice(client):
    run_id = client.create_run("0").info.run_id
    client.create_registered_model("m")
    client.create_model_version("m", f"runs:/{run_id}/a", run_id)
    client.create_model_version("m", f"runs:/{run_id}/b", run_id)
    client.delete_model_version("m", "2")
    assert client.create_model_version("m", f"runs:/{run_id}/c", run_id).version in (3, "3")
    with pytest.raises(MlflowException, match="not found"):
        client.get_model_version("m", "2")
    client.rename_registered_model("m", "n")
    assert [each.name for each in client.search_registered_models()] == ["n"]
    client.delete_registered_model("n")
    assert list(client.search_model_versions("name = 'n'")) == []


def test_what_was_acknowledged_is_there_after_a_crash(make_server, monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    server = make_server()
    run_session(sys.executable, server.url)
    client = MlflowClient(server.url)
    run_id = client.create_run("0", run_name="last").info.run_id
    for step in range(200):
        client.log_metric(run_id, "m", step * 0.5, step=step, timestamp=1000 + step)
    client.log_text(run_id, "x" * 100_000, "big.txt")
    before = [json.dumps(each.to_dictionary(), sort_keys=True) for each in client.search_runs(["0", "1"])]
    server.kill()
    server.start()
    client = MlflowClient(server.url)
    assert [json.dumps(each.to_dictionary(), sort_keys=True) for each in client.search_runs(["0", "1"])] == before
    assert [each.value for each in client.get_metric_history(run_id, "m")] == [i * 0.5 for i in range(200)]
    files = f"{server.url}/api/2.0/mlflow-artifacts/artifacts/0/{run_id}/artifacts/big.txt"
    assert requests.get(files).text == "x" * 100_000
    assert client.get_model_version("m", "1").current_stage == "Production"
    verified = requests.get(server.url + "/api/gyre/v1/events/verify").json()
    assert verified["ok"] is True, verified
