#!/usr/bin/env python3
"""Writes the pages that are made from the binary: docs/config.md and docs/metrics.md.

    tools/make_docs.py [build/release/gyre]

tests/test_docs.py compares the pages with what this would write.
"""
import pathlib
import re
import select
import subprocess
import sys
import tempfile
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
START_TIMEOUT_S = 30

CONFIG_INTRO = """# Configuration

Every key has a default, a flag of `gyre server` and an environment variable. What is named later wins: default, file, environment,
flag. The file is YAML, given by `--config FILE`; its keys are nested: `server.http_port` is

```yaml
server:
  http_port: 8080
```

An unknown key is an error that names the nearest one there is. `gyre config` prints the values in force, `gyre config --explain`
where each comes from, `gyre config --json` both for programs. The table below is `gyre config --markdown`;
`tools/make_docs.py` writes this page.

"""

METRICS_INTRO = """# Metrics

`GET /metrics` answers in Prometheus' text format. Names end in their unit; counters end in `_total`. Labels come from bounded sets
(routes, codes, endpoints, models), never from ids; a family holds at most 2,000 series, further ones share one that is labelled
`other`. Histograms of durations have a bucket a power of two, from 1 microsecond to about a minute (`GET /api/gyre/v1/endpoints/NAME`
tells p50 and p99 from finer ones), and show up with their first observation.

Latencies are told by route (`gyre_http_request_seconds`), by endpoint, model and version (`gyre_serving_predict_seconds`) and, of one
request in 64, by stage: `parse` from the request's head to its rows, `predict` routing, encoding and scoring, `log` the prediction log
and the hand-over to shadows, `write` the answer's body. What share of the time scoring takes:

```promql
sum by (endpoint) (rate(gyre_serving_stage_seconds_sum{stage="predict"}[5m])) / sum by (endpoint) (rate(gyre_serving_stage_seconds_sum[5m]))
```

```yaml
scrape_configs:
  - job_name: gyre
    static_configs: [{targets: ["127.0.0.1:5000"]}]
```

Of the families below, some show up with their first series. `tools/make_docs.py` writes this page.

"""


def config_page(binary: str) -> str:
    done = subprocess.run([binary, "config", "--markdown"], capture_output=True, text=True, check=True)
    return CONFIG_INTRO + done.stdout


def families(exposition: str) -> dict[str, tuple[str, str]]:
    """Name to (type, help) of a /metrics answer."""
    helps = dict(re.findall(r"^# HELP (\S+) (.*)$", exposition, re.M))
    types = dict(re.findall(r"^# TYPE (\S+) (.*)$", exposition, re.M))
    return {name: (types[name], text) for name, text in helps.items()}


def metrics_page(exposition: str) -> str:
    rows = [f"| `{name}` | {kind} | {text} |" for name, (kind, text) in sorted(families(exposition).items())]
    return METRICS_INTRO + "\n".join(["| name | type | what it counts |", "|---|---|---|", *rows]) + "\n"


def scrape(binary: str) -> str:
    """The exposition of a server that has answered a request."""
    with tempfile.TemporaryDirectory() as folder, open(pathlib.Path(folder) / "log", "wb") as log:
        server = subprocess.Popen([binary, "server", "--http-port", "0", "--data", folder + "/data"],
                                  stdout=subprocess.PIPE, stderr=log, text=True)
        try:
            ready, _, _ = select.select([server.stdout], [], [], START_TIMEOUT_S)
            match = re.search(r"http://\S+", server.stdout.readline() if ready else "")
            if not match:
                raise RuntimeError("the server did not start")
            for _ in range(2):  # the second sees the first
                text = urllib.request.urlopen(match.group(0) + "/metrics").read().decode()
            return text
        finally:
            server.terminate()
            server.wait()


def main() -> int:
    binary = sys.argv[1] if len(sys.argv) > 1 else str(ROOT / "build" / "release" / "gyre")
    DOCS.mkdir(exist_ok=True)
    (DOCS / "config.md").write_text(config_page(binary))
    (DOCS / "metrics.md").write_text(metrics_page(scrape(binary)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
