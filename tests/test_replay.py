"""An endpoint whose clock its owner moves: what it knows of its time after a crash, and how far back it remembers."""
from conftest import wait_for
from loop_util import Api, train_package

CLOCK = "endpoints/flights/clock"


def day(n: int, hour: int = 0) -> str:
    """Day `n` of 2013, from 1; up to day 59."""
    month, date = (1, n) if n <= 31 else (2, n - 31)
    return f"2013-{month:02}-{date:02}T{hour:02}:00:00Z"


def deploy(api: Api, folder, **more) -> None:
    package = train_package(folder / "train")
    api.register(package, "flights")
    api.register(package, "flights")
    api.deploy("flights", "flights/1", time="event", own_clock=True, future_skew_max_s=86_400, **more)
    wait_for(lambda: api.native("GET", "endpoints/flights")["variants"][0]["state"] == "ready", timeout_s=30)


def answer_days(api: Api, days, labelled=True) -> None:
    for n in days:
        ids = [f"d{n}-{i}" for i in range(4)]
        assert api.predict("flights", ids, event_times=[day(n, 6 + i) for i in range(4)]).status_code == 200
        if labelled:
            labels = [{"request_id": one, "value": float(i % 2), "time": day(n, 12)} for i, one in enumerate(ids)]
            api.native("POST", "labels", {"endpoint": "flights", "labels": labels})


def position(api: Api) -> str:
    return api.native("GET", "monitors")["monitors"][0]["position"]


def test_a_replays_clock_stands_after_a_crash_and_goes_on(make_server, tmp_path):
    server = make_server(name="server")
    api = Api(server.url)
    deploy(api, tmp_path)
    api.native("POST", "monitors", {"endpoint": "flights", "name": "weekly", "kind": "drift"})
    answer_days(api, range(1, 9))
    api.native("POST", CLOCK, {"now": day(9)})
    first_window = position(api)
    assert first_window is not None
    server.kill()

    server.start()
    api = Api(server.url)
    wait_for(lambda: api.native("GET", "endpoints/flights")["variants"][0]["state"] == "ready", timeout_s=30)
    assert api.native("GET", "endpoints/flights")["now"] == day(9)
    beyond = api.predict("flights", ["beyond"], event_time=day(20))
    assert beyond.status_code == 400 and "is beyond the endpoint's clock, " + day(9) in beyond.text
    back = api.raw("POST", f"/api/gyre/v1/{CLOCK}", json={"now": day(8)})
    assert back.status_code == 400 and "does not go back to " + day(8) in back.text
    api.native("POST", CLOCK, {"now": day(9)})  # what was being told when it crashed may be told again
    assert position(api) == first_window
    rollout = api.native("POST", "rollouts", {"endpoint": "flights", "model": "flights/2"})
    assert rollout["started_at"] == day(9)
    for n in range(9, 17):
        answer_days(api, [n])
        api.native("POST", CLOCK, {"now": day(n + 1)})
    assert position(api) > first_window
    assert api.native("GET", "endpoints/flights")["now"] == day(17)
    assert api.native("GET", f"rollouts/{rollout['id']}")["looks"], "it went on looking at the evidence"


def test_an_endpoint_made_anew_has_no_clock_of_the_former_one(make_server, tmp_path):
    api = Api(make_server().url)
    deploy(api, tmp_path)
    api.native("POST", CLOCK, {"now": day(9)})
    api.native("DELETE", "endpoints/flights")
    wait_for(lambda: api.raw("GET", "/v2/models/flights").status_code == 404)
    api.deploy("flights", "flights/1", time="event", own_clock=True)
    assert api.native("GET", "endpoints/flights")["now"] is None


def test_a_report_says_how_far_back_it_reaches(make_server, tmp_path):
    server = make_server("--score-horizon-days", "16", name="server")
    api = Api(server.url)
    deploy(api, tmp_path, shadows=[{"name": "alone", "model": "flights/1"}])
    answer_days(api, range(1, 11))
    api.native("POST", CLOCK, {"now": day(11)})
    report = api.native("GET", "endpoints/flights/report?alone=flights/1")
    assert report["covers_from"] == day(1, 6) and report["complete"] is True
    for n in range(11, 50):
        api.native("POST", CLOCK, {"now": day(n)})
        answer_days(api, [n])
    api.native("POST", CLOCK, {"now": day(50)})
    report = api.native("GET", "endpoints/flights/report?alone=flights/1")
    assert day(31) < report["covers_from"] < day(35) and report["complete"] is False
    assert [month["month"] for month in report["months"]] == ["2013-02"]
