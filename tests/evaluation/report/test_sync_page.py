"""Pictures of synchronisation: which recordings are drawn, and where the video is put."""

from pathlib import Path

import numpy as np
import pytest

from vskd.datasets.catalog import get_dataset
from vskd.datasets.sync.estimate import measure
from vskd.datasets.sync.table import SyncRow
from vskd.evaluation.report import sync_page
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
