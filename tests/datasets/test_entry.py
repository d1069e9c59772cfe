from dataclasses import fields

import pytest

from vskd.datasets.catalog import DATASETS
from vskd.datasets.entry import DatasetEntry

OPTIONAL = {"recipes", "fold", "label_swap", "refused"}


def test_what_a_data_set_must_say_of_itself() -> None:
    texts = {f.name: f.name for f in fields(DatasetEntry) if f.name not in OPTIONAL}
    entry = DatasetEntry(**texts)  # type: ignore[arg-type]
    assert (entry.recipes, entry.fold, entry.label_swap, entry.refused) == ({}, None, None, {})
    for name in texts:
        with pytest.raises(TypeError, match=f"'{name}'"):
            DatasetEntry(**{n: text for n, text in texts.items() if n != name})  # type: ignore[arg-type]


@pytest.mark.parametrize("entry", DATASETS.values(), ids=DATASETS)
def test_what_the_entries_say_fits_together(entry: DatasetEntry) -> None:
    assert entry.streams
    assert entry.protocols
    assert len(set(entry.labels)) == len(entry.labels) != 1
    assert not set(entry.protocols) & set(entry.refused)
    for modality, settings in entry.defaults.items():
        assert set(settings.get("streams", ())) <= set(entry.streams), modality
    swap = entry.label_swap or {}
    assert all(swap[swap[name]] == name for name in swap)  # a mirror of a mirror is the picture itself
    assert set(swap) <= set(entry.labels)
