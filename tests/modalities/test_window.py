"""Windows: settings, epochs against a naive one, sliding windows, and the contract read off the recordings."""

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from tests.modalities.conftest import inputs
from vskd.bundle.contract import EncodingContract, SensorContract
from vskd.bundle.encoding import model_input
from vskd.datasets.recording import Stream
from vskd.errors import SettingError
from vskd.modalities.base import Source
from vskd.modalities.tiles import gaf_tiles
from vskd.modalities.window import WindowInputs, WindowLabels, WindowSees, one_array, samples_for
from vskd.preprocessing.sensor.augment import WindowAugmentation
from vskd.preprocessing.sensor.reading import Reading
from vskd.preprocessing.sensor.resampling import resampled
from vskd.preprocessing.sensor.signals import read_sensor, resample_to_length
from vskd.preprocessing.sync.cut import Cut
from vskd.schema import explain, parse

RAW = {"method": "raw"}
CHANGES = {"rotation_deg": 12.0, "scale": 0.1, "jitter": 0.02, "time_warp": 0.04, "crop": 0.1}


def windows(source: Source, stream: str = "accelerometer", **settings: Any) -> WindowInputs:
    made = inputs(source, "window", stream, **{"length": 32, "encoding": RAW, **settings})
    assert isinstance(made, WindowInputs)
    return made


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ({"stride": 16}, "stride does nothing here: it counts only where window is sliding"),
        ({"rate_hz": 50.0}, "rate_hz does nothing here: it counts only where window is sliding"),
        ({"window": "sliding", "rate_hz": 50.0}, "stride is missing: it must be set where window is sliding"),
        ({"window": "sliding", "stride": 4}, "rate_hz is missing: it must be set where window is sliding"),
        ({"window": "whole", "lenght": 64}, "lenght: unknown key, did you mean 'length'?"),
        ({"encoding": {"method": "raw", "image_size": 64}}, "encoding.image_size: unknown key"),
        ({"encoding": {"method": "gasf", "scaling": "minmax", "limit": 2.0}}, "limit does nothing here: it counts"),
        ({"encoding": {"method": "gaf"}}, "encoding.method: 'gaf' is not allowed, did you mean 'gasf'?"),
        ({"augmentation": {"jiter": 1.0}}, "augmentation.jiter: unknown key"),
        ({"augmentation": {"crop": 1.0}}, "augmentation.crop: input should be less than 1"),
        ({"length": 4}, "length: input should be greater than or equal to 8"),
        ({"streams": []}, "streams: "),
    ],
)
def test_what_a_recipe_may_not_say(content: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError) as caught:
        parse(WindowSees, {"streams": ["accelerometer"], **content})
    (problem,) = explain(caught.value, WindowSees)
    assert told in problem


def test_defaults() -> None:
    sees = parse(WindowSees, {"streams": ["accelerometer"]})
    assert sees.model_dump() == {
        "modality": "window",
        "streams": ("accelerometer",),
        "window": "whole",
        "length": 128,
        "rate_hz": None,
        "stride": None,
        "encoding": {"method": "gasf+gadf", "scaling": "fixed", "limit": 4.0, "image_size": 64},
        "augmentation": dict.fromkeys(CHANGES, 0.0),
    }


def test_an_epoch_against_a_naive_one(world: Source) -> None:
    """Order from numpy's permutation, changes from one torch generator that goes on from batch to batch."""
    seen = windows(world, augmentation=CHANGES)
    ids = sorted(world.recordings)
    order = np.random.default_rng(11).permutation(len(ids))
    generator = torch.Generator().manual_seed(11)
    for batch, positions in zip(
        seen.batches(ids, batch_size=7, seed=11), np.array_split(order, -(-len(ids) // 7)), strict=True
    ):
        signals = []
        for p in positions:
            stream = world.recordings[ids[p]].stream("accelerometer")
            signal = read_sensor(stream.path, axes=stream.axes, variable=stream.variable, columns=stream.columns)
            signals.append(torch.from_numpy(resample_to_length(signal, 32)))
        assert batch.positions.tolist() == positions.tolist()
        assert torch.equal(batch.inputs, WindowAugmentation(**CHANGES)(torch.stack(signals), generator))


@pytest.mark.parametrize("key", CHANGES)
def test_each_random_change_reaches_the_windows(world: Source, key: str) -> None:
    ids = sorted(world.recordings)
    plain = windows(world).batches(ids, batch_size=100, seed=1)
    changed = windows(world, augmentation={key: CHANGES[key]})
    assert changed.augmented and not windows(world).augmented
    (before,), (after,) = plain, changed.batches(ids, batch_size=100, seed=1)
    assert before.ids == after.ids and not torch.equal(before.inputs, after.inputs)


def test_jitter_has_its_deviation_and_needs_a_seed(world: Source) -> None:
    ids, noisy = sorted(world.recordings), windows(world, augmentation={"jitter": 0.5})
    (plain,) = windows(world).batches(ids, batch_size=100)
    (same,) = noisy.batches(ids, batch_size=100)
    assert torch.equal(plain.inputs, same.inputs)
    (changed,) = noisy.batches(ids, batch_size=100, seed=1)
    assert (changed.inputs - plain.inputs[changed.positions]).std().item() == pytest.approx(0.5, rel=0.1)


def test_rotations_are_by_degrees(world: Source) -> None:
    """Angles between a sample before and after are at most a few standard deviations; radians would be anywhere."""
    ids = sorted(world.recordings)
    (plain,) = windows(world).batches(ids, batch_size=100)
    (turned,) = windows(world, augmentation={"rotation_deg": 2.0}).batches(ids, batch_size=100, seed=1)
    before = plain.inputs[turned.positions]
    cosine = torch.nn.functional.cosine_similarity(before, turned.inputs, dim=1).clamp(-1, 1)
    assert 0.5 < torch.rad2deg(cosine.acos()).max().item() < 10


def test_only_a_sensor_of_three_axes_is_rotated(world: Source) -> None:
    streams = {
        i: replace(r, streams={"x": replace(r.stream("accelerometer"), name="x", axes=("x",), columns=(0,))})
        for i, r in world.recordings.items()
    }
    single = replace(world, recordings=streams)
    ids = sorted(streams)
    (batch,) = windows(single, "x", augmentation={"jitter": 0.1}).batches(ids, batch_size=100, seed=0)
    assert batch.inputs.shape == (len(ids), 1, 32)
    with pytest.raises(SettingError, match=r"rotation_deg: 'x' has 1 axes.*Set it to 0"):
        windows(single, "x", augmentation={"rotation_deg": 3.0}).batches(ids, batch_size=100)


SLIDING: dict[str, Any] = {"window": "sliding", "rate_hz": 40.0, "stride": 12}


def test_sliding_windows_each_become_a_sample(world: Source) -> None:
    seen, ids = windows(world, **SLIDING), sorted(world.recordings)
    batches = seen.batches(ids, batch_size=5, seed=0)
    expected = {i: seen.store.num_windows(i) for i in ids}
    assert max(expected.values()) > 1
    assert batches.samples == sum(expected.values())
    assert Counter(i for b in batches for i in b.ids) == Counter(expected)
    stream = world.recordings[ids[0]].stream("accelerometer")
    signal = read_sensor(stream.path, axes=stream.axes, variable=stream.variable, columns=stream.columns)
    expected_signal = resampled(signal, stream.rate_hz, 40.0)
    first = [w for b in seen.batches(ids, batch_size=5) for i, w in zip(b.ids, b.inputs, strict=True) if i == ids[0]]
    for k, window in enumerate(first):
        np.testing.assert_array_equal(window.numpy(), expected_signal[:, 12 * k : 12 * k + 32])
    assert len(first) == expected[ids[0]]


def test_the_hash_says_how_windows_were_resampled(world: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a teacher's answers to others are not taken; of windows that are not resampled it is what it was."""
    other, same = {**SLIDING}, {**SLIDING, "rate_hz": 50.0}
    stamped = {
        i: replace(r, streams={**r.streams, "accelerometer": replace(r.stream("accelerometer"), time_column=0)})
        for i, r in world.recordings.items()
    }
    kinds = [(world, other), (world, same), (replace(world, recordings=stamped), same), (world, {})]
    before = [windows(source, **settings).hash for source, settings in kinds]
    monkeypatch.setattr("vskd.modalities.window.RESAMPLING_VERSION", 3)
    after = [windows(source, **settings).hash for source, settings in kinds]
    assert [a == b for a, b in zip(after, before, strict=True)] == [False, True, False, True]


@pytest.mark.parametrize(
    ("encoding", "kind", "shape"),
    [
        (RAW, "series", (3, 32)),
        ({"method": "gasf", "image_size": 16}, "image", (3, 16, 16)),
        ({"method": "gasf+gadf", "scaling": "minmax", "image_size": 24}, "image", (6, 24, 24)),
    ],
)
def test_the_encoding_stands_in_front(world: Source, encoding: dict[str, Any], kind: str, shape: tuple[int]) -> None:
    seen = windows(world, encoding=encoding)
    assert (seen.kind, seen.network_shape) == (kind, shape)
    (batch,) = seen.batches(sorted(world.recordings)[:2], batch_size=2)
    contract = seen.contract(sorted(world.recordings))
    for sample, encoded in zip(seen.deployed(batch.inputs), seen.front()(batch.inputs), strict=True):
        np.testing.assert_allclose(model_input(sample, contract), encoded.numpy(), atol=1e-6)


def test_pictures_of_image_encodings_only(world: Source) -> None:
    captions = dict.fromkeys(sorted(world.recordings)[:1], "first")
    assert windows(world).pictures(captions, "student") == {}
    gaf = windows(world, encoding={"method": "gasf+gadf", "scaling": "minmax", "image_size": 16})
    assert list(gaf.pictures(captions, "student")) == ["What the student sees (gasf+gadf, minmax scaling)"]


def test_the_contract_is_read_off_the_training_recordings(world: Source) -> None:
    train = sorted(world.recordings)[3:9]
    streams = [world.recordings[i].stream("accelerometer") for i in train]
    signals = [read_sensor(s.path, axes=s.axes, variable=s.variable, columns=s.columns) for s in streams]
    lengths = [s.shape[1] for s in signals]
    encoding = {"method": "gasf", "scaling": "fixed", "limit": 0.5, "image_size": 16}
    expected = SensorContract(
        stream="accelerometer",
        placement=world.placement,
        unit=streams[0].unit,
        axes=("x", "y", "z"),
        rate_hz=streams[0].rate_hz,
        window_mode="whole",
        length=32,
        min_samples=int(min(lengths) * 0.5),
        max_samples=int(max(lengths) * 1.5),
        range_limit=8.0,  # as the data set declares it, whatever these recordings reach
        encoding=EncodingContract(method="gasf", scaling="fixed", limit=0.5, image_size=16),
        encoding_inside=True,
        mat_variable=streams[0].variable,
        mat_columns=streams[0].columns,
        mat_width=6,
    )
    assert windows(world, encoding=encoding).contract(train, encoding_inside=True) == expected
    wide = windows(world, encoding={**encoding, "limit": 16.0}).contract(train)
    assert (wide.range_limit, wide.encoding_inside) == (16.0, False)
    bare = windows(world, encoding={"method": "raw", "scaling": "minmax"}).contract(train)
    assert (bare.encoding.limit, bare.encoding.image_size) == (4.0, 64), "as bundles have always stated them"
    sliding = windows(world, **SLIDING).contract(train)
    assert (sliding.stride, sliding.window_rate_hz, sliding.max_samples) == (12, 40.0, 10**9)
    assert sliding.min_samples == 40  # the fewest at 50 Hz that are 32 at 40 Hz


@pytest.mark.parametrize(
    ("length", "window_rate", "rate"), [(32, 50.0, 50.0), (32, 40.0, 50.0), (128, 20.0, 50.0), (64, 31.25, 25.0)]
)
def test_the_shortest_recording_of_a_sliding_model_is_its_window(length: int, window_rate: float, rate: float) -> None:
    fewest = samples_for(length, window_rate, rate)
    for samples, enough in ((fewest, True), (fewest - 1, False)):
        found = resampled(np.zeros((3, samples), np.float32), rate, window_rate)
        assert (found.shape[1] >= length) is enough


def test_without_a_declared_range_it_is_estimated_and_one_glitch_does_not_count(world: Source, tmp_path: Path) -> None:
    recordings = {}
    for number, (i, recording) in enumerate(sorted(world.recordings.items())[:6]):
        stream = recording.stream("accelerometer")
        values = read_sensor(stream.path, axes=stream.axes, variable=stream.variable, columns=stream.columns).T.copy()
        values[40, 0] = 60.0 if number == 3 else values[40, 0]
        np.save(tmp_path / f"{i}.npy", values)
        plain = replace(stream, path=tmp_path / f"{i}.npy", variable="", columns=(), range_limit=0.0)
        recordings[i] = replace(recording, streams={"accelerometer": plain})
    contract = windows(replace(world, recordings=recordings)).contract(sorted(recordings))
    assert (contract.range_limit, contract.mat_width) == (8.0, None)


BOTH = ["accelerometer", "gyroscope"]
LIMITED = {"streams": BOTH, "limits": [4.0, 1000.0], "encoding": {"method": "raw", "limit": 1.0}}


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ({"streams": ["accelerometer"], "limits": [4.0]}, "limits does nothing here"),
        ({**LIMITED, "encoding": {"method": "raw", "scaling": "minmax"}}, "limits does nothing here"),
        ({**LIMITED, "limits": [4.0]}, "limits has 1 entries for 2 streams"),
        ({**LIMITED, "encoding": {"method": "raw"}}, "set encoding.limit to 1"),
        ({**LIMITED, "limits": [4.0, 0.0]}, "limits.1: input should be greater than 0"),
    ],
)
def test_what_a_recipe_may_not_say_of_several_streams(content: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError) as caught:
        parse(WindowSees, content)
    assert told in "; ".join(explain(caught.value, WindowSees))


def test_streams_of_several_units_need_their_limits(world: Source) -> None:
    with pytest.raises(SettingError, match=r"in g and deg/s, and one limit cannot scale them all.*Set sees\.limits"):
        _ = windows(world, streams=BOTH).store


def test_channels_of_several_streams_stand_one_below_the_other(world: Source) -> None:
    """Each as it is alone, divided by its limit; an image encoding makes as many more channels."""
    seen = windows(world, **LIMITED)
    ids = sorted(world.recordings)
    assert seen.shape == (6, 32) and seen.network_shape == (6, 32)
    assert seen.store.axes == tuple(f"{stream} {axis}" for stream in BOTH for axis in "xyz")
    alone = [windows(world, stream).store for stream in BOTH]
    for i in ids:
        apart = np.concatenate(
            [store.windows(i) / limit for store, limit in zip(alone, (4, 1000), strict=True)], axis=1
        )
        np.testing.assert_allclose(seen.store.windows(i), apart, atol=1e-6)
    gaf = {"method": "gasf+gadf", "image_size": 16, "limit": 1.0}
    assert windows(world, **{**LIMITED, "encoding": gaf}).network_shape == (12, 16, 16)


def test_sensors_of_one_place_turn_together(world: Source) -> None:
    turned = {**LIMITED, "augmentation": {"rotation_deg": 20.0}}
    ids = sorted(world.recordings)
    (plain,) = windows(world, **LIMITED).batches(ids, batch_size=100)
    (batch,) = windows(world, **turned).batches(ids, batch_size=100, seed=2)
    before, after = plain.inputs[batch.positions], batch.inputs
    for three in (slice(0, 3), slice(3, 6)):
        assert not torch.allclose(before[:, three], after[:, three], atol=1e-3)
        assert torch.allclose(before[:, three].norm(dim=1), after[:, three].norm(dim=1), atol=1e-5)
    inner = (before[:, :3] * before[:, 3:]).sum(dim=1)
    assert torch.allclose(inner, (after[:, :3] * after[:, 3:]).sum(dim=1), atol=1e-5), "one rotation keeps angles"


def test_a_transition_field_stays_outside_the_model(world: Source) -> None:
    seen = windows(world, encoding={"method": "mtf", "image_size": 16})
    assert seen.network_shape == (3, 16, 16) and seen.contract(sorted(world.recordings)).encoding.method == "mtf"
    with pytest.raises(SettingError, match=r"export\.encoding_inside: a Markov transition field"):
        seen.contract(sorted(world.recordings), encoding_inside=True)


def test_the_contract_of_several_streams(world: Source) -> None:
    train = sorted(world.recordings)[3:9]
    contract = windows(world, **LIMITED).contract(train)
    assert [(s.stream, s.unit, s.range_limit, s.limit) for s in contract.streams] == [
        ("accelerometer", "g", 8.0, 4.0),
        ("gyroscope", "deg/s", 1000.0, 1000.0),
    ]
    assert (contract.stream, contract.unit, contract.range_limit) == ("accelerometer + gyroscope", "g + deg/s", 2.0)
    assert contract.mat_columns == (0, 1, 2, 3, 4, 5) and contract.rate_hz == 50.0
    assert SensorContract.model_validate_json(contract.model_dump_json()) == contract
    asked = WindowInputs.asks(contract)
    assert asked is not None and parse(WindowSees, asked) == parse(WindowSees, {"length": 32, **LIMITED})


def test_nothing_of_a_single_stream_says_that_there_could_be_several(world: Source) -> None:
    """So that hashes of recipes and bytes of manifests are as they were."""
    assert "limits" not in windows(world).sees.model_dump()
    assert not {"streams", "calibrated"} & set(windows(world).contract(sorted(world.recordings)).model_dump())


def test_streams_of_several_files_are_noticed_to_change(world: Source, tmp_path: Path) -> None:
    recordings = {}
    for i, recording in sorted(world.recordings.items())[:2]:
        streams = {}
        for name in BOTH:
            stream = recording.stream(name)
            values = read_sensor(stream.path, axes=stream.axes, variable=stream.variable, columns=stream.columns).T
            np.save(tmp_path / f"{i}-{name}.npy", values)
            streams[name] = replace(stream, path=tmp_path / f"{i}-{name}.npy", variable="", columns=())
        recordings[i] = replace(recording, streams=streams)
    apart = replace(world, recordings=recordings, cache=tmp_path)
    before = windows(apart, **LIMITED).store.windows(min(recordings))
    together = windows(world, **LIMITED).store.windows(min(recordings))
    np.testing.assert_array_equal(before, together)
    path = tmp_path / f"{min(recordings)}-gyroscope.npy"
    np.save(path, np.load(path)[::-1])
    after = windows(apart, **LIMITED).store.windows(min(recordings))
    np.testing.assert_array_equal(after[:, :3], before[:, :3])
    assert not np.array_equal(after[:, 3:], before[:, 3:])


def test_only_mat_files_of_the_data_set_itself_are_known_by_their_columns() -> None:
    mat = Stream("accelerometer", "sensor", Path("a.mat"), 50.0, "g", ("x", "y", "z"), "d_iner", (0, 1, 2))
    assert one_array([mat])
    assert not one_array([replace(mat, path=Path("a.txt"), variable="")])
    assert not one_array([replace(mat, reading=Reading())])


def placed(world: Source, **changes: Any) -> Source:
    """The gyroscope has other facts."""
    recordings = {
        i: replace(r, streams={**r.streams, "gyroscope": replace(r.stream("gyroscope"), **changes)})
        for i, r in world.recordings.items()
    }
    return replace(world, recordings=recordings)


def test_a_contract_tells_places_and_calibration_of_each_stream(world: Source) -> None:
    train = sorted(world.recordings)[:4]
    contract = windows(placed(world, placement="ankle", calibrated=False), **LIMITED).contract(train)
    assert contract.placement == f"{world.placement} + ankle" and not contract.calibrated
    assert [part.calibrated for part in contract.streams] == [True, False]
    assert windows(world, **LIMITED).contract(train).placement == world.placement


def test_of_several_sliding_streams_the_rate_is_that_of_the_windows(world: Source) -> None:
    contract = windows(world, **LIMITED, **SLIDING).contract(sorted(world.recordings)[:4])
    assert (contract.rate_hz, contract.window_rate_hz, contract.min_samples) == (40.0, 40.0, 32)


def test_limits_of_which_one_is_one_are_asked_for(world: Source) -> None:
    limited = {**LIMITED, "limits": [4.0, 1.0]}
    asked = WindowInputs.asks(windows(world, **limited).contract(sorted(world.recordings)[:4]))
    assert asked is not None and asked["limits"] == [4.0, 1.0]
    sliding = WindowInputs.asks(windows(world, **SLIDING).contract(sorted(world.recordings)[:4]))
    assert sliding is not None and parse(WindowSees, sliding).stride == 12 and "limits" not in sliding


def test_pictures_are_first_windows_with_names_of_channels(world: Source) -> None:
    first, second = sorted(world.recordings)[:2]
    seen = windows(world, encoding={"method": "gasf+gadf", "image_size": 16}, **SLIDING)
    (picture,) = seen.pictures({first: "one", second: "two", "absent": "none"}, "teacher").values()
    images = {
        caption: seen.front()(torch.from_numpy(seen.store.windows(i)[:1]))[0].numpy()
        for caption, i in (("one", first), ("two", second))
    }
    names = ("gasf x", "gasf y", "gasf z", "gadf x", "gadf y", "gadf z")
    assert picture == gaf_tiles(images, names)
    assert seen.pictures({"absent": "none"}, "teacher") == {}


def test_a_model_of_very_short_recordings_asks_for_two_samples(world: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = windows(world)
    monkeypatch.setattr(seen.store, "num_samples", lambda _: 3)
    contract = seen.contract(sorted(world.recordings)[:2])
    assert (contract.min_samples, contract.max_samples) == (2, 4)


def test_one_array_is_one_variable_of_one_file_whose_columns_are_said() -> None:
    mat = Stream("accelerometer", "sensor", Path("a.MAT"), 50.0, "g", ("x", "y", "z"), "d_iner", (0, 1, 2))
    other = replace(mat, name="gyroscope", columns=(3, 4, 5))
    assert one_array([mat]) and one_array([replace(mat, columns=())]) and one_array([mat, other])
    for change in ({"variable": "d"}, {"path": Path("b.mat")}, {"columns": ()}, {"path": Path("a.npy")}):
        assert not one_array([mat, replace(other, **change)]) and not one_array([replace(other, **change), mat])
    assert not one_array([mat, replace(other, reading=Reading())])


def test_of_several_streams_the_fastest_counts_and_the_widest_range(world: Source) -> None:
    train = sorted(world.recordings)[:4]
    contract = windows(placed(world, rate_hz=100.0), **LIMITED).contract(train)
    assert contract.rate_hz == 100.0 and contract.window_rate_hz is None
    assert windows(placed(world, rate_hz=25.0), **LIMITED).contract(train).rate_hz == 50.0
    wide = windows(placed(world, range_limit=4000.0), **LIMITED).contract(train)
    assert wide.range_limit == 4.0 and [part.limit for part in wide.streams] == [4.0, 1000.0]
    assert windows(placed(world, range_limit=100.0), **LIMITED).contract(train).range_limit == 2.0
    nameless = windows(placed(world, placement=""), **LIMITED).contract(train)
    assert nameless.streams[1].placement == world.placement
    swapped = {**LIMITED, "streams": BOTH[::-1], "limits": [1000.0, 4.0]}
    assert windows(world, **swapped).contract(train).mat_columns == (3, 4, 5, 0, 1, 2)


@pytest.mark.parametrize("change", [{"time_column": 0}, {"reading": Reading()}, {"cut": Cut(0.0, 1.0)}])
def test_any_clock_may_say_another_rate_and_one_recording_is_enough(
    world: Source, change: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The hash then says by which rules it was resampled, though the nominal rate is that of the windows."""
    last = max(world.recordings)
    stream = replace(world.recordings[last].stream("accelerometer"), **change)
    recordings = {**world.recordings, last: replace(world.recordings[last], streams={"accelerometer": stream})}
    same = {**SLIDING, "rate_hz": 50.0}
    hashes = []
    for version in (2, 3):
        monkeypatch.setattr("vskd.modalities.window.RESAMPLING_VERSION", version)
        hashes.append(windows(replace(world, recordings=recordings), **same).store_hash)
    assert hashes[0] != hashes[1]


def test_sensors_of_two_places_turn_apart_and_a_single_one_alone(world: Source) -> None:
    turned = {**LIMITED, "augmentation": {"rotation_deg": 20.0}}
    ids = sorted(world.recordings)
    apart = placed(world, placement="ankle")
    (plain,) = windows(apart, **LIMITED).batches(ids, batch_size=100)
    (batch,) = windows(apart, **turned).batches(ids, batch_size=100, seed=2)
    before, after = plain.inputs[batch.positions], batch.inputs
    inner = (before[:, :3] * before[:, 3:]).sum(dim=1)
    assert not torch.allclose(inner, (after[:, :3] * after[:, 3:]).sum(dim=1), atol=1e-3)


def test_limits_of_one_are_not_asked_for_and_other_contracts_not_at_all(world: Source) -> None:
    train = sorted(world.recordings)[:4]
    ones = WindowInputs.asks(windows(world, **{**LIMITED, "limits": [1.0, 1.0]}).contract(train))
    assert ones is not None and "limits" not in ones and ones["streams"] == BOTH
    assert WindowInputs.asks(inputs(world, "clip", "rgb").contract([])) is None
    assert windows(world, **LIMITED).sees.scales == (4.0, 1000.0)
    assert windows(world).sees.scales == (1.0,) and windows(world, streams=BOTH).sees.scales == (1.0, 1.0)
    whole = windows(world)
    assert not whole.several and windows(world, **SLIDING).several
    assert (whole.reads, whole.exported, whole.kind) == ("sensor", True, "series")


def test_classes_are_weighed_by_recordings_or_by_the_windows_that_are_learned(
    world: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen, ids = windows(world), sorted(world.recordings)[:5]
    assert seen.sample_labels(ids) == [world.recordings[i].label for i in ids]
    several = WindowLabels(np.array([0, 1, -1, 3]), np.array([True, False, False, True]))
    monkeypatch.setattr(seen, "window_labels", lambda _: [2, several, 1])
    assert seen.sample_labels(ids) == [2, 0, 3, 1]


def test_what_changes_nothing_of_the_windows_shares_their_store(world: Source) -> None:
    plain = windows(world, **SLIDING)
    assert (plain.sees.window_labels, plain.sees.most_mixed) == ("majority", 1.0)
    for changes in (
        *({"window_labels": "centre"}, {"most_mixed": 0.25}),
        *({"augmentation": {"scale": 0.1}}, {"encoding": {"method": "gasf", "image_size": 16}}),
    ):
        assert windows(world, **{**SLIDING, **changes}).store_file == plain.store_file
    assert windows(world, **{**SLIDING, "stride": 13}).store_file != plain.store_file
    assert not {"limits", "window_labels", "most_mixed"} & windows(world).sees.model_dump().keys()


def test_the_first_training_recording_stands_for_all(world: Source) -> None:
    train = sorted(world.recordings)[:3]
    last = world.recordings[train[-1]]
    slower = replace(
        last, streams={**last.streams, "accelerometer": replace(last.stream("accelerometer"), rate_hz=25.0)}
    )
    odd = replace(world, recordings={**world.recordings, train[-1]: slower})
    assert windows(odd).contract(train).rate_hz == 50.0 and windows(odd).contract(train[::-1]).rate_hz == 25.0
