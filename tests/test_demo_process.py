"""The demo as a process: however it ends, its server does not outlive it."""
import os
import pathlib
import pty
import signal
import subprocess
import time

import pytest
import requests

from conftest import gyre_binary, wait_for
from test_demo import write_table


def server_of(demo: subprocess.Popen) -> int | None:
    """The demo's child that runs `gyre server`."""
    for child in pathlib.Path(f"/proc/{demo.pid}/task/{demo.pid}/children").read_text().split():
        if b"server" in pathlib.Path(f"/proc/{child}/cmdline").read_bytes().split(b"\0"):
            return int(child)
    return None


def is_gone(pid: int) -> bool:
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().split()[2] == "Z"
    except FileNotFoundError:
        return True


SHORT = ["--speed", "max", "--until", "2024-02-10"]


def start_demo(tmp_path, *flags: str, **given) -> subprocess.Popen:
    write_table(tmp_path / "table.csv", 4_000, "classification")
    command = [gyre_binary(), "demo", "--data", str(tmp_path / "table.csv"), "--target", "y", "--time", "when",
               "--folder", str(tmp_path / "demo"), *flags]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **given)


def read_until(demo: subprocess.Popen, start: str) -> str:
    for line in demo.stdout:
        if line.startswith(start):
            return line
    raise AssertionError(f"no line {start!r}: {demo.stderr.read()}")


def is_up(url: str) -> bool:
    return requests.get(url + "/healthz", timeout=5).status_code == 200


@pytest.fixture
def running_demo(tmp_path):
    """A demo in the middle of its replay, its server's process and its folder."""
    demo = start_demo(tmp_path)
    read_until(demo, "3.")
    time.sleep(0.3)
    yield demo, server_of(demo), tmp_path / "demo"
    demo.kill()
    demo.communicate()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=lambda number: number.name)
def test_the_demos_server_ends_with_it(running_demo, number):
    demo, server, folder = running_demo
    assert server is not None
    url = (folder / "data" / "ready.txt").read_text().split(" ready on ")[1].split()[0]
    assert is_up(url)
    os.kill(demo.pid, number)
    _, err = demo.communicate(timeout=30)
    wait_for(lambda: is_gone(server), 15)
    if number == signal.SIGKILL:
        assert demo.returncode == -signal.SIGKILL
    else:
        assert demo.returncode == 130
        assert err == "gyre: interrupted; the demo's server has been stopped\n"
    spools = list((folder / "data" / "monitoring" / "predictions" / "spool").iterdir())
    assert spools == [], "the server has sealed its log: it was stopped, not killed"


@pytest.mark.parametrize("stdin", ["closed", "ended"])
def test_a_kept_server_stays_where_nobody_can_press_enter(tmp_path, stdin):
    given = {"preexec_fn": lambda: os.close(0)} if stdin == "closed" else {"stdin": subprocess.DEVNULL}
    demo = start_demo(tmp_path, *SHORT, "--keep", **given)
    try:
        line = read_until(demo, "The server goes on at ")
        assert line.endswith("until it is interrupted (Ctrl-C, SIGTERM).\n")
        url = line.split()[5].rstrip("/")
        server = server_of(demo)
        time.sleep(0.5)
        assert is_up(url) and demo.poll() is None
        demo.send_signal(signal.SIGTERM)
        _, err = demo.communicate(timeout=30)
    finally:
        demo.kill()
    assert demo.returncode in (0, 1) and err == "", "its expectations decide"
    wait_for(lambda: is_gone(server), 15)
    assert (tmp_path / "demo" / "demo.svg").exists()


def test_enter_at_a_terminal_ends_a_kept_server(tmp_path):
    ours, terminal = pty.openpty()
    demo = start_demo(tmp_path, *SHORT, "--keep", stdin=terminal)
    try:
        assert read_until(demo, "The server goes on at ").endswith("until you press Enter.\n")
        server = server_of(demo)
        time.sleep(0.3)
        assert demo.poll() is None
        os.write(ours, b"\n")
        demo.communicate(timeout=30)
    finally:
        demo.kill()
        os.close(ours)
        os.close(terminal)
    assert demo.returncode in (0, 1)
    wait_for(lambda: is_gone(server), 15)
