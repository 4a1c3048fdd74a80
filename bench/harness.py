"""Servers that are ended by pid, wrk, processor time and the table: what every measurement in run.py uses."""
import contextlib
import http.client
import json
import os
import pathlib
import re
import select
import signal
import socket
import statistics
import subprocess
import time

READY = re.compile(r"gyre \S+ ready on http://127\.0\.0\.1:(\d+) ")
START_TIMEOUT_S = 60
PEER_START_TIMEOUT_S = 240  # mlflow's workers import for long where the machine is busy
STOP_TIMEOUT_S = 20
TICKS = os.sysconf("SC_CLK_TCK")

# The body and the path come from files so that nothing has to be quoted; results are one line of JSON.
WRK_SCRIPT = """
local file = io.open("%s", "rb")
wrk.method = "POST"
wrk.body = file:read("*a")
wrk.headers["Content-Type"] = "application/json"
file:close()
done = function(summary, latency, requests)
    local e = summary.errors
    io.write(string.format('\\nRESULT {"requests":%%d,"us":%%d,"bytes":%%d,"p50_us":%%d,"p99_us":%%d,"errors":%%d}\\n',
        summary.requests, summary.duration, summary.bytes, latency:percentile(50), latency:percentile(99),
        e.connect + e.read + e.write + e.status + e.timeout))
end
"""


class Skipped(Exception):
    """This part of the table cannot be measured here; the text says why."""


class Child:
    """A process in a group of its own, so that its own children end with it. All stay in one session: where the
    kernel groups tasks by session (autogroup), priorities count only within one, as between a server and its
    children; wrk and the references must share it."""

    def __init__(self, command, log: pathlib.Path, **options):
        self.log_path = log
        with open(log, "ab") as sink:
            self.process = subprocess.Popen(command, stderr=sink, process_group=0,
                                            **{"stdout": sink, **options})

    @property
    def pid(self) -> int:
        return self.process.pid

    def stop(self) -> None:
        for sign in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, sign)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(STOP_TIMEOUT_S)
                break
        with contextlib.suppress(ProcessLookupError):  # workers that outlived their parent
            os.killpg(self.pid, signal.SIGKILL)

    def cpu_s(self) -> float:
        fields = pathlib.Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def rss_mb(self) -> float:
        text = pathlib.Path(f"/proc/{self.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+) kB", text).group(1)) / 1024


class GyreServer(Child):
    """`gyre server` on a free loopback port; `ready_s` counts from its start to /readyz answering 200."""

    def __init__(self, binary, folder: pathlib.Path, *flags: str):
        self.data = folder / "data"
        folder.mkdir(parents=True, exist_ok=True)
        started = time.monotonic()
        super().__init__([str(binary), "server", "--http-port", "0", "--data", str(self.data), *flags],
                         folder / "server.log", stdout=subprocess.PIPE, text=True)
        ready, _, _ = select.select([self.process.stdout], [], [], START_TIMEOUT_S)
        match = READY.match(self.process.stdout.readline() if ready else "")
        if not match:
            self.stop()
            raise RuntimeError(f"gyre server did not start:\n{self.log_path.read_text()[-2000:]}")
        self.port = int(match.group(1))
        while ask(self.port, "GET", "/readyz")[0] != 200:
            if time.monotonic() - started > START_TIMEOUT_S:
                self.stop()
                raise RuntimeError("gyre server did not become ready")
            time.sleep(0.002)
        self.ready_s = time.monotonic() - started


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_port(port: int, child: Child) -> None:
    until = time.monotonic() + PEER_START_TIMEOUT_S
    while time.monotonic() < until:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        if child.process.poll() is not None:
            break
        time.sleep(0.02)
    raise RuntimeError(f"nothing listens on port {port}:\n{child.log_path.read_text()[-2000:]}")


def ask(port: int, method: str, path: str, body: bytes | None = None) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=START_TIMEOUT_S)
    with contextlib.closing(connection):
        connection.request(method, path, body, {"Content-Type": "application/json"} if body else {})
        answer = connection.getresponse()
        return answer.status, answer.read()


class Wrk:
    def __init__(self, folder: pathlib.Path, port: int, path: str, body: bytes):
        name = f"wrk{time.monotonic_ns()}"
        (folder / f"{name}.body").write_bytes(body)
        self.script = folder / f"{name}.lua"
        self.script.write_text(WRK_SCRIPT % (folder / f"{name}.body"))
        self.url = f"http://127.0.0.1:{port}{path}"

    def run(self, seconds: float, connections: int, threads: int = 2, child: Child | None = None) -> dict:
        """Results of one run; with `child`, its processor time a request too."""
        before = child.cpu_s() if child else 0.0
        done = subprocess.run(["wrk", f"-t{threads}", f"-c{connections}", f"-d{max(1, round(seconds))}s", "-s",
                               str(self.script), self.url], capture_output=True, text=True, check=True)
        out = json.loads(done.stdout.rsplit("RESULT ", 1)[1])
        if out["errors"] or not out["requests"]:
            raise RuntimeError(f"{self.url}: {out['errors']} errors in {out['requests']} requests")
        out["rps"] = out["requests"] / (out["us"] * 1e-6)
        if child:
            out["cpu_us"] = (child.cpu_s() - before) * 1e6 / out["requests"]
        return out


def alternate(rounds: int, first, second) -> tuple[list[dict], list[dict]]:
    """Runs both `rounds` times in turn, and in turn which of them goes first: the machine drifts for both."""
    a, b = [], []
    for i in range(rounds):
        for which in ((first, a), (second, b)) if i % 2 == 0 else ((second, b), (first, a)):
            which[1].append(which[0]())
    return a, b


def median_of(results: list[dict], key: str) -> float:
    return statistics.median(result[key] for result in results)


def median_ratio(a: list[dict], b: list[dict], key: str) -> float:
    """The median of the rounds' ratios: neighbours in time are compared with each other."""
    return statistics.median(x[key] / y[key] for x, y in zip(a, b))


class Table:
    def __init__(self):
        self.rows = []

    def add(self, what: str, ours: str, reference: str = "", ratio: float | None = None, target: str = ""):
        self.rows.append((what, ours, reference, "" if ratio is None else f"{ratio:.2f}", target))

    def markdown(self) -> str:
        head = ("what", "Gyre", "reference, same run", "ratio", "target")
        lines = [head, ("---",) * len(head), *self.rows]
        return "\n".join("| " + " | ".join(line) + " |" for line in lines)
