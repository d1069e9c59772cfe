"""Late fusion: the mean of probabilities, embeddings side by side, and only of the same recordings."""

from collections.abc import Sequence

import pytest
import torch

from vskd.distillation.teacher.fusion import FusedTeacher, fusion_weights
from vskd.distillation.teacher.outputs import FollowsEpochs, TeacherSource
from vskd.errors import SettingError
from vskd.modalities.base import Batch
from vskd.network import Outputs

BATCH = Batch(("a", "b"), torch.zeros(2, 1), torch.tensor([1, 0]), torch.tensor([0, 1]))


class Member:
    """Says what it is told to."""

    def __init__(
        self,
        seed: int = 0,
        width: int = 4,
        *,
        ids: Sequence[str] = ("a", "b"),
        answer: tuple[str, ...] = BATCH.ids,
        labels: tuple[int, ...] = (1, 0),
        scale: float = 1.0,
        features: Sequence[str] = (),
    ) -> None:
        generator = torch.Generator().manual_seed(seed)
        self.ids = frozenset(ids)
        self.shapes = {"logits": (3,), "embedding": (width,), **dict.fromkeys(features, (2, 4, 4))}
        self.said = Outputs(scale * torch.randn(2, 3, generator=generator), torch.randn(2, width, generator=generator))
        self._answer, self._labels = answer, torch.tensor(labels)

    def outputs(self, batch: Batch) -> tuple[Outputs, tuple[str, ...], torch.Tensor]:
        assert batch is BATCH
        return self.said, self._answer, self._labels


def test_probabilities_are_averaged_and_embeddings_joined() -> None:
    members = [Member(1, 4), Member(2, 6), Member(3, 2)]
    fused = FusedTeacher(members)
    outputs, ids, labels = fused.outputs(BATCH)
    expected = torch.stack([m.said.logits.softmax(1) for m in members]).mean(0)
    torch.testing.assert_close(outputs.logits.exp(), expected)
    assert torch.equal(outputs.embedding, torch.cat([m.said.embedding for m in members], dim=1))
    assert fused.shapes == {"logits": (3,), "embedding": (12,)}
    assert outputs.embedding.shape[1:] == fused.shapes["embedding"]
    assert ids == BATCH.ids and torch.equal(labels, BATCH.labels)


def test_a_sure_teacher_does_not_overflow() -> None:
    outputs, *_ = FusedTeacher([Member(1, scale=1e4), Member(2, scale=1e4)]).outputs(BATCH)
    assert torch.isfinite(outputs.logits.softmax(1)).all()


def test_recordings_are_those_that_all_can_speak_of() -> None:
    assert FusedTeacher([Member(ids="abc"), Member(ids="bcd"), Member(ids="cba")]).ids == {"b", "c"}


@pytest.mark.parametrize("odd", [Member(answer=("b", "a")), Member(answer=("a",)), Member(labels=(0, 1))])
def test_other_recordings_or_labels_are_refused(odd: Member) -> None:
    with pytest.raises(ValueError, match="different recordings or labels"):
        FusedTeacher([Member(), odd]).outputs(BATCH)


def test_teachers_may_know_the_labels_of_different_recordings() -> None:
    """One of them set recordings aside for validation, which the other has without labels."""
    one, other = Member(labels=(int(BATCH.labels[0]), -1)), Member(labels=(-1, int(BATCH.labels[1])))
    for members in ([one, other], [other, one]):
        _, ids, labels = FusedTeacher(members).outputs(BATCH)
        assert ids == BATCH.ids and labels is members[0].outputs(BATCH)[2], "those of the first"


def test_nobody_looks_inside_several_teachers() -> None:
    with pytest.raises(SettingError, match="Several teachers have no common layer deep, shallow"):
        FusedTeacher([Member(features=["shallow"]), Member(features=["deep"])])


def test_probabilities_are_averaged_with_the_weights() -> None:
    members = [Member(1), Member(2), Member(3)]
    outputs, *_ = FusedTeacher(members, (0.5, 0.3, 0.2)).outputs(BATCH)
    first, second, third = (member.said.logits.softmax(1) for member in members)
    torch.testing.assert_close(outputs.logits.exp(), 0.5 * first + 0.3 * second + 0.2 * third)


def test_a_member_without_weight_is_not_heard() -> None:
    outputs, *_ = FusedTeacher([Member(1), Member(2)], (0.0, 1.0)).outputs(BATCH)
    torch.testing.assert_close(outputs.logits, Member(2).said.logits.log_softmax(1))


@pytest.mark.parametrize("seed", range(4))
def test_the_weights_are_those_of_greatest_likelihood(seed: int) -> None:
    """No point of a fine grid over all weights of three members is better."""
    right = torch.rand(3, 25, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    found = fusion_weights(right)
    assert sum(found) == pytest.approx(1)
    steps = torch.linspace(0, 1, 101, dtype=torch.float64)
    grid = torch.tensor([(float(a), float(b), float(1 - a - b)) for a in steps for b in steps if a + b <= 1])
    likelihood = (grid.double() @ right).log().sum(dim=1)
    assert float((torch.tensor(found, dtype=torch.float64) @ right).log().sum()) >= float(likelihood.max()) - 1e-3


def test_alike_members_weigh_alike_and_a_worse_one_nothing() -> None:
    right = torch.tensor([0.9, 0.2, 0.6, 0.7])
    assert fusion_weights(torch.stack([right, right])) == pytest.approx((0.5, 0.5))
    assert fusion_weights(torch.stack([right, right / 2])) == pytest.approx((1, 0), abs=1e-6)


def test_a_member_that_excludes_a_true_class_leaves_it_to_the_others() -> None:
    weights = fusion_weights(torch.tensor([[0.0, 0.9], [0.5, 0.1]]))
    assert 0 < weights[0] < 1 and sum(weights) == pytest.approx(1)
    assert fusion_weights(torch.zeros(2, 3)) == pytest.approx((0.5, 0.5))


class Following(FollowsEpochs):
    """A member that keeps the epochs that it is told."""

    def __init__(self) -> None:
        self.ids, self.shapes = frozenset("ab"), {"logits": (3,), "embedding": (4,)}
        self.told: list[int] = []

    def start_epoch(self, epoch: int) -> None:
        self.told.append(epoch)

    def views(self) -> list[TeacherSource]:
        raise AssertionError

    def outputs(self, batch: Batch) -> tuple[Outputs, tuple[str, ...], torch.Tensor]:
        raise AssertionError


def test_members_that_follow_the_epochs_are_told_them() -> None:
    first, last = Following(), Following()
    fused = FusedTeacher([first, Member(), last])
    for epoch in (0, 1, 5):
        fused.start_epoch(epoch)
    assert first.told == last.told == [0, 1, 5]


def test_weights_are_equal_unless_said() -> None:
    assert FusedTeacher([Member(), Member()]).weights == (0.5, 0.5)
    assert FusedTeacher([Member()] * 4).weights == (0.25,) * 4
    assert FusedTeacher([Member(), Member()], [0.9, 0.1]).weights == (0.9, 0.1)


def test_two_members_in_closed_form() -> None:
    """Of two recordings, each known to one member alone: the likelihood a (1 - a) is greatest at a half; of three,
    two of which the first knows, at two thirds."""
    assert fusion_weights(torch.tensor([[1.0, 0.0], [0.0, 1.0]])) == pytest.approx((0.5, 0.5))
    assert fusion_weights(torch.tensor([[1.0, 1.0, 0.0], [0.0, 0.0, 1.0]])) == pytest.approx((2 / 3, 1 / 3))
