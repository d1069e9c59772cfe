"""A finished teacher seen from an experiment: its key, its cache, and the protocol that both must share."""

import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from vskd.distillation.data import Batch
from vskd.distillation.experiment import Experiment, prepare
from vskd.distillation.teacher.outputs import OnlineTeacher, check_teacher_fits, finished_teacher
from vskd.errors import ProtocolError
from vskd.network import Outputs
from vskd.recipe import Recipe

BATCH = Batch(("a", "b"), torch.ones(2, 4), torch.tensor([1, 0]), torch.tensor([0, 1]))


class Noisy(nn.Module):
    """Dropout tells training mode from evaluation mode."""

    def __init__(self) -> None:
        super().__init__()
        self.layer, self.dropout = nn.Linear(4, 3), nn.Dropout(0.5)

    def forward(self, x: torch.Tensor) -> Outputs:
        hidden = self.dropout(self.layer(x))
        return Outputs(hidden, hidden, {"deep": hidden.to(torch.bfloat16)})


def test_online_is_deterministic_without_gradient_and_in_float() -> None:
    source = OnlineTeacher(Noisy().train())
    first, ids, labels = source.outputs(BATCH)
    second, *_ = source.outputs(BATCH)
    assert torch.equal(first.logits, second.logits)
    assert not first.logits.requires_grad
    assert first.features["deep"].dtype == torch.float32
    assert ids == BATCH.ids and labels is BATCH.labels


def test_the_cache_is_the_finished_teachers_own(
    tiny: Callable[..., Recipe], teacher_run: Path, shared_cache: Path
) -> None:
    experiment = prepare(tiny(), shared_cache, needs_teacher=True)
    teacher = finished_teacher(experiment, teacher_run)
    cache = teacher.cache()
    assert cache.path.parent == shared_cache
    assert cache.ids == set(experiment.recordings)
    assert teacher.key.frames_hash == teacher.inputs.hash
    assert not teacher.network().training
    more = finished_teacher(prepare(tiny("seed=5"), shared_cache, needs_teacher=True), teacher_run)
    assert more.key == teacher.key


def test_some_recordings_are_stored_alone_until_all_are(
    tiny: Callable[..., Recipe], teacher_run: Path, shared_cache: Path, tmp_path: Path
) -> None:
    experiment = prepare(tiny(), shared_cache, needs_teacher=True)
    copied = Experiment(experiment.recipe, experiment.index, experiment.split, tmp_path)
    for store in shared_cache.glob("frames-*.h5"):
        shutil.copy(store, tmp_path)
    teacher = finished_teacher(copied, teacher_run)
    two, three = ("a2_s1_t1", "a1_s1_t1"), ("a1_s1_t1", "a1_s2_t1", "unknown")
    some, others = teacher.cache(two), teacher.cache(three)
    assert some.ids == set(two)
    assert others.ids == {"a1_s1_t1", "a1_s2_t1"}
    assert teacher.cache(two[::-1]).path == some.path
    whole = teacher.cache()
    assert whole.ids == set(experiment.recordings)
    assert teacher.cache(two).path == whole.path
    torch.testing.assert_close(whole.outputs(two)[0].logits, some.outputs(two)[0].logits, rtol=1e-4, atol=1e-5)


def test_another_split_is_refused() -> None:
    split = SimpleNamespace(protocol_hash="here", protocol="official")
    facts = {"protocol_hash": "there", "protocol": "subject-folds"}
    folder = SimpleNamespace(facts=lambda: facts, path="TEACHER")
    with pytest.raises(ProtocolError, match=r"TEACHER was trained on another split \(subject-folds\).*official"):
        check_teacher_fits(SimpleNamespace(split=split), folder)  # type: ignore[arg-type]
    facts["protocol_hash"] = "here"
    check_teacher_fits(SimpleNamespace(split=split), folder)  # type: ignore[arg-type]
