"""The web pages in a real browser over the real binary: they show what the API says, live, and without an error."""
import pathlib
import re
import subprocess

import pytest
import requests

import browser as chromium
from conftest import Server, gyre_binary
from test_demo import write_table

pytestmark = pytest.mark.skipif(chromium.BINARY is None, reason="no chromium here")

PAGES = ["/", "/endpoints", "/models", "/experiments", "/pipelines", "/monitoring", "/events"]
FIRST_PAGE_BYTES_MAX = 250_000
LOADED = "!document.querySelector('.skeleton, .skeleton-space') && !!document.querySelector('h1')"
NATIVE = "/api/gyre/v1"


@pytest.fixture(scope="module")
def chrome():
    one = chromium.Browser()
    yield one
    one.close()


@pytest.fixture
def page(chrome):
    """The browser on an empty page, without what the test before left behind."""
    chrome.open("about:blank")
    chrome.wait("location.href === 'about:blank'")
    chrome.problems.clear()
    return chrome


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    """A server after a quarter of the demo on a table: runs, versions, traffic, windows, alerts, pipeline runs, a rollout."""
    folder = tmp_path_factory.mktemp("filled")
    write_table(folder / "table.csv", 8000, "classification")
    done = subprocess.run([gyre_binary(), "--json", "demo", "--speed", "max", "--folder", str(folder), "--data",
                           str(folder / "table.csv"), "--target", "y", "--time", "when", "--until", "2024-03-20"],
                          capture_output=True, text=True, timeout=300, check=False)
    assert (folder / "data").exists(), done.stderr
    server = Server(folder).start()
    endpoint = api(server, "/endpoints")["endpoints"][0]
    name, version = endpoint["champion"].split("/")
    source = mlflow(server, "model-versions/get", name=name, version=version)["model_version"]
    again = {"name": name, "source": source["source"], "run_id": source["run_id"]}
    answer = requests.post(server.url + "/api/2.0/mlflow/model-versions/create", json=again)
    candidate = f"{name}/{answer.json()['model_version']['version']}"
    rollout = requests.post(server.url + NATIVE + "/rollouts", json={"endpoint": endpoint["name"], "model": candidate})
    assert rollout.status_code == 201, rollout.text
    yield server
    server.stop()


def api(server, path: str) -> dict:
    answer = requests.get(server.url + NATIVE + path)
    assert answer.ok, answer.text
    return answer.json()


def mlflow(server, path: str, **query) -> dict:
    answer = requests.get(f"{server.url}/api/2.0/mlflow/{path}", params=query)
    assert answer.ok, answer.text
    return answer.json()


def show(page, server, address: str) -> None:
    page.open("about:blank")
    page.open(f"{server.url}/#{address}")
    page.wait(LOADED)


def rows(page, label: str) -> list[list[str]]:
    """The cells of a table's body, by its accessible name."""
    found = f"document.querySelector('table[aria-label=\"{label}\"]')"
    page.wait(f"!!{found}")
    return page.evaluate(f"[...{found}.tBodies[0].rows].map((row) => [...row.cells].map((cell) => cell.innerText))")


def addresses(server) -> list[str]:
    """Every page, with every tab, of what the server has."""
    endpoint = api(server, "/endpoints")["endpoints"][0]["name"]
    model = mlflow(server, "registered-models/search")["registered_models"][0]["name"]
    run = mlflow(server, "model-versions/search")["model_versions"][0]["run_id"]
    pipelines = [one["name"] for one in api(server, "/pipelines")["pipelines"]]
    return (PAGES + [f"/endpoints/{endpoint}"] + [f"/endpoints/{endpoint}?tab={tab}" for tab in ("rollout", "performance", "drift", "use")]
            + [f"/models/{model}", f"/models/{model}?version=1", "/experiments/0", f"/experiments/0/runs/{run}"]
            + [f"/experiments/0/runs/{run}?tab={tab}" for tab in ("metrics", "artifacts")]
            + [f"/pipelines/{name}" for name in pipelines] + ["/events?at=3", "/no/such/page"])


def test_the_first_page_is_small(server):
    def size(path: str) -> tuple[int, str]:
        answer = requests.get(f"{server.url}/{path}", stream=True)
        return len(answer.raw.read()), requests.get(f"{server.url}/{path}").text

    total, index = size("")
    for name in re.findall(r'"\./(assets/[^"]+)"', index):
        bytes_, text = size(name)
        total += bytes_
        if name.endswith(".css"):
            total += sum(size("assets/" + font)[0] for font in re.findall(r"url\(\./([^)]+)\)", text))
    assert 50_000 < total < FIRST_PAGE_BYTES_MAX


def test_an_empty_server_says_how_to_begin(page, server):
    for address in PAGES:
        show(page, server, address)
        text = page.text()
        assert any(word in text for word in ("is empty", "yet", "No alert has fired", "Default", "experiment.created")), (address, text)
    show(page, server, "/")
    assert f"MLFLOW_TRACKING_URI={server.url}" in page.text()
    assert page.problems == []


def test_no_page_has_an_error_or_runs_over_its_width(page, filled):
    for address in addresses(filled):
        page.resize(1280, 900)
        show(page, filled, address)
        assert "did not work" not in page.text(), address
        assert page.evaluate("document.documentElement.scrollWidth") <= 1280, address
        page.resize(390, 900, dark=True)
        page.wait("document.documentElement.scrollWidth <= 390")
    page.resize(1280, 900)
    assert page.problems == []


def test_tables_show_what_the_api_says(page, filled):
    runs = requests.post(filled.url + "/api/2.0/mlflow/runs/search", json={"experiment_ids": ["0"]}).json()["runs"]
    show(page, filled, "/experiments/0")
    assert {row[0] for row in rows(page, "Runs")} == {run["info"]["run_name"] for run in runs}
    endpoint = api(filled, "/endpoints")["endpoints"][0]
    show(page, filled, f"/endpoints/{endpoint['name']}")
    shown = {row[0].strip(): row[3] for row in rows(page, "Variants")}
    assert shown == {one["name"]: "answers nobody" if one["role"] == "shadow" else f"{one['weight']:.0%}" for one in endpoint["variants"]}
    versions = mlflow(filled, "model-versions/search")["model_versions"]
    show(page, filled, f"/models/{versions[0]['name']}")
    assert {(row[0], row[1]) for row in rows(page, "Versions")} == {(one["version"], one["semantic_version"]) for one in versions}
    for run in api(filled, "/pipeline-runs")["runs"]:
        show(page, filled, f"/pipelines/{run['pipeline']}?run={run['id']}")
        cells = page.evaluate("[...document.querySelectorAll('td.chosen button.grid-cell')].map((one) => one.ariaLabel)")
        assert cells == [f"{step['id']}: {step['state']}" for step in run["steps"]]
    show(page, filled, "/events")
    newest = api(filled, "/events?before=0&limit=1")["events"][0]
    assert rows(page, "Events")[0][0] == str(newest["position"])
    assert "chain intact" in page.text()


def test_a_drift_window_is_a_cell_for_each_column(page, filled):
    endpoint = api(filled, "/endpoints")["endpoints"][0]["name"]
    drift = api(filled, f"/endpoints/{endpoint}/drift")
    assert drift["columns"], "the demo closed at least one window"
    show(page, filled, f"/endpoints/{endpoint}?tab=drift")
    page.wait("!!document.querySelector('table.drift')")
    cells = page.evaluate("Object.fromEntries([...document.querySelectorAll('table.drift tbody tr')].map((row) => "
                          "[row.querySelector('strong').innerText, row.querySelectorAll('.heat-strip .heat').length]))")
    assert cells == {one["column"]: len(one["history"]) for one in drift["columns"]}


def test_events_arrive_by_themselves(page, filled):
    show(page, filled, "/events")
    page.wait("document.querySelector('.page-actions .live')?.dataset.state === 'live'")
    page.evaluate("window.stillTheSamePage = true")
    for name in ("from-elsewhere", "and-another"):
        requests.post(filled.url + "/api/2.0/mlflow/experiments/create", json={"name": name}).raise_for_status()
        page.wait(f"document.body.innerText.includes('name {name}')")
    page.evaluate("location.hash = '#/experiments'")
    page.wait("document.body.innerText.includes('and-another')")
    requests.post(filled.url + "/api/2.0/mlflow/experiments/create", json={"name": "while-watching"}).raise_for_status()
    page.wait("document.body.innerText.includes('while-watching')")
    assert page.evaluate("window.stillTheSamePage") is True


def test_traffic_shows_while_it_comes(page, filled):
    endpoint = api(filled, "/endpoints")["endpoints"][0]
    show(page, filled, f"/endpoints/{endpoint['name']}")
    before = endpoint["stats"]["requests"]
    body = {"rows": [{"x1": 0.5, "x2": -1.0, "colour": "red"}], "event_time": "2024-03-20T00:00:00Z"}
    for _ in range(25):
        answer = requests.post(f"{filled.url}{NATIVE}/endpoints/{endpoint['name']}/predict", json=body)
        assert answer.ok, answer.text
    page.wait(f"document.body.innerText.includes('{before + 25:,} since start')", 15)
    page.wait("document.body.innerText.includes('last 10 minutes')", 15)
    assert sum(point["rps"] for point in api(filled, f"/endpoints/{endpoint['name']}/live")["points"]) > 0


def test_a_rollout_is_paused_and_resumed_from_its_page(page, filled):
    endpoint = api(filled, "/endpoints")["endpoints"][0]
    show(page, filled, f"/endpoints/{endpoint['name']}?tab=rollout")

    def click(text: str, inside: str = "main") -> None:
        page.wait(f"(() => {{ const one = [...document.querySelectorAll('{inside} button')].find((each) => each.innerText.trim() === '{text}');"
                  " one?.click(); return !!one })()")

    for action, state in (("pause", "paused"), ("resume", "paired")):
        click(action)
        click(action, "dialog")
        page.wait(f"!document.querySelector('dialog') && document.querySelector('.rollout .status').innerText.includes("
                  f"'{'paused' if state == 'paused' else 'gathering evidence'}')")
        assert api(filled, "/endpoints")["endpoints"][0]["rollout"]["state"] == state
    types = [event["type"] for event in api(filled, "/events?before=0&limit=2")["events"]]
    assert types == ["rollout.resumed", "rollout.paused"]


def test_the_keyboard_goes_everywhere(page, filled):
    show(page, filled, "/")
    page.press("g")
    page.press("e")
    page.wait("location.hash === '#/endpoints'")
    page.press("k", ctrl=True)
    page.wait("document.activeElement?.closest('dialog.palette') !== null")
    page.type("page monitoring")
    page.press("Enter")
    page.wait("location.hash === '#/monitoring' && !document.querySelector('dialog')")
    page.wait("document.title.startsWith('Monitoring')")
    page.press("/")
    assert page.evaluate("document.activeElement.dataset.search") == ""
    page.press("Escape")
    page.press("?")
    page.wait("!!document.querySelector('dialog.help')")


def test_a_server_that_is_gone_is_said_and_its_return_seen(page, make_server):
    server = make_server()
    show(page, server, "/models")
    page.wait("document.querySelector('.rail-foot .live').dataset.state === 'live'")
    port = server.port
    server.stop()
    page.wait("document.querySelector('.rail-foot .live').dataset.state === 'offline'", 15)
    server.command[server.command.index("--http-port") + 1] = str(port)
    server.start()
    requests.post(f"{server.url}/api/2.0/mlflow/registered-models/create", json={"name": "after-the-return"}).raise_for_status()
    page.wait("document.body.innerText.includes('after-the-return')", 20)
