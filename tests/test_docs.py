"""The pages that are made from the binary say what the binary says; commands in the others exist."""
import pathlib
import json
import re
import subprocess
import sys

import requests

from conftest import ROOT, gyre_binary

sys.path.insert(0, str(ROOT / "tools"))
import make_docs  # noqa: E402

HINT = "run tools/make_docs.py"


def test_the_page_of_configuration_is_the_binarys():
    assert (ROOT / "docs" / "config.md").read_text() == make_docs.config_page(gyre_binary()), HINT


def test_the_page_of_metrics_names_what_is_exposed(server):
    requests.get(server.url + "/healthz")
    exposed = make_docs.families(requests.get(server.url + "/metrics").text)
    rows = re.findall(r"^\| `(\S+)` \| (\w+) \| (.*) \|$", (ROOT / "docs" / "metrics.md").read_text(), re.M)
    assert {name: (kind, text) for name, kind, text in rows} == exposed, HINT


def test_flags_of_the_server_that_pages_show_exist():
    known = set(re.findall(r"`(--[a-z-]+)`", make_docs.config_page(gyre_binary()))) | {"--config"}
    shown = {}
    for page in sorted((ROOT / "docs").glob("*.md")):
        for line in re.findall(r"^\$? ?(?:build/release/)?gyre server .*$", page.read_text(), re.M):
            shown.update({flag: page.name for flag in re.findall(r" (--[a-z-]+)", line)})
    assert shown, "no page shows how to start the server"
    assert {flag: page for flag, page in shown.items() if flag not in known} == {}


def test_the_description_of_the_api_is_the_binarys():
    """gyre openapi > docs/openapi.json after a change of a route; the difference shows in review."""
    printed = subprocess.run([gyre_binary(), "openapi"], capture_output=True, text=True, check=True).stdout
    assert json.loads(printed) == json.loads((ROOT / "docs" / "openapi.json").read_text())
