"""Walking that is called waving."""

import dataclasses
from pathlib import Path

from tests.datasets.doctor.ward import only, replaced, ward


def test_a_swapped_label(tmp_path: Path) -> None:
    index = ward(tmp_path)
    found = only(
        replaced(index, lambda r: dataclasses.replace(r, label=2) if r.id == "s3_walk_t1" else r), "suspicious-labels"
    )
    assert found.recordings == ("s3_walk_t1",) and "(wave) like walk" in found.what
