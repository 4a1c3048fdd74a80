"""What people get wrong, and what they are told: a code, what was expected, what came, what to do."""
import json
import pathlib
import shutil
import subprocess

import pytest
import requests

from conftest import Server, gyre_binary, wait_for

ROWS = "SELECT i AS id, CASE WHEN i % 3 = 0 THEN 'UA' ELSE 'AA' END AS carrier, i % 700 AS distance, " \
       "CAST(i % 7 < 3 AS INTEGER) AS late FROM range(2000) AS t(i)"
PIPELINE = """name: p
steps:
  - {id: rows, kind: validate, with: {source: "dataset://rows.csv"}}
  - {id: train, kind: train, needs: [rows], with: {table: "${{steps.rows.outputs.table}}", model: flights, target: late,
     time_column: "", holdout: {kind: fraction}, features: [carrier, distance], params: {trees: 5}}}
  - {id: evaluate, kind: evaluate, needs: [train], with: {table: "${{steps.rows.outputs.table}}",
     package: "${{steps.train.outputs.package}}", target: late}}
  - {id: register, kind: register, needs: [train], with: {name: flights, run_id: "${{steps.train.outputs.run_id}}",
     location: "${{steps.train.outputs.location}}"}}
"""
GOOD = {"carrier": "UA", "distance": 100}


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    folder = tmp_path_factory.mktemp("repository")
    rows = folder / "rows.csv"
    subprocess.run([gyre_binary(), "sql", ROWS, "--out", str(rows)], check=True, capture_output=True)
    for _ in range(2):
        subprocess.run([gyre_binary(), "train", "--data", str(rows), "--target", "late", "--features", "carrier,distance",
                        "--trees", "5", "--out", str(folder / "models"), "--name", "flights"], check=True, capture_output=True)
    return folder


@pytest.fixture
def served(make_server, repository):
    server = make_server("--model-repository", str(repository / "models"))
    wait_for(lambda: requests.get(server.url + "/readyz").status_code == 200)
    return server


@pytest.mark.parametrize("body, status, said", [
    ('{"rows":[{', 400, "is not the JSON of a predict request"),
    ("", 400, "no JSON found"),
    ('{"rows":"x"}', 400, "rows: expected an array of objects"),
    ('{"rows":[]}', 400, "expected 1 to 100000 rows, got 0"),
    ('{"rows":[{"carrier":"UA","distance":"1400"}]}', 400, 'rows[0].distance: expected a number or null, got "1400"'),
    ('{"rows":[{"carrier":7,"distance":1}]}', 400, "rows[0].carrier: expected a string or null, got 7"),
    ('{"rows":[{"carrier":"UA","distance":NaN}]}', 400, "rows[0].distance: expected a JSON value, got NaN"),
    ('{"rows":[{"carrier":"UA","distance":-Infinity}]}', 400, "rows[0].distance"),
    ('{"rows":[{"carrier":"UA","distance":1e999}]}', 400, "expected a number that a double can hold"),
    ('{"rows":[{"carrier":"UA"}]}', 400, "rows[0].distance: is missing; send null where the value is unknown"),
    ('{"rows":[{"carier":"UA","distance":1}]}', 400, "did you mean 'carrier'?"),
    ('{"rows":[{"carrier":"UA","distance":1}],"request_id":["a"]}', 400, "did you mean 'request_ids'?"),
    ('{"rows":[{"carrier":"UA","distance":1}],"request_ids":["a","b"]}', 400, "one request id a row (1), got 2"),
    ('{"rows":[{"carrier":"UA","distance":1}],"event_time":"soon"}', 400, "got 'soon'"),
    ('{"rows":[{"carrier":"UA","distance":1}],"event_time":"2013-01-01"}', 400, "counts arrival times"),
])
def test_a_body_that_does_not_fit_is_explained(served, body, status, said):
    answer = requests.post(served.url + "/api/gyre/v1/endpoints/flights/predict", data=body)
    assert answer.status_code == status
    assert answer.json()["code"] == "invalid_argument" and said in answer.json()["message"], answer.text
    assert answer.json()["request_id"] == answer.headers["X-Request-Id"]


@pytest.mark.parametrize("path", ["/api/gyre/v1/endpoints/flights/predict", "/v2/models/flights/infer"])
def test_a_large_body_leaves_no_memory_behind(served, path):
    def resident_mib() -> float:
        status = pathlib.Path(f"/proc/{served.process.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) / 1024

    field = "rows" if path.endswith("predict") else "inputs"
    body = b'{"%s": [%s1]}' % (field.encode(), b"1," * 15_000_000)
    before = resident_mib()
    assert requests.post(served.url + path, data=body).status_code == 400
    wait_for(lambda: resident_mib() < before + 60)


def test_an_older_version_that_does_not_load_leaves_the_newest_answering(repository, gyre, tmp_path):
    models = shutil.copytree(repository / "models", tmp_path / "models")
    model = next((models / "flights" / "1").glob("model.*"))
    model.write_bytes(model.read_bytes()[:100])
    server = Server(tmp_path / "server", "--model-repository", str(models)).start()  # its log has an error, as it should
    try:
        wait_for(lambda: requests.get(server.url + "/readyz").status_code == 200)
        answer = requests.post(server.url + "/api/gyre/v1/endpoints/flights/predict", json={"rows": [GOOD]})
        assert answer.status_code == 200 and answer.json()["version"] == 2
        assert requests.get(server.url + "/v2/models/flights/versions/1").status_code == 404
        assert "ready, v1 failed" in gyre("--url", server.url, "endpoints").stdout
    finally:
        server.stop()


def test_names_that_do_not_exist_are_404_everywhere(served):
    for path in ("/v2/models/flihgts", "/v2/models/flights/versions/9", "/api/gyre/v1/endpoints/flihgts",
                 "/api/gyre/v1/endpoints/flihgts/drift", "/api/gyre/v1/endpoints/flihgts/performance",
                 "/api/gyre/v1/endpoints/flihgts/traffic", "/api/gyre/v1/endpoints/flights/drift?monitor=none",
                 "/api/gyre/v1/rollouts/none", "/api/gyre/v1/pipelines/none", "/api/gyre/v1/pipeline-runs/none",
                 "/api/gyre/v1/pipeline-runs?pipeline=none", "/api/gyre/v1/pipelines/none/decisions",
                 "/api/gyre/v1/alerts?endpoint=none", "/none"):
        answer = requests.get(served.url + path)
        assert answer.status_code == 404, f"{path}: {answer.text}"
    for path in ("/api/gyre/v1/monitors/none", "/api/gyre/v1/pipelines/none", "/api/gyre/v1/endpoints/none"):
        assert requests.delete(served.url + path).status_code == 404, path


def test_a_repositorys_endpoint_is_read_only_and_says_so(served, gyre):
    env = {"GYRE_URL": served.url}
    shown = json.loads(gyre("--json", "endpoints", "flights", env=env).stdout)
    assert shown["source"] == "repository" and shown["created_at"] is None
    removed = gyre("endpoints", "remove", "flights", env=env)
    assert removed.returncode == 8 and "model repository" in removed.stderr
    rollout = gyre("rollout", "start", "flights", "flights/1", env=env)
    assert rollout.returncode == 8 and "gyre deploy" in rollout.stderr
    assert "ready" in gyre("endpoints", env=env).stdout


def test_pages_come_plain_to_who_asks_for_no_gzip(served):
    plain = requests.get(served.url + "/", headers={"Accept-Encoding": "identity"}, stream=True)
    assert "Content-Encoding" not in plain.headers and plain.raw.read(9).lower().startswith(b"<!doctype")
    packed = requests.get(served.url + "/", headers={"Accept-Encoding": "gzip"})
    assert packed.headers["Content-Encoding"] == "gzip" and packed.text.lower().startswith("<!doctype")


def test_bench_measures_an_endpoint(served, gyre):
    env = {"GYRE_URL": served.url}
    result = json.loads(gyre("--json", "bench", "flights", "--row", json.dumps(GOOD), "--seconds", "1",
                             "--connections", "2", "--rows", "3", env=env).stdout)
    assert result["failed"] == 0 and result["answered"] > 50
    assert 0 < result["p50_ms"] <= result["p99_ms"] <= result["max_ms"]
    assert result["rows_per_second"] == pytest.approx(3 * result["requests_per_second"])
    wrong = gyre("bench", "flights", "--row", '{"carrier": 1}', env=env)
    assert wrong.returncode == 2 and "expected a string" in wrong.stderr
    assert gyre("bench", "nothing", "--row", "{}", env=env).returncode == 4


def test_pipelines_work_with_a_relative_data_folder(repository, tmp_path):
    """gyre server's default is one; steps of a pipeline find their files all the same."""
    process = subprocess.Popen([gyre_binary(), "server", "--http-port", "0", "--data", "some-data"], cwd=tmp_path,
                               stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        url = process.stdout.readline().split()[4]

        def gyre(*args):
            return subprocess.run([gyre_binary(), "--url", url, *args], capture_output=True, text=True, timeout=120)

        pipeline = tmp_path / "p.yaml"
        pipeline.write_text(PIPELINE)
        assert gyre("datasets", "put", "rows.csv", str(repository / "rows.csv")).returncode == 0
        assert gyre("pipeline", "put", str(pipeline)).stdout == "put pipeline p\n"
        run = gyre("pipeline", "run", "p", "--wait")
        assert run.returncode == 0, run.stdout + run.stderr
    finally:
        process.terminate()
        assert process.wait(30) == 0


def deploy(server, gyre, repository, tmp_path):
    """flights/1 registered and deployed as 'flights'; the pipeline 'p' trains more."""
    env = {"GYRE_URL": server.url}
    (tmp_path / "p.yaml").write_text(PIPELINE)
    assert gyre("datasets", "put", "rows.csv", str(repository / "rows.csv"), env=env).returncode == 0
    assert gyre("pipeline", "put", str(tmp_path / "p.yaml"), env=env).returncode == 0
    run = gyre("pipeline", "run", "p", "--wait", env=env, timeout=180)
    assert run.returncode == 0, run.stdout + run.stderr
    assert gyre("deploy", "flights", "flights/1", env=env).returncode == 0


@pytest.fixture
def deployed(server, gyre, repository, tmp_path):
    deploy(server, gyre, repository, tmp_path)


def test_a_rollout_whose_candidate_is_gone_after_a_restart_ends_by_itself(gyre, repository, tmp_path):
    server = Server(tmp_path / "server").start()  # its log has an error, as it should
    try:
        deploy(server, gyre, repository, tmp_path)
        before = set(server.data.rglob("MLmodel"))
        assert gyre("pipeline", "run", "p", "--wait", env={"GYRE_URL": server.url}, timeout=180).returncode == 0
        started = json.loads(gyre("--json", "rollout", "start", "flights", "flights/2", env={"GYRE_URL": server.url}).stdout)
        assert started["state"] == "paired"
        assert server.stop() == 0
        for package in set(server.data.rglob("MLmodel")) - before:
            shutil.rmtree(package.parent)
        server.start()
        path = f"{server.url}/api/gyre/v1/rollouts/{started['id']}"
        ended = wait_for(lambda: (now := requests.get(path).json())["state"] != "paired" and now, timeout_s=20)
        assert ended["state"] == "rolled_back" and "flights/2) failed to load" in ended["reason"], ended
        assert (ended["evidence"]["metric"], ended["evidence"]["verdict"]) == ("load", "fail")
        answer = requests.post(server.url + "/api/gyre/v1/endpoints/flights/predict", json={"rows": [GOOD]})
        assert answer.status_code == 200 and answer.json()["version"] == 1, answer.text
        assert gyre("events", "verify", env={"GYRE_URL": server.url}).returncode == 0
    finally:
        server.stop()


def test_verbs_on_a_rollout_that_has_ended_are_refused(server, gyre, deployed):
    env = {"GYRE_URL": server.url}
    assert gyre("pipeline", "run", "p", "--wait", env=env, timeout=180).returncode == 0
    started = json.loads(gyre("--json", "rollout", "start", "flights", "flights/2", "--policy", "unpaired", env=env).stdout)
    rollout = started["id"]
    assert started["state"] == "exposing" and started["exposure"] == 0.25
    for verb, code, state in (("pause", 0, "paused"), ("pause", 0, "paused"), ("resume", 0, "exposing"),
                              ("pause", 0, "paused"), ("promote", 0, "promoted"), ("promote", 0, "promoted"),
                              ("abort", 8, "promoted"), ("pause", 8, "promoted"), ("resume", 8, "promoted")):
        done = gyre("rollout", verb, rollout, env=env)
        assert done.returncode == code, f"{verb}: {done.stdout}{done.stderr}"
        assert json.loads(gyre("--json", "rollout", "show", rollout, env=env).stdout)["state"] == state, verb
    assert json.loads(gyre("--json", "endpoints", "flights", env=env).stdout)["champion"] == "flights/2"
    for options, said in ((["simple.success.signal=correct", "simple.success.limit=0.5"], "takes no limit, got 0.5"),
                          (["simple.success.signal=error_below", "simple.success.limit=2"], "expected correct or loss_below"),
                          (["simple.success.signal=right"], "expected one of loss_below, correct, error_below")):
        flags = [argument for option in options for argument in ("--option", option)]
        refused = gyre("rollout", "start", "flights", "flights/1", "--policy", "simple", *flags, env=env)
        assert refused.returncode == 2 and said in refused.stderr, refused.stderr
    again = json.loads(gyre("--json", "rollout", "start", "flights", "flights/1", env=env).stdout)["id"]
    assert gyre("rollout", "abort", again, env=env).returncode == 0
    assert gyre("rollout", "abort", again, env=env).returncode == 0
    aborted = json.loads(gyre("--json", "rollout", "show", again, env=env).stdout)
    assert (aborted["state"], aborted["reason"]) == ("aborted", "aborted by local"), aborted
    event = requests.get(server.url + "/api/gyre/v1/events", params={"type": "rollout.aborted"}).json()["events"][-1]
    assert (event["data"]["rollout"], event["principal"]) == (again, "local"), event
    promoted = gyre("rollout", "promote", again, env=env)
    assert promoted.returncode == 8 and "has ended as aborted" in promoted.stderr
    assert gyre("events", "verify", env=env).returncode == 0


def test_labels_that_cannot_be_are_refused(server, gyre, deployed):
    path = server.url + "/api/gyre/v1/labels"

    def post(endpoint="flights", **label):
        return requests.post(path, json={"endpoint": endpoint, "labels": [{"request_id": "a", "value": 1, **label}]})

    assert post().json() == {"accepted": 1, "duplicates": 0, "revisions": 0, "unknown": 1}
    for answer, said in ((post(value=2), "labels[0]: value: endpoint 'flights' is a classification; expected 0 or 1, got 2"),
                         (post(value="1"), 'labels[0].value: expected a number, got "1"'), (post(time="2094-01-01"), "beyond the server's clock"),
                         (post(time="soon"), "labels[0].time"), (post(request_id=""), "1 to 64 bytes")):
        assert answer.status_code == 400 and said in answer.json()["message"], answer.text
    assert post("nowhere").status_code == 404


def test_labels_may_be_the_names_of_the_classes_that_the_model_was_trained_on(make_server, gyre, tmp_path):
    rows = tmp_path / "rows.csv"
    rows.write_text("distance,income\n" + "".join(f"{i},{'>50K' if i % 2 else '<=50K'}\n" for i in range(200)))
    models = tmp_path / "models"
    assert gyre("train", "--data", str(rows), "--target", "income", "--trees", "2", "--out", str(models),
                "--name", "income").returncode == 0
    server = make_server("--model-repository", str(models))
    wait_for(lambda: requests.get(server.url + "/readyz").status_code == 200)

    def post(value):
        return requests.post(server.url + "/api/gyre/v1/labels",
                             json={"endpoint": "income", "labels": [{"request_id": "a", "value": value}]})

    assert post(">50K").json()["accepted"] == 1
    assert post(1).json()["duplicates"] == 1, "the class of later byte order is 1"
    assert post("50K").json()["message"] == "labels[0].value: expected a number or one of '<=50K', '>50K', got \"50K\""


def test_an_endpoint_that_could_never_be_served_is_not_created(server, gyre, deployed):
    env = {"GYRE_URL": server.url}
    for args, code, said in ((["x", "flights/1", "--sticky-by", "carier"], 2, "did you mean 'carrier'?"),
                             (["..", "flights/1"], 2, "model name"), (["x", "flights/9"], 4, "version=9"),
                             (["x", "flights@best"], 4, "has no alias 'best'"),
                             (["flights", "flights/1"], 8, "exists already")):
        done = gyre("deploy", *args, env=env)
        assert done.returncode == code and said in done.stderr, done.stderr
    assert [e["name"] for e in json.loads(gyre("--json", "endpoints", env=env).stdout)["endpoints"]] == ["flights"]


def test_broken_rows_fail_or_are_left_out(gyre, tmp_path):
    table = tmp_path / "t.csv"
    table.write_text("carrier,distance,late\n" + "".join(f"UA,{i},{i % 2}\n" for i in range(50)) + "AA,1,0,9\n")
    done = gyre("sql", "SELECT count(*) AS n FROM t", "--source", f"t={table}")
    assert done.returncode == 2 and "t.csv:52: column 4" in done.stderr, done.stderr
    done = gyre("--json", "sql", "SELECT count(*) AS n FROM t", "--source", f"t={table}", "--on-error", "skip")
    assert json.loads(done.stdout)["rows"] == [{"n": 50}] and "1 of 51 rows were left out" in done.stderr
    train = ["train", "--data", str(table), "--target", "late", "--trees", "2"]
    assert gyre(*train, "--out", str(tmp_path / "a")).returncode == 2
    done = gyre(*train, "--out", str(tmp_path / "b"), "--on-error", "skip")
    assert done.returncode == 0 and "t.csv:52" in done.stderr
    assert gyre(*train, "--out", str(tmp_path / "c"), "--on-error", "ignore").returncode == 2


def test_a_flag_or_a_variable_that_does_not_exist_suggests_one(gyre):
    done = gyre("server", "--htp-port", "3")
    assert done.returncode == 2 and "no flag '--htp-port' (did you mean '--http-port'?)" in done.stderr
    done = gyre("config", env={"GYRE_SERVER__HTTP_PRT": "1"})
    assert done.returncode == 2 and "did you mean 'GYRE_SERVER__HTTP_PORT'?" in done.stderr


def test_a_server_that_wants_a_token_is_explained(make_server, gyre):
    server = make_server("--host", "0.0.0.0")
    url = f"http://127.0.0.1:{server.port}"
    done = gyre("models", env={"GYRE_URL": url})
    assert done.returncode == 5 and "GYRE_TOKEN" in done.stderr
    token = next(word for word in server.log().split() if word.startswith("gyre_"))
    assert gyre("models", env={"GYRE_URL": url, "GYRE_TOKEN": token}).returncode == 0


@pytest.mark.parametrize("given, said", [
    ({"window_us": 604_800_000_000}, "unknown field 'window_us'; did you mean 'window'?"),
    ({"window": "36h"}, "window: expected whole days above 0, such as 1d, 7d or 4w, got '36h'"),
    ({"step": "1"}, "step: expected whole days above 0, such as 1d, 7d or 4w, got '1'"),
])
def test_a_monitors_durations_are_said_as_people_say_them(served, given, said):
    body = {"endpoint": "flights", "name": "weekly", "kind": "drift", **given}
    answer = requests.post(served.url + "/api/gyre/v1/monitors", json=body)
    assert answer.status_code == 400 and said in answer.json()["message"], answer.text


@pytest.mark.parametrize("given, said", [
    ("sequential.deadline=10", "field 'options.sequential.deadline': expected a duration such as 90s, 30m, 2h or 14d, got integer 10"),
    ("sequential.bake=soon", "field 'options.sequential.bake': expected a duration such as 90s, 30m, 2h or 14d, got 'soon'"),
    ("label_lateness=2 days", "field 'options.label_lateness': expected a duration such as 90s, 30m, 2h or 14d, got '2 days'"),
    ("simple.deadline_us=864000000000", "unknown field 'options.simple.deadline_us'; did you mean 'deadline'?"),
    ("sequential.deadline=10d", "no endpoint named 'flights'"),
    ("unpaired.deadline=0", "no endpoint named 'flights'"),
])
def test_a_rollouts_durations_are_said_as_people_say_them(make_server, gyre, given, said):
    done = gyre("--url", make_server().url, "rollout", "start", "flights", "flights/2", "--option", given)
    assert done.returncode != 0 and said in done.stderr, done.stderr
