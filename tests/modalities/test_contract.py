"""What every modality must do. One that is added to the catalog is tested here by itself."""

import io
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from pydantic import TypeAdapter

from tests.modalities.conftest import inputs
from vskd.bundle.contract import Contract
from vskd.bundle.encoding import student_input
from vskd.errors import SettingError
from vskd.modalities.base import Inputs, Source
from vskd.modalities.catalog import MODALITIES, AnySees, asked_by, inputs_of
from vskd.preprocessing.file_hashes import TABLE
from vskd.schema import parse

SMALL: dict[str, dict[str, Any]] = {
    "window": {"length": 32, "encoding": {"method": "gasf+gadf", "image_size": 16}},
    "frames": {"size": 32, "segments": 3},
    "clip": {"length": 4, "height": 32, "width": 32},
    "skeleton": {"length": 16},
    "image": {"size": 32},
}
"""Settings that make a modality fast; one that is not named here is tested with its defaults."""

OTHERS: dict[str, dict[str, tuple[dict[str, Any], ...]]] = {
    "window": {
        "window": ({"window": "sliding", "rate_hz": 50.0, "stride": 16},),
        "rate_hz": ({"window": "sliding", "rate_hz": 40.0, "stride": 16},),
        "stride": ({"window": "sliding", "rate_hz": 50.0, "stride": 12},),
        "window_labels": ({"window": "sliding", "rate_hz": 50.0, "stride": 16, "window_labels": "centre"},),
        "most_mixed": ({"window": "sliding", "rate_hz": 50.0, "stride": 16, "most_mixed": 0.2},),
        "length": ({"length": 40},),
        "encoding": (
            {"encoding": {"method": "raw", "scaling": "minmax"}},
            {"encoding": {"method": "gasf", "scaling": "fixed", "limit": 2.0, "image_size": 20}},
        ),
        "augmentation": ({"augmentation": {"jitter": 0.1, "rotation_deg": 5.0}},),
        "limits": (
            {
                "streams": ["accelerometer", "gyroscope"],
                "limits": [4.0, 1000.0],
                "encoding": {"method": "raw", "scaling": "fixed", "limit": 1.0},
            },
        ),
    },
    "frames": {
        "size": ({"size": 40},),
        "fit": ({"fit": "foreground"},),
        "segments": ({"segments": 5},),
        "crop": ({"crop": 0.3},),
    },
    "clip": {
        "length": ({"length": 5},),
        "height": ({"height": 40},),
        "width": ({"width": 24},),
        "fit": ({"fit": "foreground"}, {"fit": "squash", "height": 24, "width": 40}),
        "sampling": ({"sampling": "reference"},),
        "choices": ({"choices": 1}, {"choices": 2}),
        "augmentation": ({"augmentation": {"crop": 0.3, "brightness": 0.2, "contrast": 0.3}},),
    },
    "skeleton": {
        "length": ({"length": 24},),
        "positions": ({"positions": False},),
        "motion": ({"motion": False},),
        "augmentation": ({"augmentation": {"turn_deg": 20.0, "jitter": 0.1, "time_warp": 0.1, "crop": 0.2}},),
    },
    "image": {
        "size": ({"size": 40},),
        "crop": ({"crop": "box"},),
        "margin": ({"crop": "box", "margin": 0.2},),
        "rules": ({"crop": "box", "rules": 2},),
        "grey": ({"grey": True},),
        "augmentation": ({"augmentation": {"contrast": 0.5, "erase": 0.2}},),
    },
}
"""Every setting of a modality -> samples with another value of it."""
ELSEWHERE = {"skeleton": {"least_confidence"}}
"""Settings that need streams of another kind: joints with a confidence, see tests/modalities/test_skeleton.py."""

STREAMS = {"sensor": "accelerometer", "video": "rgb", "skeleton": "skeleton", "image": "image"}
VARIANTS = [
    (name, content) for name in MODALITIES for content in ({}, *(c for cs in OTHERS.get(name, {}).values() for c in cs))
]


@pytest.fixture(scope="module")
def sources(world: Source, bodies: Source, shapes: Source) -> dict[str, Source]:
    """Kind of stream -> recordings that have one."""
    return {"sensor": world, "video": world, "skeleton": bodies, "image": shapes}


def seen(name: str, sources: dict[str, Source], content: dict[str, Any]) -> Inputs:
    """Inputs of a modality that reads a stream of its kind."""
    kind = MODALITIES[name].inputs.reads
    return inputs(sources[kind], name, STREAMS[kind], **{**SMALL.get(name, {}), **content})


@pytest.fixture(params=VARIANTS, ids=[f"{name}-{content}" for name, content in VARIANTS])
def each(request: pytest.FixtureRequest, sources: dict[str, Source]) -> Inputs:
    name, content = request.param
    return seen(name, sources, content)


@pytest.fixture(params=list(MODALITIES))
def plain(request: pytest.FixtureRequest, sources: dict[str, Source]) -> Inputs:
    return seen(request.param, sources, {})


def some(inputs: Inputs, count: int = 7) -> tuple[str, ...]:
    """A few recordings of several classes, not in the order of the store."""
    return tuple(reversed(sorted(inputs.ids)[:: len(inputs.ids) // count][:count]))


def in_order(inputs: Inputs) -> list[torch.Tensor]:
    return [b.inputs for b in inputs.batches(some(inputs), batch_size=3)]


def test_nothing_is_read_before_it_is_asked_for(plain: Inputs, tmp_path: Path) -> None:
    fresh = inputs_of(replace(plain.source, cache=tmp_path), plain.sees)
    assert fresh.name == fresh.stream and fresh.shape and fresh.kind and fresh.network_shape and fresh.hash
    assert fresh.hash == plain.hash
    assert {path.name for path in tmp_path.iterdir()} <= {TABLE}, "files are hashed, nothing is decoded"


def test_the_store_has_the_modality_the_stream_and_the_hash_in_its_name(plain: Inputs) -> None:
    assert plain.store.path == plain.store_file
    assert plain.store_file.name == f"{plain.sees.modality}-{plain.stream}-{plain.store_hash[:12]}.h5"
    assert plain.ids == frozenset(plain.source.recordings) and not plain.problems


def test_what_lies_in_the_place_of_the_store_and_is_none_is_made_again(plain: Inputs, tmp_path: Path) -> None:
    two = {i: plain.source.recordings[i] for i in sorted(plain.ids)[:2]}
    fresh = inputs_of(replace(plain.source, recordings=two, cache=tmp_path), plain.sees)
    fresh.store_file.write_bytes(b"no store")
    assert fresh.ids == set(two)


def test_samples_have_the_shape_that_is_said_and_what_is_in_front_makes_of_them_too(each: Inputs) -> None:
    batches = each.batches(some(each), batch_size=3)
    front = each.front()
    for batch in batches:
        assert batch.inputs.dtype == torch.float32
        assert batch.inputs.shape == (len(batch.ids), *each.shape)
        assert front(batch.inputs).shape == (len(batch.ids), *each.network_shape)
    assert len(each.network_shape) == {"series": 2, "image": 3, "frames": 4, "clip": 4}[each.kind]
    assert not list(front.parameters()) and not front.state_dict()


def test_in_order_and_unchanged_without_a_seed(each: Inputs) -> None:
    ids = some(each)
    for sampling in ("natural", "balanced"):
        batches = each.batches(ids, batch_size=3, sampling=sampling)
        listed = list(batches)
        assert len(listed) == len(batches)
        shown = [i for b in listed for i in b.ids]
        assert shown == sorted(shown, key=ids.index)
        assert set(shown) == set(ids)
        assert [p for b in listed for p in b.positions.tolist()] == list(range(batches.samples))
        assert [k for b in listed for k in b.labels.tolist()] == each.source.labels_of(shown)
        again = [b.inputs for b in each.batches(ids, batch_size=3, sampling=sampling)]
        assert all(torch.equal(b.inputs, a) for b, a in zip(listed, again, strict=True))


def test_hidden_labels_are_in_no_batch(plain: Inputs) -> None:
    """Of whatever seed; those of the others are."""
    ids = some(plain)
    hidden = frozenset(ids[::2])
    blind = inputs_of(replace(plain.source, hidden=hidden), plain.sees)
    assert blind.hash == plain.hash
    for seed in (None, 1):
        for batch in blind.batches(ids, batch_size=3, seed=seed):
            known = [-1 if i in hidden else plain.source.recordings[i].label for i in batch.ids]
            assert batch.labels.tolist() == known


def test_an_epoch_is_a_function_of_its_seed(each: Inputs) -> None:
    ids = some(each, 12)

    def epoch(seed: int) -> list[Any]:
        return list(each.batches(ids, batch_size=5, seed=seed))

    first, again, other = epoch(3), epoch(3), epoch(4)
    ordered = list(each.batches(ids, batch_size=5))
    assert Counter(i for b in first for i in b.ids) == Counter(i for b in ordered for i in b.ids)
    for a, b in zip(first, again, strict=True):
        assert a.ids == b.ids and torch.equal(a.inputs, b.inputs) and torch.equal(a.positions, b.positions)
        assert a.labels.tolist() == each.source.labels_of(a.ids)
    assert [b.ids for b in first] != [b.ids for b in other]
    plain = torch.cat([b.inputs for b in ordered])
    changed = any(not torch.equal(x, plain[p]) for b in first for p, x in zip(b.positions, b.inputs, strict=True))
    assert changed == each.augmented


def test_balanced_sampling_is_passed_on(plain: Inputs) -> None:
    recordings = plain.source.recordings
    of_class = [[i for i in sorted(recordings) if recordings[i].label == k] for k in (0, 1)]
    uneven = (*of_class[0][:6], *of_class[1][:2])
    labels = [k for b in plain.batches(uneven, batch_size=3, seed=0, sampling="balanced") for k in b.labels.tolist()]
    assert Counter(labels) == {0: 4, 1: 4}
    natural = [k for b in plain.batches(uneven, batch_size=3, seed=0) for k in b.labels.tolist()]
    assert Counter(natural) == {0: 6, 1: 2}


@pytest.mark.parametrize("name", [n for n in MODALITIES if n in OTHERS])
def test_every_setting_is_among_the_others(name: str) -> None:
    others = set(MODALITIES[name].settings.model_fields) - {"modality", "streams"} - ELSEWHERE.get(name, set())
    assert set(OTHERS[name]) == others


def setting_cases() -> list[Any]:
    cases = [(n, key, content) for n, settings in OTHERS.items() for key, cs in settings.items() for content in cs]
    return [pytest.param(*case, id=f"{case[0]}-{case[2]}") for case in cases]


@pytest.mark.parametrize(("name", "key", "content"), setting_cases())
def test_the_hash_changes_exactly_with_what_decides_the_samples(
    name: str, key: str, content: dict[str, Any], sources: dict[str, Source]
) -> None:
    base: dict[str, Any] = {}
    if key in ("rate_hz", "stride", "window_labels", "most_mixed"):
        base = {"window": "sliding", "rate_hz": 50.0, "stride": 16}
    elif key in ("margin", "rules"):
        base = {"crop": "box"}
    before, after = seen(name, sources, base), seen(name, sources, content)
    assert getattr(before.sees, key) != getattr(after.sees, key)
    one, two = in_order(before), in_order(after)
    same = len(one) == len(two) and all(torch.equal(a, b) for a, b in zip(one, two, strict=True))
    assert (before.hash == after.hash) == same
    if before.store_hash == after.store_hash:
        assert before.store_file == after.store_file


def test_settings_survive_writing_and_reading(each: Inputs) -> None:
    for content in (each.sees.model_dump(), each.sees.model_dump(mode="json"), each.sees.model_dump(exclude_none=True)):
        again = parse(AnySees, content)
        assert again == each.sees and type(again) is type(each.sees)
    assert each.sees.modality in MODALITIES


def test_pictures_are_png_and_say_who_looks(each: Inputs) -> None:
    captions = {i: f"{i}: a class" for i in some(each, 2)}
    for who in ("student", "teacher"):
        for title, png in each.pictures(captions, who).items():
            assert who in title
            picture = Image.open(io.BytesIO(png))
            low, high = picture.convert("L").getextrema()
            assert picture.format == "PNG" and min(picture.size) > 50 and high > low
    assert each.pictures({"nobody": "not in the store"}, "student") == {}


def test_a_contract_is_written_read_and_asks_for_the_same_samples(each: Inputs) -> None:
    train = some(each)
    if not each.exported:
        with pytest.raises(SettingError, match=f"sees {each.sees.modality} cannot be shipped"):
            each.contract(train)
        return
    contract = each.contract(train)
    adapter: TypeAdapter[Any] = TypeAdapter(Contract)
    assert adapter.validate_json(contract.model_dump_json()) == contract
    asked = inputs_of(each.source, parse(AnySees, asked_by(contract)))
    assert asked.hash == each.hash and asked.network_shape == each.network_shape
    assert not asked.augmented
    assert MODALITIES[each.sees.modality].asks(contract) == asked_by(contract)


def test_what_is_deployed_is_what_the_network_was_trained_on(each: Inputs) -> None:
    if not each.exported:
        return
    contract = each.contract(some(each))
    for batch in each.batches(some(each), batch_size=3):
        deployed = each.deployed(batch.inputs)
        assert deployed.shape == batch.inputs.shape
        assert deployed.shape[1:] == contract.sample_shape
        for sample, trained in zip(deployed, batch.inputs, strict=True):
            np.testing.assert_allclose(student_input(sample, contract), trained.numpy(), atol=1e-6)


def test_descriptions_are_one_line() -> None:
    for entry in MODALITIES.values():
        assert entry.description and "\n" not in entry.description and len(entry.description) < 80
