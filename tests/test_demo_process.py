"""The demo as a process: however it ends, its server does not outlive it."""
import os
import pathlib
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


@pytest.fixture
def running_demo(tmp_path):
    """A demo in the middle of its replay, its server's process and its folder."""
    write_table(tmp_path / "table.csv", 4_000, "classification")
    command = [gyre_binary(), "demo", "--data", str(tmp_path / "table.csv"), "--target", "y", "--time", "when",
               "--folder", str(tmp_path / "demo")]
    demo = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    for line in demo.stdout:
        if line.startswith("3."):
            break
    time.sleep(0.3)
    yield demo, server_of(demo), tmp_path / "demo"
    demo.kill()
    demo.communicate()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=lambda number: number.name)
def test_the_demos_server_ends_with_it(running_demo, number):
    demo, server, folder = running_demo
    assert server is not None
    url = (folder / "data" / "ready.txt").read_text().split(" ready on ")[1].split()[0]
    assert requests.get(url + "/healthz", timeout=5).status_code == 200
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
