"""A headless Chromium, driven through its debugging pipe: no package, no port, no network.

Owns the process and the messages of the DevTools protocol: JSON between NUL bytes on the process's file descriptors 3 and 4.
"""
import base64
import fcntl
import itertools
import json
import os
import select
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--disable-quic", "--disable-extensions", "--mute-audio", "--hide-scrollbars", "--remote-debugging-pipe", "--force-color-profile=srgb",
)
PATIENCE_S, CLICKS_APART_S = 60, 0.6


def found():
    """Return the path of a Chromium on this machine, None if there is none."""
    return next(filter(None, map(shutil.which, NAMES)), None)


def _mouse_event(kind, point, count=1):
    return {"type": kind, "x": point[0], "y": point[1], "button": "left", "buttons": int(kind != "mouseReleased"), "clickCount": count}


def _moved(end):
    """Return a pipe's end under a number from 10 on."""
    number = fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10)
    os.close(end)
    return number


class Browser:
    """A browser with one tab.

    complaints: what the page wrote to the console as a warning or an error, threw, or could not load; requests: what it asked for.
    """

    def __init__(self, path):
        self._numbers, self._buffer, self._answers, self.complaints, self.requests, self.events = itertools.count(1), b"", {}, [], [], []
        self._profile = tempfile.mkdtemp(prefix="page-test-")
        # Above 9, so that neither is 3 or 4, which the browser reads from and writes to.
        to_read, self._to, self._from, to_write = (_moved(end) for end in (*os.pipe(), *os.pipe()))
        command = ["bash", "-c", f'exec "$@" 3<&{to_read} 4>&{to_write}', "bash", path, *FLAGS, f"--user-data-dir={self._profile}", "about:blank"]
        self._process = subprocess.Popen(
            command, pass_fds=(to_read, to_write), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        os.close(to_read)
        os.close(to_write)
        self._session = None
        target = next(one for one in self.ask("Target.getTargets")["targetInfos"] if one["type"] == "page")
        self._session = self.ask("Target.attachToTarget", targetId=target["targetId"], flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.ask(f"{domain}.enable")

    def close(self):
        """End the browser, this one only."""
        try:
            self._session = None
            self.ask("Browser.close")
        except (OSError, TimeoutError):
            pass
        os.close(self._to)
        os.close(self._from)
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        shutil.rmtree(self._profile, ignore_errors=True)

    def ask(self, method, **parameters):
        """Return the result of one command."""
        return self._answer_to(method, self._send(method, parameters))

    def _send(self, method, parameters):
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": parameters} | ({"sessionId": self._session} if self._session else {})
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self._to, data):]
        return number

    def _answer_to(self, method, number):
        until = time.monotonic() + PATIENCE_S
        while number not in self._answers:
            self._read(until - time.monotonic())
        answer = self._answers.pop(number)
        assert "error" not in answer, f"{method}: {answer['error']}"
        return answer["result"]

    def open(self, path, width=1280, height=900, is_dark=False, is_phone=False):
        """Load a file in a window of a size, and return when every chart is drawn; clears the complaints."""
        self.complaints, self.requests = [], []
        self.ask("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=is_phone)
        self.ask("Emulation.setTouchEmulationEnabled", enabled=is_phone)
        self.set_dark(is_dark)
        self.ask("Page.navigate", url=Path(path).resolve().as_uri())
        self.wait_for("document.documentElement?.dataset.drawn === 'all'")

    def set_dark(self, is_dark):
        """Let the reader prefer a dark or a light scheme."""
        self.ask("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark" if is_dark else "light"}])

    def run(self, code):
        """Return the value of a JavaScript expression, of a promise when it is kept."""
        result = self.ask("Runtime.evaluate", expression=code, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in result, f"{code}: {result['exceptionDetails']}"
        return result["result"].get("value")

    def wait_for(self, code, seconds=PATIENCE_S):
        """Return when an expression is true."""
        until = time.monotonic() + seconds
        while not self.run(f"Boolean({code})"):
            assert time.monotonic() < until, f"not true after {seconds} s: {code}; the page said {self.complaints}"
            time.sleep(0.02)

    def drag(self, from_xy, to_xy):
        """Press the left button at one place of the window and let it go at another."""
        points = [from_xy, *[tuple(a + (b - a) * k / 4 for a, b in zip(from_xy, to_xy, strict=True)) for k in range(1, 5)]]
        self._mouse("mousePressed", points[0])
        for point in points[1:]:
            self._mouse("mouseMoved", point)
        self._mouse("mouseReleased", points[-1])

    def click(self, x_y):
        """Click at a place of the window."""
        for kind in ("mousePressed", "mouseReleased"):
            self._mouse(kind, x_y)

    def double_click(self, x_y):
        """Click twice at a place of the window, in one go: a slow machine must not make two clicks of it, nor a third of what came before."""
        time.sleep(CLICKS_APART_S)
        method, kinds = "Input.dispatchMouseEvent", [(kind, count) for count in (1, 2) for kind in ("mousePressed", "mouseReleased")]
        for number in [self._send(method, _mouse_event(kind, x_y, count)) for kind, count in kinds]:
            self._answer_to(method, number)

    def _mouse(self, kind, point):
        self.ask("Input.dispatchMouseEvent", **_mouse_event(kind, point))

    def picture(self, path, is_whole=False):
        """Write what the window shows, or the whole page, as PNG."""
        more = {}
        if is_whole:
            size = self.ask("Page.getLayoutMetrics")["cssContentSize"]
            more = {"captureBeyondViewport": True, "clip": {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}}
        Path(path).write_bytes(base64.b64decode(self.ask("Page.captureScreenshot", **more)["data"]))

    def print(self, path):
        """Print to a PDF and return its bytes."""
        data = base64.b64decode(self.ask("Page.printToPDF", printBackground=True, preferCSSPageSize=True)["data"])
        Path(path).write_bytes(data)
        return data

    def _read(self, seconds):
        ready, _, _ = select.select([self._from], [], [], max(seconds, 0))
        if not ready:
            raise TimeoutError(f"the browser did not answer within {PATIENCE_S} s")
        data = os.read(self._from, 2**20)
        if not data:
            raise OSError("the browser has gone")
        *messages, self._buffer = (self._buffer + data).split(b"\0")
        for message in map(json.loads, messages):
            if "id" in message:
                self._answers[message["id"]] = message
            else:
                self._note(message["method"], message["params"])

    def _note(self, method, said):
        if method == "Runtime.exceptionThrown":
            self.complaints.append(said["exceptionDetails"].get("exception", {}).get("description") or said["exceptionDetails"]["text"])
        elif method == "Runtime.consoleAPICalled" and said["type"] in ("error", "warning", "assert"):
            self.complaints.append(" ".join(str(one.get("value", one.get("description"))) for one in said["args"]))
        elif method == "Log.entryAdded" and said["entry"]["level"] in ("error", "warning"):
            self.complaints.append(said["entry"]["text"])
        elif method == "Network.requestWillBeSent" and not said["request"]["url"].startswith(("data:", "blob:")):
            self.requests.append(said["request"]["url"])
