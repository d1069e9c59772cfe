"""The picture of the page in the documents: `python -m tests.firmware_bridge.page_picture BUNDLE RECORDING.csv PNG`."""

import io
import sys
import tempfile
from pathlib import Path

from PIL import Image

from tests.firmware_bridge.browser import browser
from vskd.files import write_bytes
from vskd.firmware_bridge.make_page import make_page

WIDTH, HEIGHT, PHONE, SCALE, GAP = 1120, 1010, 400, 1.25, 24
COLOURS = 255
SUREST = """
    const sure = vskd.state.decisions.map((d) => Math.max(0, ...(d.probabilities || [])));
    vskd.$("position").value = sure.indexOf(Math.max(...sure));
    vskd.$("position").dispatchEvent(new Event("input"));
"""
FINISHED = "vskd.state.finished === vskd.state.run"


def picture(bundle: Path, recording: Path) -> bytes:
    """A desk's screen in light and a phone's in dark, side by side, as PNG of few colours."""
    with tempfile.TemporaryDirectory(prefix="vskd-") as name, browser() as window:
        make_page(bundle, Path(name) / "page")
        window.size(WIDTH, HEIGHT, SCALE)
        window.visit((Path(name) / "page" / "index.html").as_uri())
        window.wait("vskd.state.ready")
        window.type("#file", str(recording))
        window.wait(FINISHED, 300)
        window.run(SUREST)
        desk = Image.open(io.BytesIO(window.picture()))
        window.size(PHONE, HEIGHT, SCALE, dark=True)
        window.run("return new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));")
        phone = Image.open(io.BytesIO(window.picture()))
    both = Image.new("RGB", (desk.width + GAP + phone.width, desk.height), "white")
    both.paste(desk, (0, 0))
    both.paste(phone, (desk.width + GAP, 0))
    content = io.BytesIO()
    both.quantize(COLOURS, dither=Image.Dither.NONE).save(content, "PNG", optimize=True)
    return content.getvalue()


if __name__ == "__main__":
    bundle, recording, png = map(Path, sys.argv[1:])
    write_bytes(png, picture(bundle, recording))
