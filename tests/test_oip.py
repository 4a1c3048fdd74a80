"""The Open Inference Protocol and the model repository, on the real binary, with Triton's own client."""
import json
import pathlib
import shutil
import socket
import time

import pytest
import requests

from conftest import Server

np = pytest.importorskip("numpy")
xgboost = pytest.importorskip("xgboost")
triton = pytest.importorskip("tritonclient.http")

FEATURES = 14
INFER_BODY_BYTES_MAX = 64 << 20
ROWS_PER_REQUEST_MAX = 100_000
CARRIERS = ["AA", "B6", "DL", "UA"]


def training_rows(seed: int, n: int = 2000):
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(n, FEATURES)).astype(np.float32)
    return rows, (rows[:, 0] + np.sin(rows[:, 1]) > 0).astype(np.float32)


def train(seed: int, trees: int = 20):
    rows, labels = training_rows(seed)
    return xgboost.train({"objective": "binary:logistic", "max_depth": 4, "nthread": 1, "seed": seed},
                         xgboost.DMatrix(rows, label=labels), trees)


def flights_frame(n: int = 3000):
    pandas = pytest.importorskip("pandas")
    rng = np.random.default_rng(3)
    frame = pandas.DataFrame({"carrier": pandas.Categorical(rng.choice(CARRIERS, n), categories=CARRIERS),
                              "distance": rng.uniform(100, 3000, n).round(1), "delay": rng.normal(0, 10, n).round(3)})
    late = (frame["carrier"].cat.codes * 5 + frame["delay"] + frame["distance"] / 500 > 10).astype(int)
    return frame, late


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """A model repository: two versions of a bare booster and a package with a text column."""
    mlflow_xgboost = pytest.importorskip("mlflow.xgboost")
    root = tmp_path_factory.mktemp("repository")
    boosters = {}
    for version in (1, 2):
        boosters[version] = train(version)
        (root / "numbers" / str(version)).mkdir(parents=True)
        boosters[version].save_model(root / "numbers" / str(version) / ("model.json" if version == 1 else "model.ubj"))
    frame, late = flights_frame()
    data = xgboost.DMatrix(frame, label=late, enable_categorical=True)
    boosters["flights"] = xgboost.train({"objective": "binary:logistic", "max_depth": 4, "max_cat_to_onehot": 1,
                                         "nthread": 1}, data, 20)
    (root / "flights").mkdir()
    mlflow_xgboost.save_model(boosters["flights"], root / "flights" / "1")
    return root, boosters


@pytest.fixture(scope="module")
def hostile(models, tmp_path_factory):
    """A server over files that are no models, beside one that is. Its log has errors, as it should."""
    root = tmp_path_factory.mktemp("hostile") / "repository"
    shutil.copytree(models[0] / "numbers", root / "numbers")
    cut = (root / "numbers" / "1" / "model.json").read_bytes()
    document = json.loads(cut)
    tree = document["learner"]["gradient_booster"]["model"]["trees"][0]
    tree["left_children"][0] = 2_000_000_000
    contents = {"cut": cut[: len(cut) // 2], "garbage": b"\x00\xff{[" * 1000, "outside": json.dumps(document).encode(),
               "deep": b"[" * 1_000_000, "empty": b""}
    for name, content in contents.items():
        (root / f"bad_{name}" / "1").mkdir(parents=True)
        (root / f"bad_{name}" / "1" / "model.json").write_bytes(content)
    (root / "no_version" / "first").mkdir(parents=True)
    server = Server(tmp_path_factory.mktemp("hostile-server"), "--model-repository", str(root)).start()
    requests_until_ready(server)
    yield server
    assert server.stop() == 0


@pytest.fixture
def served(make_server, models):
    server = make_server("--model-repository", str(models[0]))
    requests_until_ready(server)
    return server


def requests_until_ready(server, timeout_s: float = 30):
    until = time.monotonic() + timeout_s
    while requests.get(server.url + "/readyz").status_code != 200:
        assert time.monotonic() < until, requests.get(server.url + "/readyz").text
        time.sleep(0.02)


@pytest.fixture
def client(served):
    with triton.InferenceServerClient(url=f"127.0.0.1:{served.port}") as made:
        yield made


def rows_of(seed: int, n: int):
    rows, _ = training_rows(seed, n)
    rows[0, 3] = -0.0
    return rows


def triton_infer(client, rows, **options):
    tensor = triton.InferInput("input", list(rows.shape), "FP32")
    tensor.set_data_from_numpy(rows, binary_data=False)
    output = triton.InferRequestedOutput("prediction", binary_data=False)
    return client.infer("numbers", [tensor], outputs=[output], **options)


def body_of(rows) -> dict:
    return {"inputs": [{"name": "input", "shape": list(np.shape(rows)), "datatype": "FP32",
                        "data": np.asarray(rows, dtype=float).tolist()}]}


def infer(server, body, path: str = "/v2/models/numbers/infer"):
    data = body if isinstance(body, (bytes, str)) else json.dumps(body)
    return requests.post(server.url + path, data=data, headers={"Content-Type": "application/json"})


def refused(answer, status: int, *words: str):
    assert answer.status_code == status, answer.text
    body = answer.json()
    assert list(body) == ["error"], body
    for word in words:
        assert word in body["error"], body


def test_binary_tensors_are_refused_with_the_way_to_send_json(client):
    rows = rows_of(7, 2)
    tensor = triton.InferInput("input", list(rows.shape), "FP32")
    tensor.set_data_from_numpy(rows)  # binary, as the client does unless told otherwise
    with pytest.raises(triton.InferenceServerException, match="binary_data=False"):
        client.infer("numbers", [tensor])


def test_triton_client_sees_the_server_and_its_models(client):
    assert client.is_server_live() and client.is_server_ready()
    assert client.get_server_metadata()["name"] == "gyre"
    assert client.is_model_ready("numbers") and client.is_model_ready("numbers", "1")
    assert not client.is_model_ready("nobody")
    metadata = client.get_model_metadata("numbers")
    assert metadata["inputs"] == [{"name": "input", "datatype": "FP32", "shape": [-1, FEATURES]}]
    assert metadata["outputs"] == [{"name": "prediction", "datatype": "FP32", "shape": [-1, 1]}]
    assert sorted(metadata["versions"]) == ["1", "2"]
    index = {(entry["name"], entry["version"]): entry["state"] for entry in client.get_model_repository_index()}
    assert index["numbers", "2"] == "READY" and index["flights", "1"] == "READY"


@pytest.mark.parametrize("n", [1, 7, 256, 5000])
def test_predictions_equal_xgboosts(client, models, n):
    rows = rows_of(11, n)
    result = triton_infer(client, rows, request_id="r-1")
    answer = result.get_response()
    assert (answer["model_name"], answer["model_version"], answer["id"]) == ("numbers", "2", "r-1")
    expected = models[1][2].predict(xgboost.DMatrix(rows))
    np.testing.assert_allclose(result.as_numpy("prediction").ravel(), expected, rtol=1e-6)


def test_a_version_can_be_pinned(client, models):
    rows = rows_of(12, 5)
    for version in ("1", "2"):
        result = triton_infer(client, rows, model_version=version)
        assert result.get_response()["model_version"] == version
        expected = models[1][int(version)].predict(xgboost.DMatrix(rows))
        np.testing.assert_allclose(result.as_numpy("prediction").ravel(), expected, rtol=1e-6)


def test_null_is_a_missing_value(served, models):
    rows = rows_of(13, 3)
    rows[1, :5] = np.nan
    body = body_of(rows)
    body["inputs"][0]["data"] = [None if np.isnan(x) else float(x) for x in rows.ravel()]  # flat is as good as nested
    got = infer(served, body).json()["outputs"][0]["data"]
    np.testing.assert_allclose(got, models[1][2].predict(xgboost.DMatrix(rows)), rtol=1e-6)


def test_text_columns_are_bytes_inputs(client, models):
    frame, _ = flights_frame(50)
    inputs = []
    metadata = {entry["name"]: entry for entry in client.get_model_metadata("flights")["inputs"]}
    assert metadata["carrier"]["datatype"] == "BYTES" and metadata["distance"]["datatype"] == "FP64"
    for name in frame.columns:
        datatype = metadata[name]["datatype"]
        values = frame[name].astype(object if datatype == "BYTES" else float).to_numpy()
        tensor = triton.InferInput(name, [len(frame)], datatype)
        tensor.set_data_from_numpy(values, binary_data=False)
        inputs.append(tensor)
    result = client.infer("flights", inputs, outputs=[triton.InferRequestedOutput("prediction", binary_data=False)])
    expected = models[1]["flights"].predict(xgboost.DMatrix(frame, enable_categorical=True))
    np.testing.assert_allclose(result.as_numpy("prediction").ravel(), expected, rtol=1e-6)


def test_a_category_that_was_never_seen_is_a_missing_value(served):
    def predict(carrier):
        answer = requests.post(served.url + "/api/gyre/v1/endpoints/flights/predict",
                               json={"rows": [{"carrier": carrier, "distance": 500.0, "delay": 1.0}]})
        assert answer.status_code == 200, answer.text
        return answer.json()["predictions"][0]

    assert predict("??") == predict(None)
    assert len({predict(carrier) for carrier in CARRIERS}) > 1


def test_the_only_row_of_a_request_has_the_requests_own_id(served):
    path = served.url + "/api/gyre/v1/endpoints/flights/predict"
    row = {"carrier": "UA", "distance": 500.0, "delay": 1.0}
    answer = requests.post(path, json={"rows": [row]})
    assert answer.json()["request_ids"] == [answer.headers["X-Request-Id"]]
    of_a_trace = [requests.post(path, json={"rows": [row]}, headers={"X-Request-Id": "trace"}) for _ in range(2)]
    assert len({answer.json()["request_ids"][0] for answer in of_a_trace} | {"trace"}) == 3
    ids = requests.post(path, json={"rows": [row] * 3}).json()["request_ids"]
    assert len(set(ids)) == 3


def one_row(**changes) -> dict:
    body = body_of(np.zeros((1, FEATURES)))
    body["inputs"][0].update(changes)
    return body


@pytest.mark.parametrize("body, words", [
    ({}, ["no inputs"]),
    ({"inputs": []}, ["no inputs"]),
    ({"inputs": {}}, ["'inputs'", "array"]),
    (one_row(name="other"), ["'other'", "it takes input"]),
    (one_row(shape=[1, 13]), ["[n,14]", "[1,13]"]),
    (one_row(shape=[14]), ["[n,14]", "[14]"]),
    (one_row(shape=[2, 14]), ["expected 28 values", "got 14"]),
    (one_row(shape=[-1, 14]), ["whole numbers"]),
    (one_row(shape=[1 << 62, 14]), ["at most 100000 rows"]),
    (one_row(shape=[0, 14], data=[]), ["no rows"]),
    (one_row(shape=[1] * 9), ["8 dimensions"]),
    (one_row(data=[0.0] * 15), ["more values"]),
    (one_row(data=[0.0] * 13), ["got 13"]),
    (one_row(data=["1"] * 14), ["data[0] (row 0, column 0)", 'expected a number, got "1"', "send null"]),
    (one_row(data=[0.0] * 13 + [{}]), ["data[13] (row 0, column 13)", "expected a number, got {"]),
    ({"outputs": [{"name": "probability"}], **body_of(np.zeros((1, FEATURES)))}, ["'probability'", "it gives 'prediction'"]),
    ({**body_of(np.zeros((1, FEATURES))), "outputs": [{"name": "prediction"}, {"name": ""}]}, ["output ''"]),
    ({"outputs": ["prediction"], **body_of(np.zeros((1, FEATURES)))}, ["'outputs'", "objects with a name"]),
    ({"outputs": {}, **body_of(np.zeros((1, FEATURES)))}, ["'outputs'", "array"]),
    (one_row(data="0" * 14), ["'data'"]),
    (one_row(datatype="BYTES"), ["BYTES"]),
    (one_row(datatype="FP33"), ["FP33", "FP32"]),
    ([], ["not the JSON"]),
    ({"id": 7, "inputs": []}, ["'id'"]),
    ({"parameters": {"request_ids": [""]}, **body_of(np.zeros((1, FEATURES)))}, ["1 to 64 bytes"]),
    ({"parameters": {"request_ids": ["a", "b"]}, **body_of(np.zeros((1, FEATURES)))}, ["one request id a row"]),
    ({"parameters": {"event_time": "2013-02-01T10:00:00Z"}, **body_of(np.zeros((1, FEATURES)))}, ["arrival times"]),
], ids=lambda value: "-".join(value)[:40] if isinstance(value, list) and value and isinstance(value[0], str) else "")
def test_a_request_that_does_not_fit_is_told_why(served, body, words):
    refused(infer(served, body), 400, *words)


def test_columns_that_are_missing_twice_or_uneven_are_told(served):
    path = "/v2/models/flights/infer"

    def column(name, data, datatype="FP64"):
        return {"name": name, "shape": [len(data)], "datatype": datatype, "data": data}

    carrier, distance, delay = column("carrier", ["UA"], "BYTES"), column("distance", [1.0]), column("delay", [0.0])
    assert infer(served, {"inputs": [carrier, distance, delay]}, path).status_code == 200
    refused(infer(served, {"inputs": [carrier, distance]}, path), 400, "'delay' is missing")
    refused(infer(served, {"inputs": [carrier, carrier, distance, delay]}, path), 400, "'carrier'", "twice")
    refused(infer(served, {"inputs": [carrier, column("distance", [1.0, 2.0]), delay]}, path), 400, "'distance'", "2 rows")
    refused(infer(served, {"inputs": [column("carrier", [1.0]), distance, delay]}, path), 400, "expected datatype BYTES")


@pytest.mark.parametrize("value, words", [
    ("NaN", ["got NaN"]), ("nan", ["got nan"]), ("Infinity", ["got Infinity", "no infinity"]), ("-Infinity", ["got -Infinity"]),
    ("1e999", ["a double can hold", "got 1e999"]), ('"NaN"', ['expected a number, got "NaN"'])])
def test_what_json_cannot_say_is_told_with_its_place_and_what_to_send(served, value, words):
    tensor = json.dumps(one_row(shape=[2, FEATURES], data=[[0.0] * FEATURES, [0.0] * 4 + ["X"] + [0.0] * 9])).replace('"X"', value)
    refused(infer(served, tensor), 400, "input 'input'", f"data[{FEATURES + 4}] (row 1, column 4)", "send null", *words)
    columns = json.dumps({"inputs": [
        {"name": "carrier", "shape": [3], "datatype": "BYTES", "data": ["UA", "AA", "B6"]},
        {"name": "distance", "shape": [3], "datatype": "FP64", "data": [1.0, 2.0, "X"]},
        {"name": "delay", "shape": [3], "datatype": "FP64", "data": [0.0, 0.0, 0.0]}]}).replace('"X"', value)
    refused(infer(served, columns, "/v2/models/flights/infer"), 400, "input 'distance': data[2]: expected", "send null", *words)
    rows = json.dumps({"rows": [{"carrier": "UA", "distance": "X", "delay": 0.0}]}).replace('"X"', value)
    native = infer(served, rows, "/api/gyre/v1/endpoints/flights/predict")
    assert native.status_code == 400 and "rows[0].distance" in native.text and "null" in native.text, native.text
    assert infer(served, columns.replace(value, "null"), "/v2/models/flights/infer").status_code == 200


def test_an_output_may_be_asked_for_by_its_name(served):
    plain = infer(served, one_row()).json()["outputs"]
    assert infer(served, {"outputs": [{"name": "prediction"}], **one_row()}).json()["outputs"] == plain
    assert infer(served, {**one_row(), "outputs": []}).json()["outputs"] == plain


@pytest.mark.parametrize("text", [
    b"", b"{", b'{"inputs":[{"name":"input","shape":[1,14],"datatype":"FP32","data":[1,2', b"null", b"\xff\xfe",
    b'{"inputs":[{"name":"input","shape":[1,14],"datatype":"FP32","data":[NaN' + b",0" * 13 + b"]}]}",
    b"[" * 50_000, b'{"a":' * 50_000, json.dumps(one_row()).encode() + b"{}",
    json.dumps(one_row(data=[0.0])).replace("[0.0]", "[" * 3000 + "0" + "]" * 3000).encode(),
], ids=lambda text: repr(text[:20]))
def test_what_is_no_json_of_a_request_is_refused(served, text):
    refused(infer(served, text), 400)
    assert requests.get(served.url + "/healthz").status_code == 200


def test_unknown_models_and_versions(served):
    body = one_row()
    refused(infer(served, body, "/v2/models/nmbers/infer"), 404, "'nmbers'", "numbers")
    refused(infer(served, body, "/v2/models/numbers/versions/9/infer"), 404, "no loaded version '9'", "2")
    refused(infer(served, body, "/v2/models/numbers/versions/x/infer"), 404, "'x'")
    refused(requests.get(served.url + "/v2/nowhere"), 404)


def test_a_model_that_is_not_ready_says_where_to_look(hostile):
    refused(infer(hostile, one_row(), "/v2/models/bad_cut/infer"), 503, "not ready", "/api/gyre/v1/endpoints/bad_cut")
    refused(requests.get(hostile.url + "/v2/models/bad_cut/ready"), 503)


def test_files_that_are_no_models_leave_the_server_up_and_say_why(hostile):
    listing = requests.get(hostile.url + "/api/gyre/v1/endpoints").json()
    endpoints = {entry["name"]: entry for entry in listing["endpoints"]}
    for name in ("bad_cut", "bad_garbage", "bad_outside", "bad_deep", "bad_empty"):
        variant = endpoints[name]["variants"][0]
        assert variant["state"] == "failed", variant
        assert len(variant["reason"]) > 10, variant
    assert endpoints["numbers"]["variants"][-1]["state"] == "ready"
    assert "no_version" not in endpoints
    assert "version is not a positive whole number" in hostile.log()
    assert requests.get(hostile.url + "/readyz").status_code == 200


def test_more_rows_than_one_request_takes_are_refused(served):
    rows = ROWS_PER_REQUEST_MAX + 1
    body = json.dumps(one_row(shape=[rows, FEATURES])).replace("[0.0, ", "[" + "0," * (rows * FEATURES - FEATURES) + "0,")
    answer = infer(served, body)
    refused(answer, 400, "at most 100000 rows")


def rss_mb(server) -> float:
    text = pathlib.Path(f"/proc/{server.process.pid}/status").read_text()
    return int(text.split("VmRSS:")[1].split()[0]) / 1024


def test_a_body_beyond_the_bound_is_refused_before_it_is_held(served):
    before = rss_mb(served)
    with socket.create_connection(("127.0.0.1", served.port), timeout=10) as connection:
        size = 100 << 20
        assert size > INFER_BODY_BYTES_MAX
        connection.sendall(b"POST /v2/models/numbers/infer HTTP/1.1\r\nHost: localhost\r\n"
                           b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % size)
        try:
            for _ in range(size >> 20):
                connection.sendall(b" " * (1 << 20))
        except OSError:
            pass  # the server may hang up once it has answered
        head = connection.recv(65536)
    assert head.startswith(b"HTTP/1.1 413 "), head[:200]
    assert rss_mb(served) < before + 16
    assert requests.get(served.url + "/healthz").status_code == 200


def test_the_metrics_tell_latencies_by_model_version_and_stage(served):
    with requests.Session() as session:  # one connection, so one thread of the server
        for _ in range(129):
            assert session.post(served.url + "/v2/models/numbers/infer", json=one_row()).status_code == 200
    text = requests.get(served.url + "/metrics").text
    labels = 'endpoint="numbers",model="numbers",version="2"'
    assert f"gyre_serving_predict_seconds_count{{{labels}}} 129" in text
    for stage in ("parse", "predict", "log", "write"):  # the first of a thread and every 64th after it
        assert f'gyre_serving_stage_seconds_count{{{labels},stage="{stage}"}} 3' in text, text
    assert 'version="1",stage=' not in text  # which nobody has asked


def test_a_repository_that_is_no_folder_is_one_sentence(gyre, tmp_path):
    result = gyre("server", "--http-port", "0", "--data", str(tmp_path / "data"), "--model-repository", str(tmp_path / "no"))
    assert result.returncode == 4
    assert "is not a folder" in result.stderr and result.stderr.count("\n") == 1


def test_without_a_prediction_log_nothing_is_logged(make_server, models, tmp_path):
    repository = tmp_path / "repository"
    shutil.copytree(models[0] / "numbers", repository / "numbers")
    rows = {}
    for switch in ("true", "false"):
        server = make_server("--model-repository", str(repository), "--prediction-log", switch, name=switch)
        requests_until_ready(server)
        for _ in range(50):
            assert infer(server, one_row()).status_code == 200
        assert server.stop() == 0
        rows[switch] = sum(path.stat().st_size for path in (server.data / "monitoring" / "predictions" / "segments").iterdir())
    assert rows["true"] > rows["false"] + 50 * FEATURES
