"""The server's own routes, access and life, on the real binary."""
import json
import re
import signal
import socket

import requests


def raw(server, data: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(data)
        out = b""
        while chunk := connection.recv(65536):
            out += chunk
        return out


def test_health_readiness_and_server(server):
    assert requests.get(server.url + "/healthz").json() == {"status": "ok"}
    assert requests.get(server.url + "/readyz").json() == {"status": "ready"}
    info = requests.get(server.url + "/api/gyre/v1/server").json()
    assert info["version"] == "0.1.0" and info["project"] == "default" and info["uptime_s"] >= 0


def test_every_answer_has_security_headers_and_a_request_id(server):
    for path in ("/healthz", "/nope", "/docs"):
        answer = requests.get(server.url + path, headers={"X-Request-Id": "mine-1"})
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert answer.headers["X-Request-Id"] == "mine-1"
    assert "default-src 'self'" in requests.get(server.url + "/docs").headers["Content-Security-Policy"]


def test_unknown_paths_are_json(server):
    answer = requests.get(server.url + "/no/such/path")
    assert answer.status_code == 404
    assert answer.json()["code"] == "not_found"
    assert answer.json()["request_id"] == answer.headers["X-Request-Id"]
    assert requests.post(server.url + "/healthz").headers["Allow"] == "GET, HEAD"


def test_openapi_of_the_server_is_what_the_command_prints(server, gyre):
    document = requests.get(server.url + "/openapi.json").json()
    assert document["openapi"] == "3.1.0"
    printed = gyre("openapi")
    assert printed.returncode == 0
    assert json.loads(printed.stdout) == document


def test_metrics_count_requests_by_route_and_code(server):
    for _ in range(3):
        requests.get(server.url + "/healthz")
    requests.get(server.url + "/nope")
    text = requests.get(server.url + "/metrics").text
    assert re.search(r'^gyre_http_requests_total\{route="healthz",code="200"\} 3$', text, re.M)
    assert re.search(r'^gyre_http_requests_total\{route="none",code="404"\} 1$', text, re.M)
    assert re.search(r"^gyre_http_in_flight 1$", text, re.M)
    for name in ("process_resident_memory_bytes", "process_cpu_seconds_total", "process_open_fds",
                 'gyre_pool_queue_depth{pool="sql"}', 'gyre_pool_dropped_total{pool="work"}'):
        assert name in text, name


def test_a_scrape_is_small_and_has_no_series_of_routes_that_nobody_asked(server):
    routes = [path for path, methods in requests.get(server.url + "/openapi.json").json()["paths"].items()
              if "get" in methods and "{" not in path and "/events" not in path]
    assert len(routes) > 15
    text = requests.get(server.url + "/metrics").text
    assert len(text) < 12_000
    assert 'gyre_http_request_seconds_bucket{route="list_endpoints"' not in text
    for path in routes:
        requests.get(server.url + path)
    text = requests.get(server.url + "/metrics").text
    assert text.count('gyre_http_request_seconds_bucket{route="list_endpoints"') == 28
    assert len(text) < 12_000 + 3_500 * len(routes)


def test_foreign_hosts_and_origins_are_refused(server):
    assert requests.get(server.url + "/healthz", headers={"Host": "evil.example"}).status_code == 403
    assert requests.post(server.url + "/healthz", headers={"Origin": "http://evil.example"}).status_code in (403, 405)
    answer = raw(server, b"POST /healthz HTTP/1.1\r\nHost: localhost\r\nOrigin: null\r\nConnection: close\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 40")


def test_pipelined_requests_are_answered_in_order(server):
    one = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: n%d\r\n\r\n"
    last = b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    answers = raw(server, b"".join(one % i for i in range(200)) + last)
    ids = re.findall(rb"X-Request-Id: n(\d+)", answers)
    assert [int(i) for i in ids] == list(range(200))
    assert answers.endswith(b'{"status":"ready"}')


def test_another_address_demands_the_token_that_is_shown_once(make_server, tmp_path):
    server = make_server("--host", "0.0.0.0", name="token")
    base = f"http://127.0.0.1:{server.port}"
    token = re.search(r"admin token, shown only this once: (\S+)", server.log()).group(1)
    assert requests.get(base + "/healthz").status_code == 200
    refused = requests.get(base + "/metrics")
    assert refused.status_code == 401
    assert refused.headers["WWW-Authenticate"] == 'Basic realm="gyre"'
    assert requests.get(base + "/metrics", headers={"Authorization": "Bearer " + token}).status_code == 200
    assert requests.get(base + "/metrics", auth=("anyone", token)).status_code == 200
    assert requests.get(base + "/metrics", auth=("anyone", token + "x")).status_code == 401
    assert token not in (server.data / "admin_token.sha256").read_text()
    assert server.stop() == 0
    server.start()
    assert server.log().count("shown only this once") == 1
    base = f"http://127.0.0.1:{server.port}"
    assert requests.get(base + "/metrics", auth=("anyone", token)).status_code == 200


def test_one_server_a_data_folder_and_one_a_port(server, gyre, tmp_path):
    second = gyre("server", "--http-port", "0", "--data", str(server.data))
    assert second.returncode == 8
    assert "in use by another server" in second.stderr
    third = gyre("server", "--http-port", str(server.port), "--data", str(tmp_path / "other"))
    assert third.returncode == 8
    assert f"port {server.port} is in use" in third.stderr


def test_after_a_crash_the_next_server_starts(make_server):
    server = make_server()
    server.kill()
    server.start()
    assert requests.get(server.url + "/healthz").status_code == 200


def test_sigint_drains_and_exits_cleanly(make_server):
    server = make_server()
    server.process.send_signal(signal.SIGINT)
    assert server.process.wait(10) == 0
    assert "server_stopped" in server.log()


def test_configuration_mistakes_are_one_sentence(gyre, tmp_path):
    for args in (["server", "--http-port", "70000"], ["server", "--log-level", "loud"], ["server", "--nope"], ["nope"], []):
        result = gyre(*args)
        assert result.returncode == 2, args
        assert result.stderr.startswith("gyre: ") and result.stderr.count("\n") == 1, result.stderr
    config = tmp_path / "gyre.yaml"
    config.write_text("server:\n  htp_port: 1\n")
    result = gyre("server", "--config", str(config))
    assert result.returncode == 2
    assert "http_port" in result.stderr


def test_labels_are_kept_as_long_as_they_are_needed(gyre, tmp_path):
    refused = gyre("server", "--http-port", "0", "--data", str(tmp_path / "data"), "--label-log-days", "10")
    said = refused.stderr.splitlines()[-1]
    assert refused.returncode == 2 and said.startswith("gyre: monitoring.label_log_days is 10")
    assert "monitoring.score_horizon_days" in said


def test_config_shows_values_and_where_they_come_from(gyre, tmp_path):
    config = tmp_path / "gyre.yaml"
    config.write_text("pools:\n  queue: 7\n")
    result = gyre("config", "--json", "--config", str(config), "--sql-threads", "3",
                  env={"GYRE_SERVER__HTTP_PORT": "1234"})
    assert result.returncode == 0, result.stderr
    rows = {row["key"]: row for row in json.loads(result.stdout)}
    assert rows["pools.queue"]["value"] == "7"
    assert rows["server.http_port"]["value"] == "1234"
    assert rows["pools.sql_threads"]["value"] == "3"
    assert rows["server.host"]["origin"] == "default"
    assert "| `server.http_port` |" in gyre("config", "--markdown").stdout
    assert gyre("version").stdout == "gyre 0.1.0\n"


def test_events_go_back_from_the_newest_and_the_stream_starts_now(server):
    def create(name: str) -> None:
        requests.post(server.url + "/api/2.0/mlflow/experiments/create", json={"name": name}).raise_for_status()

    def names(page: dict) -> list[str]:
        return [event["data"]["name"] for event in page["events"]]

    def first_of_stream(headers: dict, act) -> dict:
        with requests.get(server.url + "/api/gyre/v1/events/stream", headers=headers, stream=True, timeout=20) as stream:
            act()
            lines = (line for line in stream.iter_lines() if line.startswith(b"data: "))
            return json.loads(next(lines)[6:])

    events = server.url + "/api/gyre/v1/events"
    for name in ("one", "two", "three"):
        create(name)
    newest = requests.get(events, params={"before": 0, "limit": 2}).json()
    assert names(newest) == ["three", "two"]
    rest = requests.get(events, params={"before": newest["next"], "limit": 5}).json()
    assert names(rest) == ["one", "Default"] and rest["next"] == 0
    assert requests.get(events, params={"before": 3, "after": 1}).status_code == 400
    assert first_of_stream({}, lambda: create("four"))["data"]["name"] == "four"
    resumed = first_of_stream({"Last-Event-ID": str(newest["next"])}, lambda: None)
    assert resumed["position"] == newest["next"] + 1


def test_lists_of_runs_are_bounded_and_live_figures_need_an_endpoint(server):
    runs = server.url + "/api/gyre/v1/pipeline-runs"
    assert requests.get(runs, params={"limit": 200}).json() == {"runs": []}
    for limit in (0, 201):
        assert "'limit'" in requests.get(runs, params={"limit": limit}).json()["message"]
    assert requests.get(server.url + "/api/gyre/v1/endpoints/none/live").status_code == 404
