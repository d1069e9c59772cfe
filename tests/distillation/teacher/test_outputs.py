"""A finished teacher seen from an experiment: its key, its cache, and the protocol that both must share."""

import contextlib
import dataclasses
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from vskd.distillation.experiment import Experiment, prepare
from vskd.distillation.model import Model
from vskd.distillation.teacher.cache import TeacherCache
from vskd.distillation.teacher.outputs import (
    CachedTeacher,
    OnlineTeacher,
    ViewedTeacher,
    finished_teacher,
    tapped,
)
from vskd.distillation.train import teach
from vskd.errors import CacheError, SettingError
from vskd.locks import lock_of, only_writer
from vskd.modalities.base import Batch
from vskd.network import Network, Outputs
from vskd.recipe import Recipe

BATCH = Batch(("a", "b"), torch.ones(2, 4), torch.tensor([1, 0]), torch.tensor([0, 1]))


class Noisy(Network):
    """Dropout tells training mode from evaluation mode."""

    embedding_size = 3

    def __init__(self) -> None:
        super().__init__()
        self.layer, self.dropout = nn.Linear(4, 3), nn.Dropout(0.5)

    def forward(self, x: torch.Tensor) -> Outputs:
        hidden = self.dropout(self.layer(x))
        return Outputs(hidden, hidden, {"deep": hidden.to(torch.bfloat16)})


INPUTS = SimpleNamespace(ids=frozenset("ab"), network_shape=(4,))


def test_online_is_deterministic_without_gradient_and_in_float() -> None:
    network = Noisy().train()
    source = OnlineTeacher(Model(nn.Identity(), network), INPUTS, ["deep", "layer"])
    first, ids, labels = source.outputs(BATCH)
    second, *_ = source.outputs(BATCH)
    assert torch.equal(first.logits, second.logits)
    assert not first.logits.requires_grad
    assert not any(p.requires_grad for p in network.parameters())
    assert first.features["deep"].dtype == torch.float32
    assert torch.equal(first.features["layer"], network.layer(BATCH.inputs))
    assert ids == BATCH.ids and labels is BATCH.labels
    assert source.shapes == {"logits": (3,), "embedding": (3,), "deep": (3,), "layer": (3,)}
    assert source.ids == {"a", "b"}


def test_layers_that_nobody_wants_are_not_carried_along() -> None:
    outputs, *_ = OnlineTeacher(Model(nn.Identity(), Noisy()), INPUTS).outputs(BATCH)
    assert outputs.features == {}


def test_a_layer_that_is_not_there_is_named() -> None:
    with pytest.raises(SettingError, match="There is no layer 'dep' in Noisy: did you mean 'deep'"):
        tapped(Model(nn.Identity(), Noisy()), INPUTS, ["dep"])


def test_the_cache_is_the_finished_teachers_own(
    tiny: Callable[..., Recipe], teacher_run: Path, shared_cache: Path
) -> None:
    experiment = prepare(tiny(), shared_cache, with_teachers=True)
    teacher = finished_teacher(experiment, teacher_run)
    cache = teacher.cache()
    assert cache.path.parent == shared_cache
    assert cache.ids == set(experiment.recordings)
    assert teacher.key.inputs_hash == teacher.inputs.hash != experiment.inputs.hash
    assert not teacher.model.training
    more = finished_teacher(prepare(tiny("seed=5"), shared_cache, with_teachers=True), teacher_run)
    assert more.key == teacher.key


def own_folder(experiment: Experiment, folder: Path) -> Experiment:
    """The experiment with a cache of its own, the stores of frames being there already."""
    for store in experiment.cache.glob("frames-*.h5"):
        shutil.copy(store, folder)
    return dataclasses.replace(experiment, cache=folder)


def test_some_recordings_are_stored_alone_until_all_are(
    tiny: Callable[..., Recipe], teacher_run: Path, shared_cache: Path, tmp_path: Path
) -> None:
    experiment = own_folder(prepare(tiny(), shared_cache, with_teachers=True), tmp_path)
    teacher = finished_teacher(experiment, teacher_run)
    two, three = ("a2_s1_t1", "a1_s1_t1"), ("a1_s1_t1", "a1_s2_t1", "unknown")
    some, others = teacher.cache(two), teacher.cache(three)
    assert some.ids == set(two)
    assert others.ids == {"a1_s1_t1", "a1_s2_t1"}
    assert teacher.cache(two[::-1]).path == some.path
    whole = teacher.cache()
    assert whole.ids == set(experiment.recordings)
    assert teacher.cache(two).path == whole.path
    torch.testing.assert_close(whole.outputs(two)[0].logits, some.outputs(two)[0].logits, rtol=1e-4, atol=1e-5)
    TeacherCache(some.path, teacher.key)
    views = [teacher.cache(two, view=view) for view in (1, 2)]
    assert len({whole.path, *(view.path for view in views)}) == 3
    for view in views:  # they are of other samples than the unchanged recordings
        with pytest.raises(CacheError, match="another preprocessing"):
            TeacherCache(view.path, teacher.key)


def test_a_cache_serves_its_teacher_its_inputs_and_its_layers_only(
    tiny: Callable[..., Recipe], teacher_run: Path, shared_cache: Path, tmp_path: Path
) -> None:
    """Two teachers of one folder, the same teacher with other labels, and other layers: each has a file."""
    experiment = own_folder(prepare(tiny(), shared_cache, with_teachers=True), tmp_path)
    other_run = teach(tiny("teachers.0.seed=9", "teachers.0.training.epochs=1"), tmp_path / "other", cache=shared_cache)
    teacher, other = (finished_teacher(experiment, run) for run in (teacher_run, other_run.run))
    plain = teacher.cache()
    caches = [plain, other.cache(), teacher.cache(layers=["backbone.layer4"]), teacher.cache(layers=["backbone.bn1"])]
    assert len({cache.path for cache in caches}) == 4
    assert [set(cache.shapes) - {"logits", "embedding"} for cache in caches] == [
        set(),
        set(),
        {"backbone.layer4"},
        {"backbone.bn1"},
    ]
    ids = tuple(experiment.recordings)
    assert not torch.equal(plain.outputs(ids)[0].logits, other.cache().outputs(ids)[0].logits)
    layers = ("backbone.bn1", "backbone.layer4")
    assert teacher.cache(layers=layers).path == teacher.cache(layers=layers[::-1]).path
    first, *rest = experiment.index.recordings
    relabelled = (dataclasses.replace(first, label=(first.label + 1) % 3), *rest)
    changed = dataclasses.replace(experiment, index=dataclasses.replace(experiment.index, recordings=relabelled))
    again = finished_teacher(changed, teacher_run).cache()
    assert again.path != plain.path
    assert again.outputs([first.id])[2].item() == relabelled[0].label


def test_features_that_would_not_fit_are_refused_before_the_teacher_is_asked(
    tiny: Callable[..., Recipe], teacher_run: Path, shared_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    experiment = own_folder(prepare(tiny(), shared_cache, with_teachers=True), tmp_path)
    monkeypatch.setattr("vskd.distillation.teacher.cache.LARGEST_BYTES", 4 * 24 * 3 * 64 * 8 * 8 - 1)
    monkeypatch.setattr("vskd.distillation.teacher.outputs.write_teacher_cache", None)
    with pytest.raises(CacheError, match=r"The features backbone\.layer1 3x64x8x8 of 24 samples"):
        finished_teacher(experiment, teacher_run).cache(layers=["backbone.layer1"])


def test_a_cached_teacher_answers_by_the_ids_of_the_batch(
    tiny: Callable[..., Recipe], teacher_run: Path, shared_cache: Path
) -> None:
    experiment = prepare(tiny(), shared_cache, with_teachers=True)
    cache = finished_teacher(experiment, teacher_run).cache(layers=["frame_features"])
    source = CachedTeacher(cache)
    asked = ("a2_s1_t1", "a1_s1_t1")
    outputs, ids, labels = source.outputs(dataclasses.replace(BATCH, ids=asked))
    direct = cache.outputs(asked)
    assert (source.ids, source.shapes) == (cache.ids, cache.shapes)
    assert ids == asked and torch.equal(labels, direct[2])
    for layer in cache.shapes:
        assert torch.equal(outputs.layer(layer), direct[0].layer(layer))


class Saying:
    """A source that says a number."""

    def __init__(self, number: float, ids: str = "ab") -> None:
        self.ids, self.shapes, self._number = frozenset(ids), {"logits": (3,), "number": (int(number),)}, number

    def outputs(self, batch: Batch) -> tuple[Outputs, tuple[str, ...], torch.Tensor]:
        said = torch.full((2, 3), self._number)
        return Outputs(said, said), batch.ids, batch.labels


def test_views_take_turns_one_an_epoch() -> None:
    teacher = ViewedTeacher([Saying(1, "abc"), Saying(2, "ab"), Saying(3)])
    assert teacher.ids == {"a", "b"} and teacher.shapes["number"] == (1,)
    heard = [teacher.outputs(BATCH)[0].logits[0, 0].item()]
    for epoch in (0, 1, 2, 3, 7):  # also after resuming
        teacher.start_epoch(epoch)
        heard.append(teacher.outputs(BATCH)[0].logits[0, 0].item())
    assert heard == [1, 1, 2, 3, 1, 2]


def test_a_cache_that_another_process_writes_is_waited_for(
    tiny: Callable[..., Recipe],
    teacher_run: Path,
    shared_cache: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Students of other seeds begin at once, and one of them asks the teacher."""
    held: list[tuple[Path, Path, bool]] = []

    def holding(lock: Path, what: Path, *, wait: bool = False) -> contextlib.AbstractContextManager[None]:
        held.append((lock, what, wait))
        return only_writer(lock, what, wait=wait)

    monkeypatch.setattr("vskd.distillation.teacher.outputs.only_writer", holding)
    experiment = own_folder(prepare(tiny(), shared_cache, with_teachers=True), tmp_path)
    cache = finished_teacher(experiment, teacher_run).cache(("a1_s1_t1",))
    assert held == [(lock_of(cache.path), cache.path, True)]
