"""The demo against independent software: its figures recomputed from the prediction log by the raw XGBoost package and
scikit-learn, its timeline from the events; and anybody's table that drifts."""
import csv
import datetime
import json
import math
import random

import numpy
import pandas
import pytest
import xgboost
from sklearn.metrics import brier_score_loss, roc_auc_score

from loop_util import Api, export
from test_demo import FLIGHTS, demo, needs_flights

UNTIL = "2013-04-15"
TOLERANCE = 1e-6
NEW_YORK_BEHIND = pandas.Timedelta(hours=5)  # the months of the flights begin there


class RawModel:
    """A registered version as the `xgboost` package sees it: the booster, and the dictionary of each text column."""

    def __init__(self, api: Api, data, model: str):
        name, version = model.split("/")
        found = api.ok("GET", "/api/2.0/mlflow/model-versions/get", params={"name": name, "version": version})
        folder = data / "artifacts" / found["model_version"]["source"].removeprefix("mlflow-artifacts:/")
        self.pipeline = json.loads((folder / "pipeline.json").read_text())
        self.booster = xgboost.Booster(model_file=str(folder / self.pipeline["model_file"]))

    def scores(self, rows: pandas.DataFrame) -> numpy.ndarray:
        columns = []
        for encoder in self.pipeline["encoders"]:
            values = rows[encoder["column"]]
            if encoder["kind"] == "category":
                codes = {text: code for code, text in enumerate(encoder["categories"])}
                values = values.map(codes)
            columns.append(values.to_numpy(dtype=numpy.float32, na_value=numpy.nan))
        matrix = xgboost.DMatrix(numpy.column_stack(columns), feature_names=self.booster.feature_names,
                                 feature_types=self.booster.feature_types, enable_categorical=True)
        return self.booster.predict(matrix).astype(float)


def answers_of(log: pandas.DataFrame, models: dict[str, RawModel], first: str) -> pandas.DataFrame:
    """One labelled row a request: what the user got and what the first model says, both recomputed."""
    answers = log[log["answered"] & log["label"].notna()].copy()
    answers["month"] = (answers["event_time"] - NEW_YORK_BEHIND).dt.strftime("%Y-%m")
    answers["alone"] = models[first].scores(answers)
    for model, rows in answers.groupby("model"):
        answers.loc[rows.index, "loop"] = models[model].scores(rows)
    return answers


def splits_of(events: list[dict]) -> list[tuple[pandas.Timestamp, dict[str, float]]]:
    """From when on which share of the requests goes to which model, as the events say."""
    splits = [(pandas.Timestamp("2013-01-01"), {"flights/1": 1.0})]
    for event in events:
        if event["type"] == "endpoint.updated" and event["subject"] == "endpoint/flights":
            weights = {one["model"]: one["weight"] for one in event["data"]["variants"] if one["weight"] > 0}
            splits.append((pandas.Timestamp(event["as_of"]).tz_localize(None), weights))
    return splits


def check_timeline(answers: pandas.DataFrame, events: list[dict]):
    """Which model answered when, and how often, is what the events say; a promoted model answers alone from then on."""
    splits = splits_of(events)
    assert [when for when, _ in splits] == sorted(when for when, _ in splits)
    for at, (since, weights) in enumerate(splits):
        until = splits[at + 1][0] if at + 1 < len(splits) else pandas.Timestamp("2014-01-01")
        rows = answers[(answers["event_time"] >= since) & (answers["event_time"] < until)]
        assert set(rows["model"]) <= set(weights), f"{since} to {until}"
        for model, weight in weights.items():
            share = (rows["model"] == model).mean() if len(rows) else weight
            assert abs(share - weight) <= 5 * math.sqrt(weight * (1 - weight) / max(len(rows), 1)), (since, model)
    promoted = [(pandas.Timestamp(event["as_of"]).tz_localize(None), event["data"]["candidate"]) for event in events
                if event["type"] == "rollout.promoted"]
    assert promoted
    for when, candidate in promoted:
        assert {candidate: 1.0} in [weights for since, weights in splits if since == when]


@needs_flights
def test_every_monthly_figure_is_what_scikit_learn_makes_of_the_exported_log(tmp_path, make_server):
    folder = tmp_path / "demo"
    summary = demo(folder, "--flights", FLIGHTS, "--until", UNTIL)
    assert summary["exit"] == 0, summary["expectations"]
    (tmp_path / "server").mkdir()
    (folder / "data").rename(tmp_path / "server" / "data")
    server = make_server("--score-horizon-days", "500", name="server")
    api = Api(server.url)
    log = export(server.url, "flights", tmp_path / "log.parquet")
    assert len(log[log["answered"]]) == summary["predictions"] and log[log["answered"]]["request_id"].is_unique

    models = {model: RawModel(api, server.data, model) for model in log["model"].unique()}
    assert len(models) >= 2, "a candidate was trained and scored the same requests"
    for model, rows in log.groupby("model"):
        assert numpy.abs(models[model].scores(rows) - rows["score"]).max() < TOLERANCE, model

    answers = answers_of(log, models, "flights/1")
    months = {month["month"]: month for month in summary["months"]}
    assert sorted(months) == sorted(answers["month"].unique()) == ["2013-02", "2013-03", "2013-04"]
    for name, rows in answers.groupby("month"):
        month = months[name]
        assert len(rows) == month["n"]
        for who in ("loop", "alone"):
            assert roc_auc_score(rows["label"], rows[who]) == pytest.approx(month[f"auc_{who}"], abs=TOLERANCE), (name, who)
            assert brier_score_loss(rows["label"], rows[who]) == pytest.approx(month[f"loss_{who}"], abs=TOLERANCE), (name, who)
    compared = answers[answers["month"] >= "2013-04"]
    gain = (compared["loop"] - compared["label"]) ** 2 - (compared["alone"] - compared["label"]) ** 2
    assert summary["compared_from"] == "2013-04-01"
    assert gain.mean() == pytest.approx(summary["difference"], abs=TOLERANCE / 100) and gain.mean() != 0
    events = api.events()
    assert [event["position"] for event in events] == list(range(1, len(events) + 1))
    assert {event["position"] for event in summary["events"]} <= {event["position"] for event in events}
    check_timeline(answers, events)

    part = export(server.url, "flights", tmp_path / "part.parquet", "--from", "2013-02-10", "--to", "2013-02-12",
                  "--as-of", "2013-02-11")
    assert part["event_time"].min() >= pandas.Timestamp("2013-02-10") and part["event_time"].max() < pandas.Timestamp("2013-02-12")
    assert part["label_time"].max() < pandas.Timestamp("2013-02-11") and part["label"].isna().any()


# Anybody's table.

# kind -> (rows, days). A candidate is shown to 5 % of the requests at first and needs rows to be judged by, and a new
# one comes every four weeks: a table that is to see promotions has some hundred rows a day.
SHAPES = {"abrupt": (50_000, 150), "gradual": (50_000, 150), "stationary": (12_000, 150), "strings": (12_000, 120)}
START = datetime.datetime(2024, 1, 1)
CHANGE = 0.4  # of the time
SLOW_CHANGE = (0.25, 0.75)
CITIES = ["Zürich", "São Paulo", "東京", "Kraków", "O'Hare", "a,b \"quoted\"", "New York", "-1", "1e5", "null"]


def row_of(kind: str, share: float, rng: random.Random) -> dict:
    """One row at `share` of the time."""
    x1, x2, colour = rng.gauss(0, 1), rng.gauss(0, 1), rng.choice(["red", "green", "blue"])
    turned = {"abrupt": float(share >= CHANGE),
              "gradual": min(1.0, max(0.0, (share - SLOW_CHANGE[0]) / (SLOW_CHANGE[1] - SLOW_CHANGE[0])))}.get(kind, 0.0)
    x1 += 1.5 * turned
    value = (1 - turned) * (2 * x1 - x2) + turned * (2 * x2 - x1) + (1.5 if colour == "red" else 0) + rng.gauss(0, 1)
    row = {"x1": round(x1, 5), "x2": round(x2, 5), "colour": colour}
    if kind == "strings":
        city, code = rng.choice(CITIES), f"{rng.randrange(400):03d}-{rng.choice('ABC')}"
        value += 2.0 * (city in ("東京", "-1")) + (1.0 if code.endswith("A") else 0.0)
        row |= {"city": city if rng.random() > 0.05 else "", "code": code, "note": f"free text {rng.randrange(3000)} — ✓"}
    return row | {"y": "yes" if value > 1 else "no"}


def day(share: float) -> str:
    """Of the tables that change."""
    return (START + datetime.timedelta(days=share * SHAPES["abrupt"][1])).isoformat()[:10]


def write_table(path, kind: str):
    rng = random.Random(11)
    rows, days = SHAPES[kind]
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = None
        for i in range(rows):
            when = START + datetime.timedelta(days=days * i / rows)
            row = {"when": when.isoformat(timespec="seconds")} | row_of(kind, i / rows, rng)
            if writer is None:
                writer = csv.DictWriter(file, list(row))
                writer.writeheader()
            writer.writerow(row)


def replay_table(tmp_path, kind: str) -> dict:
    write_table(tmp_path / "table.csv", kind)
    summary = demo(tmp_path / "demo", "--data", str(tmp_path / "table.csv"), "--target", "y", "--time", "when")
    assert summary["exit"] == 0, summary["expectations"]
    assert summary["errors"] == 0 and summary["predictions"] > SHAPES[kind][0] * 0.9
    assert all(math.isfinite(month["loss_loop"]) and month["n"] > 0 for month in summary["months"])
    return summary


def days_of(summary: dict, kind: str) -> list[str]:
    return [event["as_of"][:10] for event in summary["events"] if event["type"] == kind]


def loss_after(summary: dict, who: str, month: str) -> float:
    rows = [one for one in summary["months"] if one["month"] >= month]
    return sum(one[f"loss_{who}"] * one["n"] for one in rows) / sum(one["n"] for one in rows)


def test_a_table_that_changes_at_once_is_noticed_and_learnt(tmp_path):
    summary = replay_table(tmp_path, "abrupt")
    changed = day(CHANGE)
    for alarm in ("drift.detected", "performance.degraded"):
        days = days_of(summary, alarm)
        assert days and changed <= days[0] <= day(CHANGE + 0.1), (alarm, days)
    assert any(when > changed for when in days_of(summary, "rollout.promoted"))
    assert loss_after(summary, "loop", "2024-04") < 0.6 * loss_after(summary, "alone", "2024-04")


@pytest.mark.slow
def test_a_table_that_changes_slowly_is_followed(tmp_path):
    summary = replay_table(tmp_path, "gradual")
    for alarm in ("drift.detected", "performance.degraded"):
        days = days_of(summary, alarm)
        assert days and days[0] >= day(SLOW_CHANGE[0]), "before anything changed"
    assert len([when for when in days_of(summary, "rollout.promoted") if when >= day(SLOW_CHANGE[0])]) >= 2
    assert loss_after(summary, "loop", "2024-04") < 0.8 * loss_after(summary, "alone", "2024-04")


def test_a_table_that_does_not_change_raises_no_alarm(tmp_path):
    summary = replay_table(tmp_path, "stationary")
    assert days_of(summary, "drift.detected") == [] and days_of(summary, "performance.degraded") == []
    assert loss_after(summary, "loop", "2024-02") < 1.02 * loss_after(summary, "alone", "2024-02")


def test_a_table_of_texts_goes_round_the_loop_unchanged(tmp_path, make_server):
    summary = replay_table(tmp_path, "strings")
    assert any(event["type"] == "pipeline.triggered" for event in summary["events"])
    (tmp_path / "server").mkdir()
    (tmp_path / "demo" / "data").rename(tmp_path / "server" / "data")
    server = make_server("--score-horizon-days", "500", name="server")
    log = export(server.url, "demo", tmp_path / "log.parquet")
    answered = log[log["answered"]]
    given = pandas.read_csv(tmp_path / "table.csv", dtype=str, keep_default_na=False, encoding="utf-8")
    given = given[given["when"] >= answered["event_time"].min().isoformat()]
    for column in ("city", "code", "note", "colour"):
        seen = answered.sort_values("event_time")[column].fillna("").tolist()
        assert seen == given[column].replace({"null": ""}).tolist(), column  # as CSV files spell a missing value
