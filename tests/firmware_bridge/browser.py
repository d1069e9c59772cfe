"""A headless Chromium, driven through chromedriver's own protocol: WebDriver and DevTools."""

import base64
import json
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars"),
)
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
"""WebDriver's name for the reference of an element."""
START_S = 60.0
ANSWER_S = 120.0


def missing_browser() -> str:
    """What is not installed; empty if all is there."""
    if not any(map(shutil.which, BROWSERS)):
        return "no Chromium is installed (Debian: chromium)"
    return "" if shutil.which("chromedriver") else "chromedriver is not installed (Debian: chromium-driver)"


class Browser:
    """One window."""

    def __init__(self, driver: str, session: str) -> None:
        self._session = f"{driver}/session/{session}"

    def visit(self, address: str) -> None:
        """Go to an address, and wait until it is loaded."""
        _ask("POST", f"{self._session}/url", {"url": address})

    def run(self, script: str, *arguments: object) -> Any:
        """The value that a script returns; it may be a promise."""
        return _ask("POST", f"{self._session}/execute/sync", {"script": script, "args": list(arguments)})

    def wait(self, expression: str, seconds: float = 30.0) -> Any:
        """The value of an expression once it is true."""
        end = time.monotonic() + seconds
        while not (value := self.run(f"return {expression};")):
            if time.monotonic() > end:
                raise TimeoutError(f"{expression} did not become true; the page says: {self.run(PAGE_TEXT)}")
            time.sleep(0.05)
        return value

    def click(self, selector: str) -> None:
        """Click as a user does."""
        _ask("POST", f"{self._element(selector)}/click", {})

    def type(self, selector: str, text: str) -> None:
        """Type into an element; into a file's input, the file's path."""
        _ask("POST", f"{self._element(selector)}/value", {"text": text})

    def press(self, key: str) -> None:
        """Press and release a key, wherever the focus is."""
        keys = [{"type": kind, "value": key} for kind in ("keyDown", "keyUp")]
        _ask("POST", f"{self._session}/actions", {"actions": [{"type": "key", "id": "keyboard", "actions": keys}]})

    def devtools(self, command: str, **parameters: object) -> Any:
        """A command of Chromium's DevTools."""
        return _ask("POST", f"{self._session}/goog/cdp/execute", {"cmd": command, "params": parameters})

    def size(self, width: int, height: int, scale: float = 1.0, *, dark: bool = False) -> None:
        """Emulate a screen, and what the user likes."""
        self.devtools(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=scale, mobile=False
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.devtools("Emulation.setEmulatedMedia", features=[scheme])

    def picture(self) -> bytes:
        """PNG of what the screen shows."""
        return base64.b64decode(self.devtools("Page.captureScreenshot", format="png")["data"])

    def requests(self) -> list[str]:
        """Addresses that were asked for since the last call."""
        lines = _ask("POST", f"{self._session}/se/log", {"type": "performance"})
        messages = [json.loads(line["message"])["message"] for line in lines]
        return [m["params"]["request"]["url"] for m in messages if m["method"] == "Network.requestWillBeSent"]

    def complaints(self) -> list[str]:
        """What the browser wrote to its console since the last call."""
        return [line["message"] for line in _ask("POST", f"{self._session}/se/log", {"type": "browser"})]

    def _element(self, selector: str) -> str:
        body = {"using": "css selector", "value": selector}
        return f"{self._session}/element/{_ask('POST', f'{self._session}/element', body)[ELEMENT]}"


PAGE_TEXT = "return document.body.innerText.slice(0, 600);"


@contextmanager
def browser(extra_flags: Sequence[str] = ()) -> Iterator[Browser]:
    """A window for as long as the block lasts; everything that it wrote goes with it."""
    with tempfile.TemporaryDirectory(prefix="vskd-browser-") as profile:
        port = free_port()
        driver = subprocess.Popen(
            ["chromedriver", f"--port={port}", "--log-level=OFF"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        address = f"http://127.0.0.1:{port}"
        try:
            _wait_for(address)
            session = _ask("POST", f"{address}/session", _capabilities(Path(profile), extra_flags))["sessionId"]
            try:
                yield Browser(address, session)
            finally:
                _ask("DELETE", f"{address}/session/{session}")
        finally:
            driver.terminate()
            driver.wait(10)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _capabilities(profile: Path, extra_flags: Sequence[str]) -> dict[str, Any]:
    binary = next(path for path in map(shutil.which, BROWSERS) if path)
    options = {"binary": binary, "args": [*FLAGS, *extra_flags, f"--user-data-dir={profile}"]}
    logs = {"performance": "ALL", "browser": "ALL"}
    return {"capabilities": {"alwaysMatch": {"goog:chromeOptions": options, "goog:loggingPrefs": logs}}}


def _wait_for(address: str) -> None:
    end = time.monotonic() + START_S
    while True:
        try:
            if _ask("GET", f"{address}/status")["ready"]:
                return
        except urllib.error.URLError:
            if time.monotonic() > end:
                raise
        time.sleep(0.05)


def _ask(method: str, address: str, body: object = None) -> Any:
    content = None if body is None else json.dumps(body).encode("utf-8")
    request = urllib.request.Request(address, content, {"Content-Type": "application/json"}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=ANSWER_S) as answer:
            return json.load(answer)["value"]
    except urllib.error.HTTPError as error:
        raise RuntimeError(f"{method} {address}: {error.read().decode('utf-8')[:600]}") from error
