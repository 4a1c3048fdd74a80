"""A headless Chromium over its debugging pipe: enough of the DevTools protocol for the tests of the pages."""
import json
import os
import pathlib
import queue
import shutil
import subprocess
import tempfile
import threading
import time

BINARY = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
ANSWER_TIMEOUT_S = 20
QUIET_FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
               "--disable-background-networking", "--disable-component-update", "--disable-default-apps",
               "--disable-extensions", "--disable-dev-shm-usage", "--hide-scrollbars", "--mute-audio"]


class Browser:
    """One browser with one page. `problems` gathers what a reader's console would show in red."""

    def __init__(self):
        self.profile = tempfile.mkdtemp(prefix="gyre-browser-")
        commands_out, self._commands = os.pipe()
        self._messages, messages_in = os.pipe()

        def wire():  # Chromium reads commands from descriptor 3 and writes messages to 4
            kept = [os.dup(commands_out), os.dup(messages_in)]
            os.dup2(kept[0], 3)
            os.dup2(kept[1], 4)

        self.process = subprocess.Popen(
            [BINARY, *QUIET_FLAGS, "--remote-debugging-pipe", f"--user-data-dir={self.profile}", "about:blank"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=wire, close_fds=False)
        os.close(commands_out)
        os.close(messages_in)
        self.problems: list[str] = []
        self._answers: queue.Queue = queue.Queue()
        self._last = 0
        self._session = ""
        threading.Thread(target=self._read, daemon=True).start()
        target = self._send("Target.createTarget", url="about:blank")["targetId"]
        self._session = self._send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self._send(f"{domain}.enable")
        self.resize(1280, 900)

    def _read(self) -> None:
        buffer = b""
        while chunk := os.read(self._messages, 1 << 16):
            *whole, buffer = (buffer + chunk).split(b"\0")
            for text in whole:
                message = json.loads(text)
                if "id" in message:
                    self._answers.put(message)
                else:
                    self._note(message["method"], message["params"])

    def _note(self, method: str, params: dict) -> None:
        if method == "Runtime.exceptionThrown":
            details = params["exceptionDetails"]
            self.problems.append(f"exception: {details.get('exception', {}).get('description', details['text'])}")
        elif method == "Runtime.consoleAPICalled" and params["type"] == "error":
            self.problems.append("console: " + " ".join(str(one.get("value", one.get("description"))) for one in params["args"]))
        elif method == "Log.entryAdded" and params["entry"]["level"] == "error":
            self.problems.append(f"log: {params['entry']['text']} {params['entry'].get('url', '')}")
        elif method == "Network.responseReceived" and params["response"]["status"] >= 400:
            self.problems.append(f"{params['response']['status']} {params['response']['url']}")

    def _send(self, method: str, **params) -> dict:
        self._last += 1
        message = {"id": self._last, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._commands, json.dumps(message).encode() + b"\0")
        until = time.monotonic() + ANSWER_TIMEOUT_S
        while time.monotonic() < until:
            try:
                answer = self._answers.get(timeout=1)
            except queue.Empty:
                continue
            if answer["id"] == self._last:
                assert "error" not in answer, f"{method}: {answer['error']}"
                return answer["result"]
        raise AssertionError(f"the browser did not answer {method} within {ANSWER_TIMEOUT_S} s")

    def resize(self, width: int, height: int, dark: bool = False) -> None:
        self._send("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        self._send("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])

    def open(self, url: str) -> None:
        self._send("Page.navigate", url=url)

    def evaluate(self, expression: str):
        result = self._send("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in result, f"{expression}: {result['exceptionDetails']}"
        return result["result"].get("value")

    def wait(self, expression: str, timeout_s: float = 10):
        """The first true value of a JavaScript expression."""
        until = time.monotonic() + timeout_s
        while time.monotonic() < until:
            if value := self.evaluate(expression):
                return value
            time.sleep(0.05)
        raise AssertionError(f"{expression} did not become true within {timeout_s} s; the page says:\n{self.text()[:1500]}")

    def text(self) -> str:
        return self.evaluate("document.body ? document.body.innerText : ''")

    def press(self, key: str, ctrl: bool = False) -> None:
        code = {"Enter": 13, "Escape": 27}.get(key, ord(key.upper()[0]))
        common = {"key": key, "windowsVirtualKeyCode": code, "modifiers": 2 if ctrl else 0}
        typed = {"text": key} if len(key) == 1 and not ctrl else {}
        self._send("Input.dispatchKeyEvent", type="keyDown", **common, **typed)
        self._send("Input.dispatchKeyEvent", type="keyUp", **common)

    def type(self, text: str) -> None:
        self._send("Input.insertText", text=text)

    def screenshot(self, path: pathlib.Path) -> None:
        import base64
        path.write_bytes(base64.b64decode(self._send("Page.captureScreenshot", format="png")["data"]))

    def close(self) -> None:
        self.process.terminate()
        self.process.wait(ANSWER_TIMEOUT_S)
        os.close(self._commands)
        shutil.rmtree(self.profile, ignore_errors=True)
