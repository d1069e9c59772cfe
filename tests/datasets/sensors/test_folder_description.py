import re
from pathlib import Path

import pytest

from vskd.datasets.sensors import folder_description
from vskd.datasets.sensors.folder_description import StreamDescription, read_description
from vskd.errors import DataError

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


def described(tmp_path: Path, stream: str, also: str = "") -> StreamDescription:
    (tmp_path / "dataset.yaml").write_text(
        f"format: sensor-folder 1\n{also}streams:\n  accelerometer: {{files: '{{label}}.csv', columns: [0, 1, 2], "
        f"rate_hz: 50, unit: mg, {stream}}}\n"
    )
    return read_description(tmp_path).streams["accelerometer"]


def test_codes_say_factor_zero_and_rail(tmp_path: Path) -> None:
    stream = described(tmp_path, "codes: 0..63 = -1500..1500")
    assert (stream.factor, stream.zero, stream.limit) == (pytest.approx(3 / 63), 31.5, 1.5)
    plain = described(tmp_path, "offset: 4, range: 2000")
    assert (plain.factor, plain.zero, plain.limit) == (1e-3, 4, 2)


def test_numbers_of_samples_last_as_long_as_the_rate_says(tmp_path: Path) -> None:
    time = described(tmp_path, "time: {column: 3, unit: samples}").time
    assert time is not None and time.seconds(50.0) == 0.02


@pytest.mark.parametrize(
    ("stream", "also", "message"),
    [
        ("codes: 0..63 = -1..1, offset: 3", "", "offset does nothing beside codes"),
        ("codes: 63 = 1", "", "not written like"),
        ("clip: true", "", "clip does nothing without a range"),
        ("time: {column: 3, unit: ms, zone: Europe/Berlin}", "", "only dates and times have one"),
        ("time: {column: 3, unit: text, zone: Berlin}", "", "no IANA time zone"),
        ("clip: false", "null_class: rest\n", "null_class does nothing here"),
    ],
)
def test_what_does_nothing_or_is_unknown_is_refused(tmp_path: Path, stream: str, also: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        described(tmp_path, stream, also)
