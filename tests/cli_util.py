"""What the tests of the command line share: a repository of models, clients, a server that keeps the requests."""
import http.server
import json
import os
import subprocess
import threading
import urllib.parse

import pytest
import requests

from conftest import gyre_binary, wait_for
from loop_util import training_table

NATIVE = "/api/gyre/v1"
MLFLOW = "/api/2.0/mlflow"


def write(path, text: str):
    path.write_text(text)
    return path


class Client:
    """`gyre --url URL ARGS`."""

    def __init__(self, gyre, url: str):
        self.gyre, self.url = gyre, url

    def __call__(self, *args: str):
        return self.gyre("--url", self.url, *args)

    def json(self, *args: str):
        done = self("--json", *args)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


class Stub:
    """Answers from a table of "METHOD /path" to documents (a list: one after the other, the last for ever)."""

    def __init__(self):
        self.answers = {}
        self.asked = []
        stub = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def answer(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                stub.asked.append((f"{self.command} {self.path}", json.loads(body) if body else None))
                answer = stub.answers.get(f"{self.command} {urllib.parse.urlsplit(self.path).path}")
                if isinstance(answer, list):
                    answer = answer.pop(0) if len(answer) > 1 else answer[0]
                status, kind = (200, "application/json") if answer is not None else (404, "application/json")
                if answer is None:
                    answer = {"code": "not_found", "message": f"no route {self.path}"}
                if isinstance(answer, str):
                    kind, data = "text/event-stream", answer.encode()
                else:
                    data = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = do_PUT = do_DELETE = answer

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    """A model repository with flights/1 and flights/2."""
    folder = tmp_path_factory.mktemp("repository")
    write(folder / "rows.csv", training_table())
    for version in ("1", "2"):
        spec = {"kind": "train", "inputs": [{"name": "rows", "path": str(folder / "rows.csv")}],
                "params": {"table": "rows", "target": "late",
                           "features": [{"name": "origin"}, {"name": "distance"}],
                           "params": {"trees": 5 * int(version)}},
                "output_dir": str(folder / "out")}
        subprocess.run([gyre_binary(), "step", str(write(folder / "spec.json", json.dumps(spec)))], check=True,
                       env={**os.environ, "OMP_WAIT_POLICY": "PASSIVE"}, timeout=60)
        (folder / "models" / "flights").mkdir(parents=True, exist_ok=True)
        (folder / "out" / "package").rename(folder / "models" / "flights" / version)
    return folder / "models"


@pytest.fixture
def served(make_server, gyre, repository):
    """A server whose endpoint `flights` answers with flights/2."""
    url = make_server("--model-repository", str(repository)).url
    wait_for(lambda: requests.get(url + "/readyz").status_code == 200)  # models load after the server is up
    return Client(gyre, url)


@pytest.fixture
def stub():
    server = Stub()
    yield server
    server.server.shutdown()
    server.server.server_close()


@pytest.fixture
def client(stub, gyre):
    return Client(gyre, stub.url)
