"""The demo on the real binary: what it shows is neither scripted nor the machine's doing."""
import csv
import datetime
import json
import os
import pathlib
import random
import subprocess

import pytest

from conftest import gyre_binary

FLIGHTS = os.environ.get("GYRE_FLIGHTS", "")
needs_flights = pytest.mark.skipif(not pathlib.Path(FLIGHTS, "weather.csv").exists(), reason="GYRE_FLIGHTS is not set")
TIMEOUT_S = 400
YEAR_TIMEOUT_S = 1800
IDS = {"run_id", "rollout", "alert", "monitor", "before", "after", "digest", "hash", "previous_hash", "time", "position"}


def demo(tmp_path, *flags, timeout=TIMEOUT_S) -> dict:
    done = subprocess.run([gyre_binary(), "--json", "demo", "--speed", "max", "--folder", str(tmp_path), *flags],
                          capture_output=True, text=True, timeout=timeout, check=False)
    assert done.stdout, done.stderr
    return {"exit": done.returncode, **json.loads(done.stdout)}


def without_ids(value):
    if isinstance(value, dict):
        return {key: without_ids(item) for key, item in value.items() if key not in IDS and key != "cause" and key != "reason"}
    if isinstance(value, list):
        return [without_ids(item) for item in value]
    return value


def decisions(summary: dict, before: str) -> list:
    """Lifecycle events of the endpoint with an event time before `before`, without ids and wall-clock times."""
    return [without_ids({"type": e["type"], "as_of": e["as_of"], "data": e["data"]}) for e in summary["events"]
            if e["subject"] == "endpoint/flights" and e["as_of"] and e["as_of"] < before]


@needs_flights
def test_decisions_depend_on_the_data_before_them_and_on_nothing_else(tmp_path):
    until = ["--flights", FLIGHTS, "--until", "2013-03-20"]
    plain = demo(tmp_path / "plain", *until)
    again = demo(tmp_path / "again", *until)
    changed = demo(tmp_path / "changed", *until, "--change-from", "2013-03-12")
    assert plain["errors"] == 0 and plain["predictions"] > 40_000
    assert all(e["held"] for e in plain["expectations"]), plain["expectations"]
    seen = decisions(plain, "2013-03-12")
    assert any(e["type"] == "rollout.started" for e in seen), "the schedule of four weeks started a rollout"
    assert decisions(again, "2013-04-01") == decisions(plain, "2013-04-01")
    assert decisions(changed, "2013-03-12") == seen
    assert [m for m in changed["months"] if m["month"] == "2013-02"] == [m for m in plain["months"] if m["month"] == "2013-02"]
    assert changed["months"] != plain["months"]


@needs_flights
def test_the_model_left_alone_is_as_good_as_others_measured(tmp_path):
    """0.66 in February: XGBoost with integer codes, outside Gyre."""
    summary = demo(tmp_path, "--flights", FLIGHTS, "--until", "2013-03-01")
    february = next(m for m in summary["months"] if m["month"] == "2013-02")
    assert abs(february["auc_alone"] - 0.66) < 0.03


def of_type(summary: dict, *types: str) -> list[dict]:
    return [event for event in summary["events"] if event["type"] in types]


def loop_events(summary: dict) -> list[dict]:
    """What a world in which nothing happens must not show."""
    return of_type(summary, "drift.detected", "performance.degraded", "rollout.started")


@needs_flights
def test_nothing_happens_where_nothing_changes(tmp_path):
    """Draws of January's rows under the year's timestamps."""
    summary = demo(tmp_path, "--flights", FLIGHTS, "--null", "1", "--until", "2013-04-15")
    assert summary["exit"] == 0 and summary["predictions"] > 60_000
    assert loop_events(summary) == []


@needs_flights
@pytest.mark.slow
def test_ten_years_of_nothing_hold_at_most_one_alarm(tmp_path):
    alarms = []
    for seed in range(1, 11):
        summary = demo(tmp_path / str(seed), "--flights", FLIGHTS, "--null", str(seed), timeout=YEAR_TIMEOUT_S)
        assert summary["exit"] == 0 and summary["errors"] == 0
        assert of_type(summary, "rollout.started") == [], seed
        alarms += [(seed, event["as_of"], event["data"]) for event in of_type(summary, "drift.detected")]
    assert len(alarms) <= 1, alarms


PLANTED_IS_FOUND_WITHIN_DAYS = 14


@needs_flights
@pytest.mark.parametrize("column", ["temp", "distance"])
def test_a_planted_shift_is_named(tmp_path, column):
    planted = datetime.date(2013, 3, 10)
    summary = demo(tmp_path, "--flights", FLIGHTS, "--plant", f"{column}@{planted}", "--until", "2013-04-01")
    found = of_type(summary, "drift.detected")
    assert found, "the shift was not found"
    assert {one["metric"] for event in found for one in event["data"]["columns"]} == {column}
    day = datetime.date.fromisoformat(found[0]["as_of"][:10])
    assert planted < day <= planted + datetime.timedelta(days=PLANTED_IS_FOUND_WITHIN_DAYS)


@needs_flights
@pytest.mark.slow
def test_permuted_outcomes_change_what_happens_from_then_on_and_nothing_before(tmp_path):
    until = ["--flights", FLIGHTS, "--until", "2013-09-01"]
    plain = demo(tmp_path / "plain", *until, timeout=YEAR_TIMEOUT_S)
    permuted = demo(tmp_path / "permuted", *until, "--permute-from", "2013-07-01", timeout=YEAR_TIMEOUT_S)
    assert decisions(permuted, "2013-07-01") == decisions(plain, "2013-07-01")
    later = [[d for d in decisions(one, "2013-09-01") if d["as_of"] >= "2013-07-01"] for one in (plain, permuted)]
    assert later[0] != later[1]
    august = next(m for m in permuted["months"] if m["month"] == "2013-08")
    assert abs(august["auc_loop"] - 0.5) < 0.03, "outcomes that mean nothing cannot be predicted"


@needs_flights
@pytest.mark.slow
def test_the_year_holds_what_it_promises(tmp_path):
    summary = demo(tmp_path, "--flights", FLIGHTS, timeout=YEAR_TIMEOUT_S)
    assert [e for e in summary["expectations"] if not e["held"]] == []
    assert summary["exit"] == 0


def write_table(path, rows: int, kind: str):
    rng = random.Random(7)
    start = datetime.datetime(2024, 1, 1)
    with open(path, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["when", "x1", "x2", "colour", "y"])
        for i in range(rows):
            x1, x2 = rng.gauss(0, 1), rng.gauss(0, 1)
            colour = rng.choice(["red", "green", "blue"])
            value = 2 * x1 - x2 + (1.5 if colour == "red" else 0) + rng.gauss(0, 1)
            when = start + datetime.timedelta(minutes=i * 365 * 24 * 60 / rows)
            target = round(value, 4) if kind == "regression" else ("yes" if value > 1 else "no")
            writer.writerow([when.isoformat(timespec="seconds"), round(x1, 5), round(x2, 5), colour, target])


@pytest.mark.parametrize("kind", ["classification", "regression"])
def test_anybodys_table_goes_round_the_loop(tmp_path, kind):
    path = tmp_path / "table.csv"
    write_table(path, 12_000, kind)
    summary = demo(tmp_path / "demo", "--data", str(path), "--target", "y", "--time", "when")
    assert summary["exit"] == 0, summary["expectations"]
    assert summary["errors"] == 0 and summary["predictions"] > 10_000
    assert any(e["type"] == "pipeline.triggered" for e in summary["events"])
    losses = {e["data"]["evidence"]["metric"] for e in summary["events"]
              if e["type"] == "rollout.verdict" and e["data"]["state"] == "paired"}
    assert losses <= {"brier" if kind == "classification" else "squared_error"}


def test_a_table_that_cannot_be_replayed_is_explained(gyre, tmp_path):
    path = tmp_path / "table.csv"
    write_table(path, 50, "classification")

    def refused(*options: str) -> str:
        done = gyre("demo", "--data", str(path), *options)
        assert done.returncode in (2, 4) and done.stderr.startswith("gyre: ")
        return done.stderr

    assert "it has when, x1, x2, colour, y" in refused("--target", "why", "--time", "when")
    assert "no column 'day'" in refused("--target", "y", "--time", "day")
    assert "column 'colour' is text, expected times such as" in refused("--target", "y", "--time", "colour")
    assert "is text with other than two values" in refused("--target", "colour", "--time", "when")
    assert "--target" in refused("--time", "when")
    assert "--speed: expected days a second" in refused("--target", "y", "--time", "when", "--speed", "fast")


def test_the_table_of_months_fits_large_losses(gyre, tmp_path):
    path = tmp_path / "table.csv"
    with open(path, "w") as file:
        file.write("when,x,y\n")
        file.writelines(f"2024-{1 + i // 28 % 12:02d}-{1 + i % 28:02d} {i % 24:02d}:00:00,{i % 7},{i % 7 * 1000 + i % 13 * 99}\n"
                        for i in range(336 * 3))
    done = gyre("demo", "--data", str(path), "--target", "y", "--time", "when", "--speed", "max", timeout=240)
    assert done.returncode == 0, done.stderr
    assert "MSE loop" in done.stdout and "brier" not in done.stdout
    months = [line.split() for line in done.stdout.splitlines() if line[:5] == "2024-" and line[7] == " "]
    plot = next(line for line in done.stdout.splitlines() if line.startswith("the plot: ")).removeprefix("the plot: ")
    assert ">-" not in pathlib.Path(plot).read_text(), "an axis of errors does not reach below 0"
    assert months and all(len(month) == 7 and float(month[2]) > 0 < float(month[3]) for month in months), months
