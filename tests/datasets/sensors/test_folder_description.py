import re
from pathlib import Path

import pytest

from vskd.datasets.sensors import folder_description
from vskd.datasets.sensors.folder_description import read_description

DOCUMENT = Path(__file__).parents[3] / "docs" / "own-data.md"


def test_what_the_document_shows_is_a_description(tmp_path: Path) -> None:
    (block,) = re.findall(r"```yaml\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), flags=re.DOTALL)
    (tmp_path / "dataset.yaml").write_text(block)
    stream = read_description(tmp_path).streams["accelerometer"]
    assert stream.stream_unit == "g" and stream.factor == pytest.approx(1 / 9.80665)
    assert stream.range and stream.range * stream.factor == pytest.approx(8.0, rel=1e-3)


def test_so_is_what_the_module_shows(tmp_path: Path) -> None:
    text = (folder_description.__doc__ or "").split("\n\n")[1]
    (tmp_path / "dataset.yaml").write_text(text)
    assert read_description(tmp_path).labels == ("walk", "run")
