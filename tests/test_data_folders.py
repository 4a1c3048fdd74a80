"""Data folders of other releases: older ones are opened and migrated, newer ones are refused."""
import base64
import json
import pathlib
import sqlite3
import subprocess

import pytest

from conftest import ROOT, gyre_binary, wait_for
from loop_util import Api, export

RELEASES = sorted(path for path in (ROOT / "tests" / "data_folders").iterdir() if (path / "gyre.sql").exists())
MIGRATIONS = sorted((ROOT / "migrations" / "sqlite").glob("*.sql"))


def build(release: pathlib.Path, data: pathlib.Path) -> dict:
    """The data folder that the release's text describes; what it is expected to answer."""
    data.mkdir(parents=True)
    database = sqlite3.connect(data / "gyre.db")
    database.executescript((release / "gyre.sql").read_text())
    database.close()
    for name, content in json.loads((release / "files.json").read_text()).items():
        path = data / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else base64.b64decode(content["base64"]))
    return json.loads((release / "expected.json").read_text())


def assert_rows_have_a_project(database: sqlite3.Connection) -> None:
    """Every row names its project, by itself or by the row that owns it."""
    tables = [name for name, in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
              if not name.startswith("sqlite_")]
    columns = {table: [row[1] for row in database.execute(f"PRAGMA table_info({table})")] for table in tables}
    owned = {table for table in tables if database.execute(f"PRAGMA foreign_key_list({table})").fetchall()}
    owned |= {"pipeline_steps", "pipeline_attempts"}  # by run_id
    singletons = {"event_head", "pipeline_cursor", "schema_migrations"}  # of the database itself
    for table in set(tables) - owned - singletons:
        assert "project" in columns[table], f"rows of {table} belong to no project"
        assert database.execute(f"SELECT count(*) FROM {table} WHERE project <> 'default'").fetchone() == (0,), table


def test_alerts_windows_and_watermarks_of_the_first_release_get_its_project(make_server, tmp_path):
    data = tmp_path / "server" / "data"
    build(ROOT / "tests" / "data_folders" / "0.1", data)
    database = sqlite3.connect(data / "gyre.db")
    database.execute("INSERT INTO alerts VALUES ('a1', 'm1', 'flights', 'drift', 'dep_delay', 0.5, NULL, NULL, 0.2, 'warning', "
                     "'firing', 1, NULL, 2, 'moved')")
    database.execute("INSERT OR REPLACE INTO monitoring_watermarks VALUES ('flights', 1, 2, 3)")
    window = ("flights", "flights/1", 0, 604_800_000_000, 1, 5, "{}")
    database.execute("INSERT INTO performance_windows VALUES (?, ?, ?, ?, ?, ?, ?)", window)
    database.commit()
    database.close()
    server = make_server(name="server")
    alerts = Api(server.url).native("GET", "alerts")["alerts"]
    assert [(alert["id"], alert["metric"], alert["message"]) for alert in alerts] == [("a1", "dep_delay", "moved")]
    server.stop()
    database = sqlite3.connect(data / "gyre.db")
    assert database.execute("SELECT project, id, opened_at_us, as_of_us FROM alerts").fetchall() == [("default", "a1", 1, 2)]
    assert ("default", *window) in database.execute("SELECT * FROM performance_windows").fetchall()
    assert_rows_have_a_project(database)


def test_microseconds_in_stored_rollouts_and_plans_become_durations(make_server, tmp_path):
    day = 86_400_000_000
    data = tmp_path / "server" / "data"
    build(ROOT / "tests" / "data_folders" / "0.1", data)
    database = sqlite3.connect(data / "gyre.db")
    sequential = {"bake_us": day // 24, "few_requests_us": 4 * day, "deadline_us": 28 * day, "loss": {"alpha": 0.05}}
    rollout = {"id": "r1", "endpoint": "flights", "champion": "flights/1", "candidate": "flights/2", "policy": "sequential",
               "options": {"label_lateness": "soon", "min_span": "7d", "sequential": sequential, "simple": {"deadline_us": 0},
                           "unpaired": {"deadline_us": 1500}},
               "state": "rolled_back", "exposure": 0.0, "reason": "", "started_us": 1, "as_of_us": 2,
               "machine": {"options": sequential, "started_us": 1}}
    database.execute("INSERT INTO rollouts VALUES ('default', 'r1', 'flights', 0, ?, 1)", (json.dumps(rollout),))
    plan = {"name": "p", "steps": [{"id": "s", "kind": "rollout", "with": {
        "endpoint": "flights", "model": "flights/2", "options": {"simple": {"deadline_us": day}, "sequential": {"bake_us": "${{params.bake}}"}}}}]}
    database.execute("INSERT INTO pipelines VALUES ('default', 'p', '', ?, '', 0, 0, 0)", (json.dumps(plan),))
    database.commit()
    database.close()
    server = make_server(name="server")
    shown = Api(server.url).native("GET", "rollouts/r1")
    assert (shown["id"], shown["state"]) == ("r1", "rolled_back")
    server.stop()
    database = sqlite3.connect(data / "gyre.db")
    stored = json.loads(database.execute("SELECT document FROM rollouts WHERE id = 'r1'").fetchone()[0])
    rewritten = {"loss": {"alpha": 0.05}, "bake": "1h", "few_requests_after": "4d", "deadline": "28d"}
    assert stored["options"] == {"label_lateness": "2d", "min_span": "7d", "sequential": rewritten, "simple": {"deadline": "0d"},
                                 "unpaired": {"deadline": "1500us"}}
    assert stored["machine"] == {"options": rewritten, "started_us": 1}
    options = json.loads(database.execute("SELECT plan FROM pipelines WHERE name = 'p'").fetchone()[0])["steps"][0]["with"]["options"]
    assert options == {"simple": {"deadline": "1d"}, "sequential": {"bake": "${{params.bake}}"}}


def test_the_present_release_is_among_them():
    version = subprocess.run([gyre_binary(), "version"], capture_output=True, text=True, check=True).stdout.split()[1]
    assert version.rsplit(".", 1)[0] in [release.name for release in RELEASES], "see tests/data_folders/README.md"


@pytest.mark.parametrize("release", RELEASES, ids=lambda path: path.name)
def test_a_folder_of_a_release_is_opened_migrated_and_served(make_server, gyre, tmp_path, release):
    expected = build(release, tmp_path / "server" / "data")
    server = make_server(name="server")
    api = Api(server.url)
    wait_for(lambda: api.raw("GET", "/readyz").status_code == 200)  # models load after the server is up
    applied = sqlite3.connect(server.data / "gyre.db").execute("SELECT max(number) FROM schema_migrations").fetchone()[0]
    assert applied == len(MIGRATIONS)

    history = api.ok("GET", "/api/2.0/mlflow/metrics/get-history", params={"run_id": expected["run"], "metric_key": "loss"})
    assert [point["value"] for point in history["metrics"]] == [1 / (step + 1) for step in range(3)]
    run = api.ok("GET", "/api/2.0/mlflow/runs/get", params={"run_id": expected["run"]})["run"]
    assert run["data"]["params"] == [{"key": "depth", "value": "6"}]
    alias = api.ok("GET", "/api/2.0/mlflow/registered-models/alias", params={"name": "flights", "alias": "champion"})
    assert alias["model_version"]["version"] == "1"
    assert gyre("--url", server.url, "events", "verify").returncode == 0
    assert len(api.events()) >= expected["events"]
    assert [monitor["name"] for monitor in api.native("GET", "monitors")["monitors"]] == ["drift"]
    assert [(monitor["window"], monitor["step"]) for monitor in api.native("GET", "monitors")["monitors"]] == [("7d", "7d")]
    assert_rows_have_a_project(sqlite3.connect(server.data / "gyre.db"))

    log = export(server.url, "flights", tmp_path / "log.parquet")
    assert len(log) == expected["exported"]
    answered = log[log["answered"]].set_index("request_id")
    assert answered["score"].to_dict() == pytest.approx(expected["scores"], abs=1e-6)
    assert answered["label"].dropna().to_dict() == expected["labels"]
    ids = list(expected["scores"])
    again = api.predict("flights", [one + "-again" for one in ids], event_time="2013-02-09T10:00:00Z")
    assert again.status_code == 200
    known = [{"request_id": one, "value": value, "time": "2013-02-20T00:00:00Z"} for one, value in expected["labels"].items()]
    counts = api.native("POST", "labels", {"endpoint": "flights", "labels": known})
    assert counts["duplicates"] == len(known), "the labels are remembered"


def test_a_database_without_the_latest_migrations_gets_them(make_server, gyre, tmp_path):
    """What an older binary left: the first migrations, with the text that they still have."""
    data = tmp_path / "server" / "data"
    make_server(name="server").stop()
    database = sqlite3.connect(data / "gyre.db")
    rows = database.execute("SELECT * FROM schema_migrations ORDER BY number").fetchall()
    database.close()
    for left_over in data.glob("gyre.db*"):
        left_over.unlink()
    database = sqlite3.connect(data / "gyre.db")
    database.execute("CREATE TABLE schema_migrations (number INTEGER PRIMARY KEY, name TEXT NOT NULL, checksum TEXT "
                     "NOT NULL, applied_us INTEGER NOT NULL)")
    for row, path in zip(rows[:4], MIGRATIONS):
        database.executescript(path.read_text())
        database.execute("INSERT INTO schema_migrations VALUES (?, ?, ?, ?)", row)
    database.commit()
    database.close()
    server = make_server(name="server")
    assert server.log().count("migration_applied") == len(MIGRATIONS) + len(MIGRATIONS) - 4
    assert Api(server.url).native("GET", "endpoints") == {"endpoints": []}


def test_a_folder_or_database_of_a_newer_release_is_refused_and_left_alone(make_server, gyre, tmp_path):
    server = make_server()
    server.stop()
    (server.data / "format").write_text("2\n")
    refused = gyre("server", "--http-port", "0", "--data", str(server.data))
    assert refused.returncode == 8
    assert "has format 2, this gyre knows up to 1; use a newer gyre" in refused.stderr
    assert refused.stderr.count("\n") == 1
    (server.data / "format").write_text("1\n")
    database = sqlite3.connect(server.data / "gyre.db")
    database.execute("INSERT INTO schema_migrations VALUES (99, 'of the future', 'x', 0)")
    database.commit()
    before = list(database.iterdump())
    refused = gyre("server", "--http-port", "0", "--data", str(server.data))
    assert refused.returncode == 8
    assert "schema is version 99" in refused.stderr and "use a newer gyre" in refused.stderr
    assert list(database.iterdump()) == before
