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
IDS = {"run_id", "rollout", "alert", "monitor", "before", "after", "digest", "hash", "previous_hash", "time", "position"}


def demo(tmp_path, *flags) -> dict:
    done = subprocess.run([gyre_binary(), "--json", "demo", "--speed", "max", "--folder", str(tmp_path), *flags],
                          capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
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
