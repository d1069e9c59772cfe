"""No teacher for some."""

import dataclasses
from pathlib import Path

from tests.datasets.doctor.ward import changed, only, ward
from vskd.datasets.recording import Recording, Stream


def test_recordings_without_a_partner(tmp_path: Path) -> None:
    skeleton = Stream("skeleton", "skeleton", tmp_path / "x.mat", 30.0, "m")

    def paired(r: Recording) -> Recording:
        return r if r.subject == "2" else dataclasses.replace(r, streams={**r.streams, "skeleton": skeleton})

    index = ward(tmp_path)
    found = only(changed(index, recordings=tuple(map(paired, index))), "unpaired")
    assert len(found.recordings) == 6 and "lack what others have (skeleton)" in found.what
