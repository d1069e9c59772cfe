"""No teacher for some."""

import dataclasses
from pathlib import Path

import pytest

from tests.datasets.doctor.gathered import ACC, RGB, found, ids_of, indexed, surveyed
from tests.datasets.doctor.ward import changed, only, ward
from vskd.datasets.recording import Problem, Recording, Stream


def test_recordings_without_a_partner(tmp_path: Path) -> None:
    skeleton = Stream("skeleton", "skeleton", tmp_path / "x.mat", 30.0, "m")

    def paired(r: Recording) -> Recording:
        return r if r.subject == "2" else dataclasses.replace(r, streams={**r.streams, "skeleton": skeleton})

    index = ward(tmp_path)
    found = only(changed(index, recordings=tuple(map(paired, index))), "unpaired")
    assert len(found.recordings) == 6 and "lack what others have (skeleton)" in found.what


@pytest.mark.parametrize(
    ("kind", "recording", "path", "ids"),
    [
        ("missing", "s1-0", "a.mp4", ("s1-0",)),
        ("unpaired", "s1-1", "a.mp4", ("s1-1",)),
        ("corrupt", "s1-0", "a.mp4", ()),
        ("missing", "", "a.mp4", ()),
        ("missing", "nowhere", "a.mp4", ()),
        ("missing", "s1-0", "x/sync.csv", ()),  # said by `video-offset`
    ],
)
def test_what_lacks_a_partner_is_missing_or_unpaired(
    kind: str, recording: str, path: str, ids: tuple[str, ...]
) -> None:
    problem = Problem(kind, recording, path, "says so")  # type: ignore[arg-type]
    seen = surveyed(dataclasses.replace(indexed({"1": [0, 0]}), problems=(problem,)))
    ones = found("unpaired", seen)
    assert ids_of(ones) == [ids] * bool(ids)
    assert all((one.what, one.weight) == ("1 recordings lack what others have (a file)", 0.2) for one in ones)


@pytest.mark.parametrize(("have", "ids"), [(4, ()), (2, ("sa-0", "sb-0")), (1, ())])
def test_streams_that_half_of_them_have_should_be_in_all(have: int, ids: tuple[str, ...]) -> None:
    """The later two have them first."""
    names = ("c", "b", "e", "d")
    more = {name: dataclasses.replace(RGB, name=name) for name in names}
    index = indexed({who: [0] for who in "dcba"})
    index = dataclasses.replace(
        index,
        recordings=tuple(
            dataclasses.replace(r, streams={"acc": ACC, **(more if n < have else {})}) for n, r in enumerate(index)
        ),
    )
    ones = found("unpaired", surveyed(index))
    assert ids_of(ones) == [ids] * bool(ids)
    assert all(one.what == "2 recordings lack what others have (b, c, d, e)" for one in ones)


def test_both_kinds_of_lack_are_told_together_by_name() -> None:
    index = indexed({who: [0] for who in "edcba"}, ACC, RGB)
    lost = [dataclasses.replace(r, streams={"acc": ACC}) if r.subject in "bd" else r for r in index]
    problem = Problem("missing", "sc-0", "x.mat", "is gone")
    (one,) = found("unpaired", surveyed(dataclasses.replace(index, recordings=tuple(lost), problems=(problem,))))
    assert one.recordings == ("sb-0", "sc-0", "sd-0") and one.what.endswith("have (rgb)")
