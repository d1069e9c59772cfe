"""The teacher cache gives back what the teacher says, by recording id, and refuses what is not its own."""

from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch

from vskd.distillation.experiment import Experiment, prepare
from vskd.distillation.model import Model, load_model
from vskd.distillation.teacher import cache as cache_module
from vskd.distillation.teacher.cache import (
    TeacherCache,
    TeacherKey,
    check_size,
    feature_bytes,
    row_sums,
    write_teacher_cache,
)
from vskd.distillation.teacher.outputs import finished_teacher, tapped
from vskd.errors import CacheError, CheckpointError, DamagedCacheError
from vskd.modalities.base import Batches
from vskd.network import Outputs
from vskd.preprocessing.stores.checksum import crc32
from vskd.recipe import Recipe

KEY = TeacherKey("teacher", "inputs")
LAYERS = ("backbone.layer1", "frame_features", "backbone.layer2.0.bn1")


@pytest.fixture(scope="module")
def experiment(tiny: Callable[..., Recipe], shared_cache: Path) -> Experiment:
    """As the teacher sees it."""
    recipe = tiny()
    return prepare(recipe, shared_cache, with_teachers=True).of_teacher(recipe.of_teacher())


@pytest.fixture(scope="module")
def teacher(experiment: Experiment, teacher_run: Path) -> Model:
    return load_model(teacher_run, experiment.inputs, 3)


def clips(experiment: Experiment, ids: tuple[str, ...] | None = None, size: int = 5) -> Batches:
    return experiment.inputs.batches(tuple(experiment.recordings) if ids is None else ids, batch_size=size)


@pytest.fixture(scope="module")
def written(experiment: Experiment, teacher: Model, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("cache") / "teacher.h5"
    _, taps = tapped(teacher, experiment.inputs, LAYERS)
    write_teacher_cache(path, teacher, clips(experiment), KEY, taps)
    taps.remove()
    return path


def test_what_is_read_is_what_the_teacher_says_of_that_clip_alone(experiment, teacher, written: Path) -> None:
    """Whatever batch the clip was in and whatever stood beside it; of every layer that was asked for, its own."""
    cache = TeacherCache(written, KEY)
    assert cache.ids == set(experiment.recordings)
    assert cache.shapes == {
        "logits": (3,),
        "embedding": (16,),
        "backbone.layer1": (3, 64, 8, 8),
        "backbone.layer2.0.bn1": (3, 128, 4, 4),
        "frame_features": (3, 16),
    }
    seen: dict[str, torch.Tensor] = {}
    hooks = [
        teacher.network.get_submodule(layer).register_forward_hook(
            lambda *call, layer=layer: seen.update({layer: call[2].detach().clone()})
        )
        for layer in LAYERS
        if layer != "frame_features"
    ]
    for recording in sorted(cache.ids)[::5]:
        outputs, ids, labels = cache.outputs([recording])
        (batch,) = clips(experiment, (recording,))
        with torch.inference_mode():
            direct = teacher(batch.inputs)
        torch.testing.assert_close(outputs.logits, direct.logits, rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(outputs.embedding, direct.embedding, rtol=1e-4, atol=1e-5)
        assert set(outputs.features) == set(LAYERS)
        frames = direct.features["frame_features"]
        torch.testing.assert_close(outputs.features["frame_features"], frames, rtol=1e-4, atol=1e-5)
        for layer, rows in seen.items():
            torch.testing.assert_close(outputs.features[layer], rows.unsqueeze(0), rtol=1e-4, atol=1e-4)
        assert ids == (recording,)
        assert labels.tolist() == experiment.labels_of((recording,))
    assert len(seen) == 2
    for hook in hooks:
        hook.remove()


def test_any_order_with_repeats(experiment, written: Path) -> None:
    cache = TeacherCache(written, KEY)
    asked = [*sorted(cache.ids, reverse=True), "a2_s1_t1", "a1_s1_t1", "a2_s1_t1"]
    outputs, ids, labels = cache.outputs(asked)
    assert list(ids) == asked
    assert labels.tolist() == experiment.labels_of(tuple(asked))
    single = [cache.outputs([i])[0] for i in asked]
    for layer in cache.shapes:
        assert torch.equal(outputs.layer(layer), torch.cat([s.layer(layer) for s in single]))
    assert len(outputs.embedding.unique(dim=0)) > 1


def test_what_stays_in_memory_is_what_the_file_holds(written: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = sorted(TeacherCache(written, KEY).ids)[:4][::-1]
    kept, _, _ = TeacherCache(written, KEY).outputs(ids)
    monkeypatch.setattr(cache_module, "KEPT_BYTES", 0)
    read, _, _ = TeacherCache(written, KEY).outputs(ids)
    assert torch.equal(kept.logits, read.logits) and torch.equal(kept.embedding, read.embedding)


def test_reading_does_not_depend_on_the_order_of_writing(experiment, teacher, written: Path, tmp_path: Path) -> None:
    backwards = tuple(reversed(tuple(experiment.recordings)))
    write_teacher_cache(tmp_path / "other.h5", teacher, clips(experiment, backwards), KEY)
    ids = sorted(experiment.recordings)
    one = TeacherCache(written, KEY).outputs(ids)[0]
    other = TeacherCache(tmp_path / "other.h5", KEY).outputs(ids)[0]
    torch.testing.assert_close(one.embedding, other.embedding, rtol=1e-4, atol=1e-5)
    assert other.features == {}


@pytest.mark.parametrize(
    ("key", "which"),
    [(TeacherKey("other", "inputs"), "another teacher"), (TeacherKey("teacher", "other"), "another preprocessing")],
)
def test_a_cache_of_something_else_is_refused(written: Path, key: TeacherKey, which: str) -> None:
    with pytest.raises(CacheError, match=which) as caught:
        TeacherCache(written, key)
    assert str(written) in str(caught.value)


def test_an_unknown_recording_is_named(written: Path) -> None:
    with pytest.raises(CacheError, match="recording 'a9_s9_t9'"):
        TeacherCache(written, KEY).outputs(["a1_s1_t1", "a9_s9_t9"])


def test_a_damaged_or_foreign_file_is_refused(written: Path, tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.h5"
    damaged.write_bytes(written.read_bytes()[:1000])
    with pytest.raises(CacheError, match="cannot be read"):
        TeacherCache(damaged, KEY)
    damaged.write_bytes(b"")
    with pytest.raises(CacheError, match="cannot be read"):
        TeacherCache(damaged, KEY)
    with h5py.File(damaged, "w") as file:
        file.attrs["schema"] = "something else"
    with pytest.raises(CacheError, match="not a teacher cache of this version"):
        TeacherCache(damaged, KEY)
    damaged.write_bytes(written.read_bytes())
    with h5py.File(damaged, "a") as file:
        del file["embedding"]
    with pytest.raises(CacheError, match="cannot be read"):
        TeacherCache(damaged, KEY)


@pytest.mark.parametrize("name", ["ids", "logits", "embedding", "labels", "crc32", "features/frame_features"])
def test_what_was_changed_is_refused(written: Path, tmp_path: Path, name: str) -> None:
    """Whatever is stored, by one value, in a file that HDF5 finds right."""
    copied = tmp_path / "copied.h5"
    copied.write_bytes(written.read_bytes())
    with h5py.File(copied, "r+") as file:
        first = file[name][0]
        file[name][0] = b"a9_s9_t9" if name == "ids" else first + 1
    with pytest.raises(DamagedCacheError, match=r"copied\.h5 .*checksum") as caught:
        cache = TeacherCache(copied, KEY)
        cache.outputs(sorted(cache.ids))
    assert caught.value.path == copied


def test_a_file_that_is_damaged_later_is_named(written: Path, tmp_path: Path) -> None:
    copied = tmp_path / "copied.h5"
    copied.write_bytes(written.read_bytes())
    cache = TeacherCache(copied, KEY)
    with h5py.File(copied, "a") as file:
        del file["features/frame_features"]
    with pytest.raises(CacheError, match=r"copied\.h5 is damaged"):
        cache.outputs(["a1_s1_t1"])


def test_a_cache_that_breaks_off_leaves_nothing(experiment, teacher, tmp_path: Path) -> None:
    whole = clips(experiment, size=2)

    class Breaking:
        samples = whole.samples

        def __len__(self) -> int:
            return len(whole)

        def __iter__(self):
            yield next(iter(whole))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_teacher_cache(tmp_path / "cache.h5", teacher, Breaking(), KEY)
    assert list(tmp_path.iterdir()) == []


def test_the_teacher_is_asked_once(experiment, teacher_run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = finished_teacher(experiment, teacher_run).cache()
    assert first.path.parent == experiment.cache
    monkeypatch.setattr("vskd.distillation.teacher.outputs.load_model", None)
    again = finished_teacher(experiment, teacher_run).cache()
    assert again.path == first.path
    assert again.ids == set(experiment.recordings)


SHAPES = {"deep": (8, 4, 4), "shallow": (2, 16, 16)}


def test_sizes_are_those_of_the_arrays() -> None:
    arrays = [np.zeros((10, *shape), np.float32) for shape in SHAPES.values()]
    assert feature_bytes(SHAPES, 10) == sum(array.nbytes for array in arrays)
    assert feature_bytes({}, 10) == 0


def test_large_features_are_announced_and_absurd_ones_refused(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    size = feature_bytes(SHAPES, 10)
    monkeypatch.setattr(cache_module, "STATED_BYTES", size)
    monkeypatch.setattr(cache_module, "LARGEST_BYTES", size + feature_bytes(SHAPES, 1))
    with caplog.at_level("WARNING", logger="vskd"):
        check_size(SHAPES, 10)
        assert caplog.text == ""
        check_size(SHAPES, 11)
        assert "features (deep 8x4x4, shallow 2x16x16)" in caplog.text
    with pytest.raises(CacheError, match="The features deep 8x4x4, shallow 2x16x16 of 12 samples would take"):
        check_size(SHAPES, 12)


def test_a_map_of_a_large_camera_data_set_is_absurd() -> None:
    with pytest.raises(CacheError, match="would take 67 GiB in the teacher cache"):
        check_size({"shallow": (64, 112, 112)}, 22424)
    check_size({"deep": (160, 7, 7)}, 22424)


@pytest.mark.parametrize("layer", ["logits", "embedding"])
def test_what_a_teacher_of_nan_says_is_not_stored(experiment, teacher, tmp_path: Path, layer: str) -> None:
    class Spoilt(torch.nn.Module):
        def forward(self, samples: torch.Tensor) -> Outputs:
            outputs = teacher(samples)
            outputs.layer(layer)[-1, 0] = torch.nan
            return outputs

    with pytest.raises(CheckpointError, match="hold NaN or infinity"):
        write_teacher_cache(tmp_path / "teacher.h5", Spoilt(), clips(experiment), KEY)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("layer", ["logits", "embedding", "features/frame_features"])
def test_stored_nan_is_named(written: Path, tmp_path: Path, layer: str) -> None:
    path = tmp_path / "teacher.h5"
    path.write_bytes(written.read_bytes())
    with h5py.File(path, "r+") as file:
        file[layer][2, 0] = np.nan
        names = ("logits", "embedding", "labels", *(f"features/{name}" for name in sorted(file["features"])))
        file["crc32"][2:3] = row_sums([file["ids"][2]], [file[name][2:3] for name in names])
        spoilt = file["ids"][2].decode()
        whole = file["ids"][3].decode()
    cache = TeacherCache(path, KEY)
    cache.outputs([whole])
    with pytest.raises(CacheError, match=rf"teacher\.h5 holds NaN or infinity for some of {spoilt}"):
        cache.outputs([spoilt])


def test_room_is_asked_for_by_the_number_of_samples(experiment, teacher, tmp_path: Path, monkeypatch) -> None:
    """4 KiB for each, before the teacher is asked."""
    asked: list[int] = []
    real = cache_module.writing_hdf5

    def writing(path: Path, room: int):
        asked.append(room)
        return real(path, room)

    monkeypatch.setattr(cache_module, "writing_hdf5", writing)
    ids = tuple(experiment.recordings)[:3]
    write_teacher_cache(tmp_path / "cache.h5", teacher, clips(experiment, ids), KEY)
    assert asked == [3 * 4096]


def test_limits_of_the_size_of_features() -> None:
    assert (cache_module.STATED_BYTES, cache_module.LARGEST_BYTES) == (100 * 2**20, 20 * 2**30)
    assert cache_module.KEPT_BYTES == 64 * 2**20


def test_a_network_in_training_mode_is_stored_in_evaluation_mode(experiment, teacher, tmp_path: Path) -> None:
    class Modes(torch.nn.Module):
        def forward(self, samples: torch.Tensor) -> Outputs:
            assert not self.training and torch.is_inference_mode_enabled()
            return Outputs(samples.flatten(1)[:, :2], samples.flatten(1)[:, :1])

    write_teacher_cache(tmp_path / "cache.h5", Modes().train(), clips(experiment), KEY)
    assert TeacherCache(tmp_path / "cache.h5", KEY).shapes == {"logits": (2,), "embedding": (1,)}


def test_a_row_s_sum_is_of_its_id_and_of_every_array_in_order() -> None:
    one, other = np.arange(6, dtype=np.float32).reshape(2, 3), np.array([7, 8])
    sums = row_sums([b"a", b"b"], [one, other])
    assert len(set(sums)) == 2
    assert sums == [crc32(np.frombuffer(i, np.uint8), one[n], other[n]) for n, i in enumerate((b"a", b"b"))]
    assert row_sums([b"a", b"b"], [other, one]) != sums
    assert row_sums([b"b", b"a"], [one, other]) != sums
    assert row_sums([b"b"], [one[1:], other[1:]]) == sums[1:]
