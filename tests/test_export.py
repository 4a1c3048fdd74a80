"""How much one export of predictions takes."""
from conftest import wait_for
from loop_util import Api, export, train_package


def test_an_export_of_too_many_requests_is_refused_and_a_shorter_one_is_made(make_server, gyre, tmp_path):
    server = make_server("--export-requests-max", "6")
    api = Api(server.url)
    api.register(train_package(tmp_path / "train"), "flights")
    api.deploy("flights", "flights/1", time="event", shadows=[{"name": "beside", "model": "flights/1"}])
    wait_for(lambda: api.native("GET", "endpoints/flights")["variants"][0]["state"] == "ready", timeout_s=30)
    for day in (1, 2):
        ids = [f"{day}-{i}" for i in range(4)]
        assert api.predict("flights", ids, event_time=f"2013-02-0{day}T10:00:00Z").status_code == 200
    out = tmp_path / "log.parquet"
    refused = gyre("--url", server.url, "predictions", "export", "flights", "--out", str(out))
    assert refused.returncode != 0 and not out.exists()
    assert "endpoint 'flights' has more than 6 requests in that time, the most that one export takes" in refused.stderr
    assert "ask for a shorter time" in refused.stderr
    log = export(server.url, "flights", out, "--from", "2013-02-02")
    assert sorted(set(log["request_id"])) == [f"2-{i}" for i in range(4)]
