"""The page in a headless Chromium: the same numbers as Python, no request, and usable by everybody."""

import math
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.firmware_bridge.browser import Browser, browser, missing_browser
from tests.firmware_bridge.pages import ROWS, Site
from vskd.firmware_bridge.page_server import PageServer

TAB, RIGHT = "\ue004", "\ue014"
SENSORS = ("accelerometer", "linear-acceleration", "gyroscope")
FINISHED = "vskd.state.finished === vskd.state.run"
CONTRASTS = """
    const channels = (text) => text.match(/[\\d.]+/g).map(Number);
    const light = ([r, g, b]) => [r, g, b].map((c) => c / 255)
      .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
      .reduce((sum, c, k) => sum + c * [0.2126, 0.7152, 0.0722][k], 0);
    const ground = (node) => {
      for (let one = node; one; one = one.parentElement) {
        const colour = channels(getComputedStyle(one).backgroundColor);
        if (colour.length === 3 || colour[3] === 1) return colour;
      }
    };
    const isShown = (node) => node.checkVisibility() && !node.closest(".spoken, .skip, :disabled, :has(> :disabled)");
    const holdsText = (node) => [...node.childNodes].some((child) => child.nodeType === 3 && child.textContent.trim());
    return [...document.body.querySelectorAll("*")].filter((node) => isShown(node) && holdsText(node)).map((node) => {
      const [a, b] = [light(channels(getComputedStyle(node).color)), light(ground(node))].sort((x, y) => y - x);
      return [node.textContent.trim().slice(0, 30), (a + 0.05) / (b + 0.05)];
    });
"""


@pytest.fixture(scope="module")
def window() -> Iterator[Browser]:
    if missing_browser():
        pytest.skip(missing_browser())
    with browser() as opened:
        yield opened


@pytest.fixture
def page(window: Browser, site: Site) -> Browser:
    """The page as a static folder, from the disk, at a desk's size."""
    window.visit("about:blank")
    window.requests(), window.complaints()
    window.size(1180, 900)
    window.visit((site.folder / "index.html").as_uri())
    window.wait("vskd.state.ready")
    return window


@pytest.fixture
def replayed(page: Browser) -> Browser:
    page.click("#example")
    page.wait(FINISHED)
    return page


def test_a_replayed_recording_gives_every_number_of_python(replayed: Browser, site: Site) -> None:
    rows = replayed.run(f"{ROWS} return rows(vskd.state.decisions, vskd.state.firmware);")
    assert rows == site.expected(site.firmware.golden_stream.calls)
    asked = replayed.requests()
    assert asked and all(address.startswith(f"{site.folder.as_uri()}/") for address in asked)
    assert replayed.complaints() == []
    said = replayed.run("return document.querySelector('main').innerText")
    assert f"All decisions ({len(rows)})" in said and "What the model sees" in said
    assert replayed.run("return document.querySelectorAll('#images canvas').length") == 6


def test_a_request_that_a_script_tried_would_be_stopped(page: Browser) -> None:
    script = "return fetch('https://example.org/').then(() => 'sent', () => 'stopped');"
    assert page.run(script) == "stopped"
    assert page.requests()[-1].startswith("file:") and "Content Security Policy" in page.complaints()[0]


def test_a_file_of_the_user_is_read_or_refused_in_words(page: Browser, site: Site, tmp_path: Path) -> None:
    page.type("#file", str(site.folder / "example.csv"))
    page.wait(FINISHED)
    assert page.run("return vskd.state.decisions.length") == len(site.firmware.golden_stream.decisions)
    wrong = tmp_path / "gyroscope.csv"
    wrong.write_text("time_s,gyro_x,gyro_y,gyro_z\n0,1,2,3\n0.02,1,2,3\n")
    page.type("#file", str(wrong))
    page.wait("!vskd.$('problem').hidden")
    said = page.run("return vskd.$('problem').textContent")
    assert said.startswith("gyroscope.csv is refused. The model asks for") and "which is gyroscope" in said


def test_bad_streams_are_said_in_words(replayed: Browser) -> None:
    replayed.click("#list summary")
    text = replayed.wait("vskd.$('rows').innerText")
    for words in ("samples are missing, or time went back", "not a finite number", "no axis changes at all"):
        assert words in text


def test_a_virtual_motion_sensor_drives_the_page(window: Browser, site: Site) -> None:
    """m/s^2 of a phone that is waved; the page says g, the rate, and decides."""
    with PageServer(site.folder, 0) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            window.visit(server.address)
            window.wait("vskd.state.ready")
            _override(window, True)
            window.run("vskd.contract.device.window_rate_hz = 5;")  # a busy machine sends fewer events than 50 a second
            window.click("#listen")
            decided = _wave(window, "vskd.state.decisions.filter((d) => d.status === 0).length > 2")
            assert decided, window.run("return [vskd.$('said').textContent, vskd.$('problem').textContent]")
            said = window.run("return vskd.$('said').textContent")
            assert "samples a second; x 0.00, y" in said and " g, length" in said
            assert window.run("return vskd.state.listening.stream.meter.hz") > 5
            assert window.run("return Math.max(...vskd.state.signal[2])") == pytest.approx(1, abs=0.02)
            window.click("#listen")
            assert window.run("return vskd.state.listening") is None
        finally:
            _override(window, False)
            server.shutdown()


def _override(window: Browser, enabled: bool) -> None:
    for sensor in SENSORS:
        window.devtools("Emulation.setSensorOverrideEnabled", enabled=enabled, type=sensor)


def _wave(window: Browser, until: str) -> bool:
    """Turn y about while z shows gravity, until an expression is true."""
    start = time.monotonic()
    while (now := time.monotonic() - start) < 60:
        reading = {"xyz": {"x": 0.0, "y": 4 * math.sin(12 * now), "z": 9.80665}}
        for sensor in SENSORS:
            window.devtools("Emulation.setSensorOverrideReadings", type=sensor, reading=reading)
        if window.run(f"return {until};"):
            return True
    return False


def test_a_device_without_a_sensor_is_said(page: Browser) -> None:
    page.click("#listen")
    page.wait("!vskd.$('problem').hidden")
    assert "no motion sensor" in page.run("return vskd.$('problem').textContent")


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_text_stands_out_from_its_ground(replayed: Browser, dark: bool) -> None:
    replayed.size(1180, 900, dark=dark)
    found = replayed.run(CONTRASTS)
    assert len(found) > 30
    assert [(text, round(ratio, 2)) for text, ratio in found if ratio < 4.5] == []
    ground = replayed.run("return getComputedStyle(document.body).backgroundColor")
    assert ground == ("rgb(17, 20, 24)" if dark else "rgb(244, 245, 247)")


def test_nothing_is_beside_a_narrow_screen(replayed: Browser) -> None:
    for width in (320, 360, 768):
        replayed.size(width, 700, 2.0)
        replayed.run("return new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));")
        assert replayed.run("return document.documentElement.scrollWidth") == width
    small = (
        "[...document.querySelectorAll('button, .button, select')].filter((e) => e.getBoundingClientRect().height < 44)"
    )
    assert replayed.run(f"return {small}.length") == 0


def test_every_control_and_picture_has_a_name(replayed: Browser) -> None:
    replayed.devtools("Accessibility.enable")
    nodes = replayed.devtools("Accessibility.getFullAXTree")["nodes"]
    roles = {"button", "slider", "combobox", "link", "image", "img", "region", "heading", "DisclosureTriangle"}
    named = [(n["role"]["value"], n.get("name", {}).get("value", "")) for n in nodes if not n["ignored"]]
    found = [(role, name) for role, name in named if role in roles]
    assert len(found) > 15 and [role for role, name in found if not name] == []
    assert {"Play the example", "Open a recording", "Decision that is shown", "Decision"} <= {name for _, name in found}
    live = replayed.run("return [...document.querySelectorAll('[aria-live], [role=alert]')].map((e) => e.id)")
    assert live == ["said", "problem", "spoken"]
    assert replayed.run("return [document.documentElement.lang, document.querySelectorAll('h1').length]") == ["en", 1]
    assert replayed.run("return vskd.$('spoken').textContent").endswith(
        replayed.run("return vskd.$('label').textContent")
    )


def test_keys_reach_everything_in_the_order_of_reading(page: Browser) -> None:
    replayed = page
    replayed.run("vskd.$('example').click();")  # a mouse would move the place from which Tab goes on
    replayed.wait(FINISHED)
    order = []
    for _ in range(8):
        replayed.press(TAB)
        order.append(replayed.run("return document.activeElement.id || document.activeElement.textContent"))
    expected = ["Skip to the decision", "example", "file", "listen", "sign", "play", "position"]
    assert order[:7] == expected and order[7].startswith("All decisions")
    replayed.run("vskd.$('position').focus();")
    before = replayed.run("return vskd.state.shown")
    replayed.press(RIGHT)
    assert replayed.run("return vskd.state.shown") == before + 1
    text = replayed.run("return vskd.$('position').getAttribute('aria-valuetext')")
    assert text.endswith(replayed.run("return vskd.$('label').textContent"))
