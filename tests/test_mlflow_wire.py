"""The protocol's bytes: what clients rely on, and what attackers try."""
import json
import socket

import pytest
import requests

from mlflow_wire_util import Wire


@pytest.fixture
def wire(server):
    return Wire(server.url)


def test_health_and_version(server):
    assert requests.get(server.url + "/health").text == "OK"
    assert requests.get(server.url + "/version").text == "3.6.0"


@pytest.mark.parametrize("prefix", ["/api/2.0/mlflow", "/ajax-api/2.0/mlflow"])
def test_both_prefixes_answer(server, prefix):
    answer = requests.get(server.url + prefix + "/experiments/get", params={"experiment_id": 0})
    experiment = answer.json()["experiment"]
    assert experiment["experiment_id"] == "0" and experiment["name"] == "Default"
    assert isinstance(experiment["creation_time"], int) and "tags" not in experiment


def test_errors_have_mlflows_codes(server, wire):
    assert wire.error("GET", "runs/get", {"run_id": "x"}) == (404, "RESOURCE_DOES_NOT_EXIST", "Run with id=x not found")
    assert wire.error("GET", "runs/get", {})[2].startswith("Missing value for required parameter 'run_id'.")
    wire.ok("POST", "experiments/create", {"name": "a"})
    assert wire.error("POST", "experiments/create", {"name": "a"})[:2] == (400, "RESOURCE_ALREADY_EXISTS")
    status, code, message = wire.error("POST", "experiments/create", {"name": 31})
    assert (status, code) == (400, "INVALID_PARAMETER_VALUE")
    assert message == ("Invalid value 31 for parameter 'name' supplied:  Hint: Value was of type 'int'. "
                       "See the API docs for more information about request parameters.")
    assert wire.error("GET", "no/such/thing", {})[:2] == (404, "ENDPOINT_NOT_FOUND")
    answer = requests.get(server.url + "/api/2.0/mlflow/experiments/create")
    assert answer.status_code == 405 and answer.json()["error_code"] == "BAD_REQUEST"


def test_what_cannot_be_done_is_never_a_5xx(wire):
    wire.ok("POST", "experiments/create", {"name": "a"})
    wire.ok("POST", "experiments/delete", {"experiment_id": "1"})
    assert wire.error("POST", "experiments/update", {"experiment_id": "1", "new_name": "b"}) == (
        400, "INVALID_STATE", "Cannot rename a non-active experiment.")


def test_bodies_need_their_content_type(server):
    url = server.url + "/api/2.0/mlflow/experiments/create"
    answer = requests.post(url, data=b'{"name":"a"}')
    assert answer.json()["message"] == "Bad Request. Content-Type header is missing."
    answer = requests.post(url, data=b'{"name":"a"}', headers={"Content-Type": "text/plain"})
    assert "must be one of ['application/json']" in answer.json()["message"]
    answer = requests.post(url, data=b'{"name":', headers={"Content-Type": "application/json"})
    assert answer.status_code == 400


def test_numbers_may_be_text_and_ids_numbers(wire):
    run = wire.ok("POST", "runs/create", {"experiment_id": 0, "start_time": "12", "unknown": {"x": 1}, "user_id": None})
    info = run["run"]["info"]
    assert info["start_time"] == 12 and info["run_id"] == info["run_uuid"] and "end_time" not in info
    for value in (1, "2.5", "NaN", "Infinity", "-Infinity"):
        wire.ok("POST", "runs/log-metric",
                {"run_uuid": info["run_id"], "key": "m", "value": value, "timestamp": "5", "step": 3.0})
    history = wire.ok("GET", "metrics/get-history", {"run_id": info["run_id"], "metric_key": "m"})["metrics"]
    assert sorted(str(float(each["value"])) for each in history) == [
        "-1.7976931348623157e+308", "1.0", "1.7976931348623157e+308", "2.5", "nan"]
    assert [each["value"] for each in history].count("NaN") == 1
    assert all(each["step"] == 3 and each["timestamp"] == 5 for each in history)
    assert wire.error("POST", "runs/log-metric",
                      {"run_id": info["run_id"], "key": "m", "value": True, "timestamp": 1})[0] == 400
    assert wire.ok("GET", "metrics/get-history", {"run_id": info["run_id"], "metric_key": "none"}) == {}


def test_bodies_encoded_twice_and_get_with_a_body(server):
    answer = requests.post(server.url + "/api/2.0/mlflow/experiments/create", json=json.dumps({"name": "twice"}))
    assert answer.json() == {"experiment_id": "1"}
    answer = requests.get(server.url + "/api/2.0/mlflow/experiments/get-by-name", json={"experiment_name": "twice"})
    assert answer.json()["experiment"]["experiment_id"] == "1"


def test_searches_by_post_and_by_repeated_query_parameters(wire):
    for name in ("b", "a", "c"):
        wire.ok("POST", "experiments/create", {"name": name})
    query = [("max_results", "2"), ("order_by", "name DESC"), ("view_type", "ACTIVE_ONLY"), ("filter", "name != 'c'")]
    page = wire.ok("GET", "experiments/search", query)
    assert [each["name"] for each in page["experiments"]] == ["b", "a"]
    rest = wire.ok("GET", "experiments/search", [*query, ("page_token", page["next_page_token"])])
    assert [each["name"] for each in rest["experiments"]] == ["Default"] and "next_page_token" not in rest
    assert wire.ok("POST", "experiments/search", {"view_type": 2}) == {}
    assert wire.error("POST", "experiments/search", {"max_results": 0})[0] == 400


def test_registry_deletes_carry_json_bodies(wire):
    wire.ok("POST", "registered-models/create", {"name": "m", "tags": [{"key": "k", "value": "v"}]})
    wire.ok("DELETE", "registered-models/delete-tag", {"name": "m", "key": "k"})
    model = wire.ok("GET", "registered-models/get", {"name": "m"})["registered_model"]
    assert "tags" not in model and model["description"] == ""
    assert wire.error("GET", "registered-models/alias", {"name": "m", "alias": "x"}) == (
        400, "INVALID_PARAMETER_VALUE", "Registered model alias x not found.")
    assert wire.error("GET", "model-versions/get", {"name": "m", "version": "x"})[2] == (
        "Parameter 'version' must be an integer, got 'x'.")
    wire.ok("DELETE", "registered-models/delete", {"name": "m"})
    assert wire.error("GET", "registered-models/get", {"name": "m"})[2] == "Registered Model with name=m not found"


@pytest.mark.parametrize("source", [
    "/etc/passwd", "file:///etc", "file:/etc/passwd", "../x", "s3://bucket/x", "http://h/x", "mlflow-artifacts:/../../etc",
    "mlflow-artifacts:/a/%2e%2e/..", "mlflow-artifacts://host/../x", "runs:/abc/../../x", "runs:/abc//etc", "C:\\x",
    "mlflow-artifacts:/a\\..\\b", "models:/m-none", "models:/none/1", "mlflow-artifacts:/",
    "runs:/0123456789abcdef0123456789abcdef/model"])
def test_sources_of_versions_are_ids_of_this_server(wire, source):
    wire.ok("POST", "registered-models/create", {"name": "m"})
    status, code, _ = wire.error("POST", "model-versions/create", {"name": "m", "source": source})
    assert status in (400, 404) and code in ("INVALID_PARAMETER_VALUE", "RESOURCE_DOES_NOT_EXIST")


@pytest.mark.parametrize("location", [
    "/etc", "file:///tmp", "my_location", "runs:/a", "s3://b/x#y", "s3://b/x?y", "s3://b/;x", "mlflow-artifacts:/../x",
    "ftp://h/x", "javascript:x"])
def test_artifact_locations_are_of_known_schemes(wire, location):
    assert wire.error("POST", "experiments/create", {"name": "e", "artifact_location": location})[0] == 400


def test_versions_resolve_their_source(wire):
    run = wire.ok("POST", "runs/create", {})["run"]["info"]
    wire.ok("POST", "registered-models/create", {"name": "m"})
    wire.ok("POST", "model-versions/create", {"name": "m", "source": f"runs:/{run['run_id']}/model"})
    model = wire.ok("POST", "logged-models", {"experiment_id": "0", "source_run_id": run["run_id"]})["model"]["info"]
    second = wire.ok("POST", "model-versions/create", {"name": "m", "source": f"models:/{model['model_id']}"})
    assert second["model_version"]["run_id"] == run["run_id"] and second["model_version"]["version"] == "2"
    wire.ok("POST", "model-versions/create", {"name": "m", "source": "models:/m/1"})
    uri = lambda n: wire.ok("GET", "model-versions/get-download-uri", {"name": "m", "version": n})["artifact_uri"]  # noqa: E731
    assert uri(1) == run["artifact_uri"] + "/model" == uri(3)
    assert uri(2) == model["artifact_uri"]


def test_sampled_history_keeps_the_first_and_the_last_step(wire):
    run_id = wire.ok("POST", "runs/create", {})["run"]["info"]["run_id"]
    for start in range(0, 3000, 1000):
        wire.ok("POST", "runs/log-batch", {"run_id": run_id, "metrics": [
            {"key": "m", "value": i, "timestamp": i, "step": i} for i in range(start, start + 1000)]})
    path = "metrics/get-history-bulk-interval"
    points = wire.ok("GET", path, [("run_ids", run_id), ("metric_key", "m"), ("max_results", 10)])["metrics"]
    steps = [each["step"] for each in points]
    assert len(steps) == 10 and steps[0] == 0 and steps[-1] == 2999 and steps == sorted(steps)
    points = wire.ok("GET", path, [("run_ids", run_id), ("metric_key", "m"), ("start_step", 5), ("end_step", 7)])["metrics"]
    assert [(each["step"], each["run_id"]) for each in points] == [(5, run_id), (6, run_id), (7, run_id)]
    assert wire.error("GET", path, [("run_ids", run_id), ("metric_key", "m"), ("start_step", 5)])[0] == 400
    assert wire.error("GET", path, [("run_ids", f"r{i}") for i in range(101)] + [("metric_key", "m")])[0] == 400
    bulk = requests.get(wire.url + "/ajax-api/2.0/mlflow/metrics/get-history-bulk",
                        params=[("run_id", run_id), ("metric_key", "m"), ("max_results", 3)]).json()
    assert [each["step"] for each in bulk["metrics"]] == [0, 1, 2]


def test_artifacts_are_streamed_listed_and_deleted(server):
    root = server.url + "/api/2.0/mlflow-artifacts/artifacts"
    blob = bytes(range(256)) * 20_000
    assert requests.put(root + "/a/b%20c.bin", data=(blob[i:i + 65536] for i in range(0, len(blob), 65536))).json() == {}
    assert requests.put(root + "/a/page.html", data=b"<script>alert(1)</script>").json() == {}
    assert requests.get(root + "/a/b%20c.bin").content == blob
    assert requests.get(root, params={"path": "a"}).json() == {"files": [
        {"path": "b c.bin", "is_dir": False, "file_size": len(blob)},
        {"path": "page.html", "is_dir": False, "file_size": 25}]}
    assert requests.get(root, params={"path": "a/page.html"}).json() == {}
    assert requests.get(root, params={"path": "none"}).json() == {}
    page = requests.get(root + "/a/page.html")
    assert page.headers["Content-Type"].startswith("text/plain")
    assert page.headers["Content-Disposition"].startswith("attachment; filename")
    assert page.headers["X-Content-Type-Options"] == "nosniff" and "sandbox" in page.headers["Content-Security-Policy"]
    assert requests.delete(root + "/a").json() == {}
    assert requests.get(root + "/a/page.html").status_code == 404
    for step in ("create", "complete", "abort"):
        answer = requests.post(f"{server.url}/api/2.0/mlflow-artifacts/mpu/{step}/a", json={})
        assert (answer.status_code, answer.json()["error_code"]) == (501, "NOT_IMPLEMENTED")


def test_uploads_that_meet_a_folder_or_a_file_are_refused(server):
    root = server.url + "/api/2.0/mlflow-artifacts/artifacts"
    assert requests.put(root + "/a/b", data=b"x").status_code == 200
    for path in ("/a", "/a/b/c"):
        answer = requests.put(root + path, data=b"y")
        assert (answer.status_code, answer.json()["error_code"]) == (400, "INVALID_STATE")
    assert requests.get(root + "/a").status_code == 404
    assert requests.get(root + "/a/b").text == "x"


def test_batches_and_bodies_are_bounded(wire):
    run_id = wire.ok("POST", "runs/create", {})["run"]["info"]["run_id"]
    points = [{"key": "m", "value": i, "timestamp": 1} for i in range(1001)]
    assert "at most 1000 metrics. Got 1001" in wire.error("POST", "runs/log-batch", {"run_id": run_id, "metrics": points})[2]
    wire.ok("POST", "runs/log-batch", {"run_id": run_id, "metrics": points[:1000]})
    wire.ok("POST", "runs/log-batch", {"run_id": run_id, "params": [{"key": "long", "value": "v" * 7000}],
                                       "tags": [{"key": "long", "value": "v" * 9000}]})
    data = wire.ok("GET", "runs/get", {"run_id": run_id})["run"]["data"]
    assert len(data["params"][0]["value"]) == 6000
    assert [len(tag["value"]) for tag in data["tags"] if tag["key"] == "long"] == [8000]
    assert wire.error("POST", "runs/log-batch",
                      {"run_id": run_id, "params": [{"key": "k", "value": "v" * (8 << 20)}]})[0] == 413


def test_an_upload_that_is_cut_short_leaves_nothing(server):
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.sendall(b"PUT /api/2.0/mlflow-artifacts/artifacts/cut.bin HTTP/1.1\r\nHost: localhost\r\n"
                           b"Content-Length: 1000\r\n\r\n" + b"x" * 500)
    answer = requests.get(server.url + "/api/2.0/mlflow-artifacts/artifacts", params={"path": ""})
    assert answer.json() == {}


@pytest.mark.parametrize("path", ["../x", "a/../../x", "%2e%2e/x", "..%2fx", "%252e%252e/x/..", "a%5c..%5cb", "a%00b",
                                  "/etc/passwd", ".gyre-incoming/x"])
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_artifact_paths_do_not_leave_the_root(server, method, path):
    request = (f"{method} /api/2.0/mlflow-artifacts/artifacts/{path} HTTP/1.1\r\nHost: localhost\r\n"
               "Content-Length: 0\r\nConnection: close\r\n\r\n")
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.sendall(request.encode())
        answer = b""
        while chunk := connection.recv(65536):
            answer += chunk
    assert answer.split(b" ")[1] in (b"400", b"404"), answer


def test_files_by_run_model_and_version(wire, server):
    run = wire.ok("POST", "runs/create", {})["run"]["info"]
    files = server.url + "/api/2.0/mlflow-artifacts/artifacts/" + run["artifact_uri"].removeprefix("mlflow-artifacts:/")
    requests.put(files + "/d/x.txt", data=b"hello")
    listed = wire.ok("GET", "artifacts/list", {"run_id": run["run_id"], "path": "d"})
    assert listed == {"root_uri": run["artifact_uri"], "files": [{"path": "d/x.txt", "is_dir": False, "file_size": 5}]}
    for name in ("run_id", "run_uuid"):
        answer = requests.get(server.url + "/get-artifact", params={name: run["run_id"], "path": "d/x.txt"})
        assert answer.text == "hello"
    for path in ("../../x", "/etc/passwd", "d/../../../x"):
        answer = requests.get(server.url + "/get-artifact", params={"run_id": run["run_id"], "path": path})
        assert answer.status_code == 400, path
    wire.ok("POST", "registered-models/create", {"name": "m"})
    wire.ok("POST", "model-versions/create", {"name": "m", "source": f"runs:/{run['run_id']}/d"})
    answer = requests.get(server.url + "/model-versions/get-artifact", params={"name": "m", "version": 1, "path": "x.txt"})
    assert answer.text == "hello"
    uploaded = requests.post(server.url + "/ajax-api/2.0/mlflow/upload-artifact",
                             params={"run_uuid": run["run_id"], "path": "u.txt"}, data=b"up")
    assert uploaded.status_code == 200 and requests.get(files + "/u.txt").text == "up"


def test_a_model_is_noted_in_its_run(wire):
    run_id = wire.ok("POST", "runs/create", {})["run"]["info"]["run_id"]
    document = {"artifact_path": "m", "flavors": {}, "utc_time_created": "now", "run_id": run_id}
    for _ in range(2):
        wire.ok("POST", "runs/log-model", {"run_id": run_id, "model_json": json.dumps(document)})
    tags = {t["key"]: t["value"] for t in wire.ok("GET", "runs/get", {"run_id": run_id})["run"]["data"]["tags"]}
    assert json.loads(tags["mlflow.log-model.history"]) == [document, document]
    document["flavors"] = {"x": "y" * 3000}
    for _ in range(3):
        wire.ok("POST", "runs/log-model", {"run_id": run_id, "model_json": json.dumps(document)})
    tags = {t["key"]: t["value"] for t in wire.ok("GET", "runs/get", {"run_id": run_id})["run"]["data"]["tags"]}
    assert json.loads(tags["mlflow.log-model.history"]) == [document, document]
    assert wire.error("POST", "runs/log-model", {"run_id": run_id, "model_json": "{}"})[0] == 400
