"""The five pages that lead through the loop: every command in them runs, in their order, and says what they say.

Ids, times and numbers are compared by their form; "..." stands for what a page leaves out.
"""
import os
import pathlib
import re
import subprocess
import time

import pytest

from conftest import ROOT, gyre_binary

PAGES = ["tables.md", "pipelines.md", "monitoring.md", "rollouts.md", "events.md"]
PATIENCE_S = 90
SETTLES = ("gyre monitor", "gyre rollout", "gyre events", "gyre pipeline why")  # the loop looks once a second


def commands(page: str):
    """(command, lines that it prints, exit code) of a page's console blocks."""
    for block in re.findall(r"^```console\n(.*?)^```", (ROOT / "docs" / page).read_text(), re.M | re.S):
        for part in re.split(r"^\$ ", block, flags=re.M)[1:]:
            command, *lines = part.rstrip("\n").split("\n")
            code = 0
            if lines and (match := re.fullmatch(r"\[exit code (\d+)\]", lines[-1])):
                code, lines = int(match.group(1)), lines[:-1]
            yield command, lines, code


def form(line: str) -> str:
    """A line with ids, times and numbers replaced by what they are."""
    line = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}|[0-9a-f]{32}", "ID", line)
    line = re.sub(r"\d{4}-\d\d-\d\dT[0-9:.]+Z", "TIME", line)
    line = re.sub(r"-?\d[\d,]*(\.\d+)?(e-?\d+)?", "N", line)
    return re.sub(r"\s+", " ", line).strip()


def missing_line(expected: list[str], output: str) -> str | None:
    """The first expected line that the output lacks, in order."""
    rest = [form(line) for line in output.splitlines()]
    for line in expected:
        wanted, part = form(line.removesuffix("...")), line.endswith("...")
        if not wanted:
            continue
        at = next((i for i, have in enumerate(rest) if have == wanted or (part and have.startswith(wanted))), None)
        if at is None:
            return line
        rest = rest[at + 1:]
    return None


def test_yaml_that_pages_show_is_the_examples():
    shown = 0
    for page in PAGES:
        for name, text in re.findall(r"^```yaml\n# (examples/\S+)\n(.*?)^```", (ROOT / "docs" / page).read_text(),
                                     re.M | re.S):
            assert text == (ROOT / name).read_text(), f"{page} shows another {name}"
            shown += 1
    assert shown == 2


@pytest.mark.timeout(600)
def test_the_pages_commands_do_what_they_say(server, tmp_path):
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    env = {**os.environ, "GYRE_URL": server.url, "PATH": f"{pathlib.Path(gyre_binary()).resolve().parent}:{os.environ['PATH']}"}

    def run(command: str):
        return subprocess.run(["bash", "-c", command], cwd=tmp_path, env=env, text=True, timeout=PATIENCE_S,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    for page in PAGES:
        for command, lines, code in commands(page):
            if command.startswith("gyre server"):  # it runs already
                continue
            until = time.monotonic() + PATIENCE_S
            while True:
                done = run(command)
                lacking = missing_line(lines, done.stdout) if done.returncode == code else f"exit code {code}"
                if lacking is None:
                    break
                assert command.startswith(SETTLES) and time.monotonic() < until, \
                    f"{page}: {command}\nwants: {lacking}\ngot ({done.returncode}):\n{done.stdout}"
                time.sleep(0.5)
