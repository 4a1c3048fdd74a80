"""Fixtures that run the real binary: GYRE_BIN, or build/release/gyre."""
import os
import pathlib
import re
import select
import signal
import subprocess
import time

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent
READY = re.compile(r"gyre \S+ ready on (http://\S+) \(data: (.+)\)")
START_TIMEOUT_S = 30
STOP_TIMEOUT_S = 30


def pytest_configure(config):
    config.addinivalue_line("markers", "slow: takes long; run by ./dev test --slow only")


def gyre_binary() -> str:
    return os.environ.get("GYRE_BIN", str(ROOT / "build" / "release" / "gyre"))


class Server:
    """One `gyre server` on a free port with its own data folder."""

    def __init__(self, folder: pathlib.Path, *flags: str, env: dict | None = None):
        folder.mkdir(parents=True, exist_ok=True)
        self.data = folder / "data"
        self.log_path = folder / "server.log"
        self.command = [gyre_binary(), "server", "--http-port", "0", "--data", str(self.data), *flags]
        self.env = {**os.environ, **(env or {})}
        self.process = None
        self.url = ""

    def start(self) -> "Server":
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE, stderr=log, env=self.env, text=True)
        ready, _, _ = select.select([self.process.stdout], [], [], START_TIMEOUT_S)
        line = self.process.stdout.readline() if ready else ""
        match = READY.match(line)
        if not match:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"no ready line, got {line!r}; log:\n{self.log()}")
        self.url = match.group(1)
        return self

    @property
    def port(self) -> int:
        return int(self.url.rsplit(":", 1)[1])

    def log(self) -> str:
        return self.log_path.read_text(errors="replace")

    def error_lines(self) -> list[str]:
        level = re.compile(r'^\S+ error |"level":"error"')
        return [line for line in self.log().splitlines() if level.search(line)]

    def stop(self) -> int:
        """SIGTERM; the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"the server did not stop within {STOP_TIMEOUT_S} s; log:\n{self.log()}") from None

    def kill(self) -> None:
        """SIGKILL, as a crash."""
        self.process.kill()
        self.process.wait()


@pytest.fixture
def make_server(tmp_path):
    """Starts servers: make_server("--log-level", "debug"). Stops them at the end; an error line fails the test."""
    servers = []

    def make(*flags: str, name: str = "", env: dict | None = None) -> Server:
        server = Server(tmp_path / (name or f"server{len(servers)}"), *flags, env=env)
        servers.append(server)
        return server.start()

    yield make
    problems = []
    for server in servers:
        code = server.stop()
        if code not in (0, -signal.SIGKILL):
            problems.append(f"exit code {code}; log:\n{server.log()}")
        problems += server.error_lines()
    assert not problems, "\n".join(problems)


@pytest.fixture
def server(make_server):
    return make_server()


@pytest.fixture
def gyre():
    """Runs `gyre ARGS`; gives the completed process."""

    def run(*args: str, env: dict | None = None, timeout: float = 60):
        return subprocess.run([gyre_binary(), *args], capture_output=True, text=True, timeout=timeout,
                              env={**os.environ, **(env or {})})

    return run


def wait_for(condition, timeout_s: float = 10.0, pause_s: float = 0.02):
    """The first true value of `condition()`; fails after `timeout_s`."""
    until = time.monotonic() + timeout_s
    while time.monotonic() < until:
        value = condition()
        if value:
            return value
        time.sleep(pause_s)
    raise AssertionError(f"{condition} did not become true within {timeout_s} s")
