"""Pictures of synchronisation: which recordings are drawn, and where the video is put."""

import re
from base64 import b64encode
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from vskd.datasets.catalog import get_dataset
from vskd.datasets.sync.estimate import Measured, measure
from vskd.datasets.sync.table import SyncRow
from vskd.evaluation.report import sync_page
from vskd.evaluation.report.plots import BLUE, ORANGE
from vskd.preprocessing.sync.align import CLEAR, Alignment
from vskd.preprocessing.sync.curve import Curve


def test_the_video_is_drawn_where_the_correction_puts_it(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[np.ndarray] = []
    monkeypatch.setattr(sync_page, "_draw", lambda ax, times, *_: drawn.append(times))
    curve = Curve(np.array([0.0, 1.0, 2.0]), np.ones(3), 3.0)
    assert sync_page.curves_plot(curve, curve, 0.5, 100_000.0, "x").startswith(b"\x89PNG")
    before_sensor, before_video, after_sensor, after_video = drawn
    np.testing.assert_allclose(after_video, [0.5, 1.6, 2.7])
    assert (before_sensor == after_sensor).all() and (before_video == curve.times).all()


def test_pages_show_what_was_decided_and_what_could_not_be_read(
    synthetic_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import dataclasses

    monkeypatch.setattr(sync_page, "SHOWN", 1)
    index = get_dataset("synthetic").index(synthetic_root)
    found = measure(dataclasses.replace(index, recordings=index.recordings[:2]), "accelerometer", "rgb")
    found = dataclasses.replace(found, unreadable={"a9": "x.mp4: <broken>"})
    name = found.pairs[0].recording.id
    row = SyncRow(name, "accelerometer", "rgb", 0.123, 0, 9, 3.0, 3.0, "median of 7")
    plots = sync_page.sync_plots(found, [row])
    assert len(plots) == 1
    sync_page.write_sync_page(tmp_path / "page.html", found, [row], {"lines": "1"}, plots)
    page = (tmp_path / "page.html").read_text()
    assert "+0.123 s" in page and "median of 7" in page and "x.mp4: &lt;broken&gt;" in page
    sync_page.write_plots(tmp_path / "png", plots)
    assert [p.stem for p in (tmp_path / "png").iterdir()] == list(plots)


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Plots are given as figures."""
    monkeypatch.setattr(sync_page, "to_png", lambda figure: figure)


@pytest.mark.usefixtures("drawn")
def test_curves_are_drawn_as_roots_of_shares_of_nearly_their_highest_value() -> None:
    """One outlier does not flatten the rest; a curve of nothing is a line at nought."""
    values = np.append(np.linspace(0, 1, 200), 50.0)
    sensor, still = Curve(np.arange(201) / 10, values, 10.0), Curve(np.arange(3.0), np.zeros(3), 1.0)
    figure: Any = sync_page.curves_plot(sensor, still, -0.5, 0.0, "r1   caption")
    assert figure.get_size_inches().tolist() == [8, 3.4]
    before, after = figure.axes
    top = np.quantile(values, 0.99)
    for ax in (before, after):
        one, other = ax.lines
        np.testing.assert_allclose(one.get_ydata(), [min(1.0, v / top) ** 0.5 for v in values])
        assert list(other.get_ydata()) == [0, 0, 0]
        assert [(line.get_label(), line.get_color()) for line in ax.lines] == [("sensor", BLUE), ("video", ORANGE)]
    assert [list(ax.lines[1].get_xdata()) for ax in (before, after)] == [[0, 1, 2], [-0.5, 0.5, 1.5]]
    assert (before.get_title(loc="left"), before.get_ylabel(), after.get_ylabel()) == (
        "r1   caption", "before", "after"
    )  # fmt: skip
    assert after.get_xlabel() == "seconds" and before.get_xlim() == after.get_xlim()


def measured(*pairs: tuple[str, float, float]) -> Measured:
    """Recordings with an offset and a confidence."""
    found = [
        SimpleNamespace(recording=SimpleNamespace(id=name), alignment=Alignment(offset, 0.0, confidence, 0.9))
        for name, offset, confidence in pairs
    ]
    return Measured("watch", "rgb", tuple(found), {}, ())  # type: ignore[arg-type]


@pytest.mark.usefixtures("drawn")
def test_offsets_stand_over_their_confidence_and_the_clear_ones_apart() -> None:
    figure: Any = sync_page.offsets_plot(measured(("a", 0.5, CLEAR + 1), ("b", -1.0, CLEAR - 0.1), ("c", 2.0, CLEAR)))
    assert figure.get_size_inches().tolist() == [8, 3]
    (ax,) = figure.axes
    clear, rest = ax.collections
    assert clear.get_offsets().tolist() == [[CLEAR + 1, 0.5], [CLEAR, 2.0]]
    assert rest.get_offsets().tolist() == [[CLEAR - 0.1, -1.0]]
    assert (clear.get_label(), rest.get_label()) == ("clear peak", "not clear")
    assert ax.get_xscale() == "log" and list(ax.lines[0].get_xdata()) == [CLEAR] * 2
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("highest peak over second peak", "offset (s)")


def test_six_recordings_are_drawn_from_the_least_clear_to_the_clearest(monkeypatch: pytest.MonkeyPatch) -> None:
    """With what was decided of each, or else with what was found."""
    made: list[tuple[object, ...]] = []
    monkeypatch.setattr(sync_page, "curves_of", lambda recording, sensor, video: (f"{sensor} {recording.id}", video))
    monkeypatch.setattr(sync_page, "curves_plot", lambda *words: made.append(words) or b"png")
    many = measured(*((f"r{n:02}", n / 10, 30.0 - n) for n in range(11)))
    row = SyncRow("r10", "watch", "rgb", 7.0, 40.0, 9, 3.0, 3.0, "median of 7")
    assert list(sync_page.sync_plots(many, [row])) == ["r10", "r08", "r06", "r04", "r02", "r00"]
    assert made[0] == ("watch r10", "rgb", 7.0, 40.0, "r10   +7.000 s (median of 7)   peak ratio 20.00")
    assert made[1] == ("watch r08", "rgb", 0.8, 0.0, "r08   +0.800 s (not written)   peak ratio 22.00")
    assert list(sync_page.sync_plots(measured(("a", 0.0, 2.0), ("b", 0.0, 1.0)), [])) == ["b", "a"]
    for count in range(1, 9):
        drawn = list(sync_page.sync_plots(measured(*((f"r{n}", 0.0, 9.0 - n) for n in range(count))), []))
        assert len(drawn) == min(count, 6) and (drawn[0], drawn[-1]) == (f"r{count - 1}", "r0")


def test_pictures_of_nested_recordings_lie_side_by_side(tmp_path: Path) -> None:
    sync_page.write_plots(tmp_path, {"a/b/c": b"1", "d": b"2"})
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == {"a-b-c.png": b"1", "d.png": b"2"}


def test_all_recordings_stand_on_the_page_with_what_was_decided(tmp_path: Path) -> None:
    """One without a line, one with a line; facts, and a picture of each that was drawn."""
    found = measured(("a", 0.5, CLEAR + 1), ("b", -1.25, 0.75))
    row = SyncRow("b", "watch", "rgb", 7.5, 40.0, 9, 3.0, 3.0, "median of 7")
    sync_page.write_sync_page(tmp_path / "p.html", found, [row], {"drift": "+3.0 ppm"}, {"b": b"B", "a": b"A"})
    page = (tmp_path / "p.html").read_text(encoding="utf-8")
    assert "Synchronisation of watch and rgb" in page and "drift" in page and "+3.0 ppm" in page
    assert page.count("data:image/png") == 3 and "median of 7" in page
    for png in (b"A", b"B"):
        assert b64encode(png).decode() in page
    assert [re.findall(r"<td[^>]*>(.*?)</td>", row, re.DOTALL) for row in page.split("<tr>")[2:]] == [
        ["a", "+0.500 s", "+0 ppm", f"{CLEAR + 1:.2f}", "0.90", "–", "not clear"],
        ["b", "-1.250 s", "+0 ppm", "0.75", "0.90", "+7.500 s", "median of 7"],
    ]
