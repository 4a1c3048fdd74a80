"""An ordinary session of an MLflow client, old or new: python mlflow_session.py TRACKING_URI. Prints OK at the end."""
import sys
import tempfile
import pathlib

import mlflow
from mlflow import MlflowClient


def main(uri: str) -> None:
    mlflow.set_tracking_uri(uri)
    client = MlflowClient()
    experiment = mlflow.set_experiment("session")
    with mlflow.start_run(run_name="first") as run:
        mlflow.log_param("lr", 0.1)
        mlflow.log_params({"depth": 6, "name": "x y"})
        for step in range(5):
            mlflow.log_metric("loss", 1.0 / (step + 1), step=step)
        mlflow.log_metrics({"auc": 0.8, "nothing": float("nan"), "all": float("inf")})
        mlflow.set_tag("team", "a")
        mlflow.set_tags({"stage": "dev"})
        mlflow.log_dict({"a": [1, 2]}, "conf/a.json")
        mlflow.log_text("<b>hi</b>", "page.html")
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder, "data set.bin")
            file.write_bytes(bytes(range(256)) * 4096)
            mlflow.log_artifact(str(file))
            mlflow.log_artifacts(folder, "all")
    run_id = run.info.run_id
    found = client.search_runs([experiment.experiment_id], "metrics.auc > 0.5 and params.lr = '0.1' and tags.team = 'a'")
    assert [each.info.run_id for each in found] == [run_id]
    data = found[0].data
    assert data.params == {"lr": "0.1", "depth": "6", "name": "x y"}
    assert data.metrics["loss"] == 0.2 and data.metrics["nothing"] != data.metrics["nothing"]
    assert data.metrics["all"] > 1e308
    assert data.tags["mlflow.runName"] == "first" and found[0].info.status == "FINISHED"
    history = client.get_metric_history(run_id, "loss")
    assert [(each.step, each.value) for each in history] == [(i, 1.0 / (i + 1)) for i in range(5)]
    assert {each.path for each in client.list_artifacts(run_id)} == {"conf", "page.html", "data set.bin", "all"}
    assert mlflow.artifacts.load_dict(run.info.artifact_uri + "/conf/a.json") == {"a": [1, 2]}
    local = client.download_artifacts(run_id, "data set.bin")
    assert pathlib.Path(local).read_bytes() == bytes(range(256)) * 4096
    assert {each.name for each in mlflow.search_experiments()} == {"session", "Default"}

    client.create_registered_model("m", {"kind": "demo"}, "a model")
    version = client.create_model_version("m", f"runs:/{run_id}/conf", run_id)
    assert version.version in (1, "1") and version.status == "READY"
    client.set_registered_model_alias("m", "champion", version.version)
    assert client.get_model_version_by_alias("m", "champion").run_id == run_id
    assert client.get_model_version_download_uri("m", version.version) == run.info.artifact_uri + "/conf"
    assert client.transition_model_version_stage("m", version.version, "production").current_stage == "Production"
    client.set_model_version_tag("m", version.version, "ok", "yes")
    assert client.search_model_versions("name = 'm'")[0].tags == {"ok": "yes"}
    assert client.get_registered_model("m").aliases == {"champion": version.version}
    client.delete_registered_model_alias("m", "champion")
    print("OK")


if __name__ == "__main__":
    main(sys.argv[1])
