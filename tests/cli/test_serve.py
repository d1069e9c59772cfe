"""`vskd serve`: the address, the end, and what is refused before."""

import json
import os
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import ClassVar

import pytest

from tests.firmware_bridge.bundles import make_bundle, sensor_contract
from vskd.firmware_bridge.page_server import PageServer
from vskd.firmware_bridge.wasm import missing_tools

ROOT = Path(__file__).parents[2]
MISSING = missing_tools(("clang", "wasm-ld"))


@pytest.fixture
def real_bundle(tmp_path: Path) -> Path:
    return make_bundle(tmp_path / "real", sensor_contract()).path


@pytest.mark.skipif(bool(MISSING), reason=MISSING)
def test_it_says_the_address_serves_and_ends_on_ctrl_c(real_bundle: Path, tmp_path: Path) -> None:
    words = [sys.executable, "-m", "vskd.cli", "serve", str(real_bundle), "--port", "0", "--no-browser"]
    code = (
        f"import signal, runpy, sys; signal.signal(signal.SIGINT, signal.default_int_handler); sys.argv = {words[2:]!r}"
    )
    code += "; runpy.run_module('vskd.cli', run_name='__main__')"
    environment = {**os.environ, "TMPDIR": str(tmp_path), "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as child:
        assert child.stdout is not None
        line = child.stdout.readline()
        assert line.startswith("http://127.0.0.1:") and line.endswith(" until Ctrl-C\n")
        with urllib.request.urlopen(line.split()[0], timeout=10) as answer:
            assert b"vskd" in answer.read()
        child.send_signal(signal.SIGINT)
        out, err = child.communicate(timeout=30)
    assert (child.returncode, out, err) == (0, "", "stopped\n")
    assert [path.name for path in tmp_path.iterdir()] == ["real"]


def test_a_taken_port_is_one_line(vskd, real_bundle: Path, tmp_path: Path) -> None:
    with PageServer(tmp_path, 0) as server:
        answer = vskd("serve", real_bundle, "--port", server.port, "--no-browser")
    assert answer.code == 1 and answer.out == ""
    assert (
        answer.err
        == f"error: Port {server.port} is taken. Choose another one with --port, or 0 for any that is free.\n"
    )


@pytest.mark.skipif(bool(MISSING), reason=MISSING)
def test_a_page_as_a_folder(vskd, real_bundle: Path, tmp_path: Path) -> None:
    answer = vskd("firmware", "page", real_bundle, "--out", tmp_path / "page", "--json")
    report = json.loads(answer.out)
    assert answer.code == 0 and report["weight_bytes"] == 0 and "index.html" in report["files"]


class Page:
    """The server, but for its sockets: it notes what it is asked, and ends as Ctrl-C ends it."""

    asked: ClassVar[list[tuple[Path, int]]] = []
    address = "http://127.0.0.1:9"

    def __init__(self, folder: Path, port: int) -> None:
        self.asked.append((folder, port))

    def __enter__(self) -> "Page":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def serve_forever(self) -> None:
        raise KeyboardInterrupt


@pytest.mark.parametrize("words", [[], ["--no-browser"], ["--port", 8000]])
def test_the_page_is_made_and_shown(
    vskd, record, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, words: list[object]
) -> None:
    from vskd.firmware_bridge import make_page, page_server

    opened: list[str] = []
    (tmp_path / "watch.yaml").write_text("decision: {votes: 3}\n")
    monkeypatch.setattr(Page, "asked", [])
    monkeypatch.setattr(page_server, "PageServer", Page)
    monkeypatch.setattr("webbrowser.open", opened.append)
    monkeypatch.setattr("threading.Thread.start", lambda thread: thread.run())
    made = record(make_page, "make_page", None)
    answer = vskd("serve", tmp_path, *words, "--stream-settings", tmp_path / "watch.yaml")
    assert (answer.code, answer.out, answer.err) == (0, "http://127.0.0.1:9 until Ctrl-C\n", "stopped\n")
    assert opened == ([] if "--no-browser" in words else ["http://127.0.0.1:9"])
    ((folder, port),) = Page.asked
    assert port == (8000 if "--port" in words else 8765) and not folder.parent.exists()
    bundle, out, settings, *_ = made[0].values()
    assert (bundle, out, settings.decision.votes) == (tmp_path, folder, 3)
