"""The teacher cache gives back what the teacher says, by recording id, and refuses what is not its own."""

from collections.abc import Callable
from pathlib import Path

import h5py
import pytest
import torch

from vskd.distillation.data import ClipBatches
from vskd.distillation.experiment import Experiment, prepare
from vskd.distillation.inputs import teacher_inputs
from vskd.distillation.networks import load_teacher
from vskd.distillation.teacher.cache import TeacherCache, TeacherKey, write_teacher_cache
from vskd.distillation.teacher.outputs import finished_teacher
from vskd.errors import CacheError
from vskd.models.trn import MultiScaleTRN
from vskd.recipe import Recipe

KEY = TeacherKey("teacher", "frames")


@pytest.fixture(scope="module")
def experiment(tiny: Callable[..., Recipe], shared_cache: Path) -> Experiment:
    return prepare(tiny(), shared_cache, needs_teacher=True)


@pytest.fixture(scope="module")
def teacher(teacher_run: Path) -> MultiScaleTRN:
    return load_teacher(teacher_run, 3)


@pytest.fixture(scope="module")
def written(experiment: Experiment, teacher: MultiScaleTRN, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("cache") / "teacher.h5"
    write_teacher_cache(path, teacher, teacher_inputs(experiment).batches(tuple(experiment.recordings)), KEY)
    return path


def clip_of(experiment: Experiment, recording: str) -> torch.Tensor:
    (batch,) = ClipBatches(
        experiment.frame_store, [recording], experiment.labels_of((recording,)), batch_size=1, segments=3
    )
    return batch.inputs


def test_what_is_read_is_what_the_teacher_says_of_that_clip_alone(experiment, teacher, written: Path) -> None:
    """Whatever batch the clip was in and whatever stood beside it."""
    cache = TeacherCache(written, KEY)
    assert cache.ids == set(experiment.recordings)
    assert cache.embedding_size == 16
    for recording in sorted(cache.ids)[::5]:
        outputs, ids, labels = cache.outputs([recording])
        with torch.inference_mode():
            direct = teacher(clip_of(experiment, recording))
        torch.testing.assert_close(outputs.logits, direct.logits, rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(outputs.embedding, direct.embedding, rtol=1e-4, atol=1e-5)
        assert ids == (recording,)
        assert labels.tolist() == experiment.labels_of((recording,))


def test_any_order_with_repeats(experiment, written: Path) -> None:
    cache = TeacherCache(written, KEY)
    asked = [*sorted(cache.ids, reverse=True), "a2_s1_t1", "a1_s1_t1", "a2_s1_t1"]
    outputs, ids, labels = cache.outputs(asked)
    assert list(ids) == asked
    assert labels.tolist() == experiment.labels_of(tuple(asked))
    single = [cache.outputs([i])[0] for i in asked]
    assert torch.equal(outputs.logits, torch.cat([s.logits for s in single]))
    assert torch.equal(outputs.embedding, torch.cat([s.embedding for s in single]))
    assert len(outputs.embedding.unique(dim=0)) > 1


def test_reading_does_not_depend_on_the_order_of_writing(experiment, teacher, written: Path, tmp_path: Path) -> None:
    backwards = tuple(reversed(tuple(experiment.recordings)))
    write_teacher_cache(tmp_path / "other.h5", teacher, teacher_inputs(experiment).batches(backwards), KEY)
    ids = sorted(experiment.recordings)
    one = TeacherCache(written, KEY).outputs(ids)[0]
    other = TeacherCache(tmp_path / "other.h5", KEY).outputs(ids)[0]
    torch.testing.assert_close(one.embedding, other.embedding, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("key", "which"),
    [(TeacherKey("other", "frames"), "another teacher"), (TeacherKey("teacher", "other"), "preprocessing of frames")],
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


def test_a_cache_that_breaks_off_leaves_nothing(experiment, teacher, tmp_path: Path) -> None:
    class Breaking(ClipBatches):
        def __iter__(self):
            yield next(super().__iter__())
            raise KeyboardInterrupt

    ids = tuple(experiment.recordings)
    clips = Breaking(experiment.frame_store, ids, experiment.labels_of(ids), batch_size=2, segments=3)
    with pytest.raises(KeyboardInterrupt):
        write_teacher_cache(tmp_path / "cache.h5", teacher, clips, KEY)
    assert list(tmp_path.iterdir()) == []


def test_the_teacher_is_asked_once(experiment, teacher_run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = finished_teacher(experiment, teacher_run).cache()
    assert first.path.parent == experiment.cache
    monkeypatch.setattr("vskd.distillation.teacher.outputs.load_teacher", None)
    again = finished_teacher(experiment, teacher_run).cache()
    assert again.path == first.path
    assert again.ids == set(experiment.recordings)
