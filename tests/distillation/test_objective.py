"""The loss between two modules of any kind, against losses computed by hand."""

import copy
from typing import ClassVar, Literal

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vskd.distillation.distiller import Distiller
from vskd.distillation.objective import DistillationObjective, parse_distiller, split_batch
from vskd.errors import SettingError
from vskd.losses.kd import KDSettings
from vskd.losses.presets.catalog import PRESETS
from vskd.losses.term import Term, TermContext, TermSettings, labelled
from vskd.network import Outputs

X = torch.randn(6, 4, generator=torch.Generator().manual_seed(0))
OTHER = torch.randn(6, 5, generator=torch.Generator().manual_seed(1))
LABELS = torch.tensor([0, 1, 2, 0, 1, 2])


def mlp(inputs: int = 4, width: int = 8, seed: int = 0) -> nn.Sequential:
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(inputs, width), nn.BatchNorm1d(width), nn.ReLU(), nn.Linear(width, 3))


def rkd(student: Tensor, teacher: Tensor) -> float:
    """RKD-D with torch.cdist."""

    def psi(e: Tensor) -> Tensor:
        d = torch.cdist(e, e)
        return d / d[d > 0].mean()

    return F.smooth_l1_loss(psi(student), psi(teacher)).item()


def test_dask_equals_its_terms_by_hand() -> None:
    student, teacher = mlp(seed=1), mlp(5, 8, seed=2)
    objective = DistillationObjective(student, teacher, (X, OTHER, LABELS), "dask")
    student.eval()
    loss, terms = objective(X, OTHER, LABELS)
    logits, guide = student(X), teacher(OTHER)
    embedding, wanted = student[:3](X), teacher[:3](OTHER)
    assert terms["cross_entropy"].item() == pytest.approx(F.cross_entropy(logits, LABELS).item(), rel=1e-5)
    p = (guide / 4).softmax(1)
    soft = 0.01 * 16 * (p * (p.log() - (logits / 4).log_softmax(1))).sum(1).mean()
    assert terms["kd"].item() == pytest.approx(soft.item(), rel=1e-4)
    assert terms["embedding_mse"].item() == pytest.approx((embedding - wanted).square().mean().item(), rel=1e-5)
    assert terms["rkd_distance"].item() == pytest.approx(rkd(embedding, wanted), rel=1e-4)
    assert loss.item() == pytest.approx(sum(term.item() for term in terms.values()))


def test_it_equals_the_distiller_on_outputs_by_hand() -> None:
    """All presets that need no named maps, also with learned weights."""
    for name in ("none", "kd", "dask", "krca-hl-sl", "krca-sl"):
        student, teacher = mlp(seed=1), mlp(5, 8, seed=2)
        objective = DistillationObjective(student, teacher, (X, OTHER, LABELS), name)
        student.eval(), teacher.eval()
        shapes = {"logits": (3,), "embedding": (8,)}
        distiller = Distiller(PRESETS[name].terms, PRESETS[name].weighting, TermContext(shapes, shapes))
        own, other = (Outputs(m(x), m[:3](x)) for m, x in ((student, X), (teacher, OTHER)))
        expected = distiller(own, other if distiller.needs_teacher else None, LABELS, LABELS)
        _, terms = objective(X, OTHER, LABELS)
        assert {title: term.item() for title, term in terms.items()} == {t: v.item() for t, v in expected.items()}


def test_soft_targets_of_an_equal_module_are_nothing_to_learn() -> None:
    student = mlp()
    objective = DistillationObjective(student, copy.deepcopy(student), (X, LABELS), "kd")
    student.eval()
    _, terms = objective(X, X, LABELS)
    assert terms["kd"].item() == 0.0
    assert terms["cross_entropy"].item() > 0


def test_the_teacher_gets_no_gradient_and_stays_in_evaluation_mode() -> None:
    student, teacher = mlp(seed=1), mlp(seed=2)
    before = copy.deepcopy(teacher.state_dict())
    objective = DistillationObjective(student, teacher, (X, LABELS), "dask").train()
    assert not teacher.training and student.training
    teacher.train()
    loss, _ = objective(X, X, LABELS)
    loss.backward()
    assert not any(part.training for part in teacher.modules())
    assert all(p.grad is None and not p.requires_grad for p in teacher.parameters())
    assert all(torch.equal(value, before[name]) for name, value in teacher.state_dict().items())
    assert all(p.grad is not None for p in student.parameters())
    own = {id(p) for p in objective.parameters()}
    assert not own & {id(p) for p in teacher.parameters()} and own >= {id(p) for p in student.parameters()}


def test_embeddings_of_other_widths_get_a_projector_that_is_trained() -> None:
    student, teacher = mlp(width=6, seed=1), mlp(width=9, seed=2)
    objective = DistillationObjective(student, teacher, (X, LABELS), "dask")
    projector = objective.distiller.terms["embedding_mse"].loss.projector
    assert projector.weight.shape == (9, 6)
    loss, _ = objective(X, X, LABELS)
    loss.backward()
    assert projector.weight.grad.abs().sum() > 0
    groups = objective.parameter_groups(1e-3, 0.01)
    assert {id(p) for g in groups for p in g["params"]} == {id(p) for p in objective.parameters()}


def test_projectors_depend_on_the_seed_alone_and_the_global_generator_is_left() -> None:
    def projector(seed: int, before: int) -> Tensor:
        student, teacher = mlp(width=6, seed=1), mlp(width=9, seed=2)
        torch.manual_seed(before)
        state = torch.random.get_rng_state()
        objective = DistillationObjective(student, teacher, (X, LABELS), "dask", seed=seed)
        assert torch.equal(torch.random.get_rng_state(), state)
        return objective.distiller.terms["embedding_mse"].loss.projector.weight.detach()

    assert torch.equal(projector(3, before=0), projector(3, before=1))
    assert not torch.equal(projector(3, before=0), projector(4, before=0))


def test_learned_weights_are_not_decayed() -> None:
    objective = DistillationObjective(mlp(seed=1), mlp(seed=2), (X, LABELS), "krca-hl-sl")
    *_, last = objective.parameter_groups(1e-3, 0.01)
    assert last["weight_decay"] == 0.0 and len(last["params"]) == 3


def test_terms_may_be_mappings_and_settings_and_name_any_layer() -> None:
    terms = [{"loss": "embedding_mse", "student_layer": "0", "teacher_layer": "2", "weight": 2}, KDSettings(weight=0.5)]
    student, teacher = mlp(width=6, seed=1), mlp(width=6, seed=2)
    objective = DistillationObjective(student, teacher, (X, LABELS), terms)
    student.eval()
    _, found = objective(X, X, LABELS)
    expected = 2 * (student[0](X) - teacher[:3](X)).square().mean()
    assert found["embedding_mse"].item() == pytest.approx(expected.item(), rel=1e-5)
    assert list(found) == ["embedding_mse", "kd"]


def test_a_loss_of_ones_own_needs_no_catalog() -> None:
    class SurenessSettings(TermSettings):
        description: ClassVar[str] = "large logits cost"
        loss: Literal["sureness"] = "sureness"

        def build(self, context: TermContext) -> Term:
            return Term(Sureness(), labelled)

    class Sureness(nn.Module):
        def forward(self, logits: Tensor, _: Tensor) -> Tensor:
            return logits.square().mean()

    student = mlp()
    objective = DistillationObjective(student, None, (X, LABELS), [SurenessSettings(weight=3.0)])
    student.eval()
    loss, _ = objective(X, None, LABELS)
    assert loss.item() == pytest.approx(3 * student(X).square().mean().item(), rel=1e-6)


def test_a_preset_may_be_changed() -> None:
    terms, weighting = parse_distiller(
        {"preset": "kd", "terms": {"kd": {"temperature": 2}}, "weighting": "uncertainty"}
    )
    assert [term.title for term in terms] == ["cross_entropy", "kd"] and weighting == "uncertainty"
    assert isinstance(terms[1], KDSettings) and (terms[1].temperature, terms[1].weight) == (2.0, 0.9)
    assert parse_distiller("krca")[1] == "uncertainty"


def test_label_smoothing_reaches_the_cross_entropy() -> None:
    student = mlp()
    objective = DistillationObjective(student, None, (X, LABELS), "none", label_smoothing=0.2)
    student.eval()
    targets = 0.8 * torch.eye(3)[LABELS] + 0.2 / 3
    expected = -(targets * student(X).log_softmax(1)).sum(1).mean()
    assert objective(X, None, LABELS)[0].item() == pytest.approx(expected.item(), rel=1e-5)


def test_a_rising_temperature_follows_the_epochs() -> None:
    objective = DistillationObjective(
        mlp(seed=1), mlp(seed=2), (X, LABELS), [KDSettings(temperature=2.0, temperature_slope=1.5)]
    )
    objective.start_epoch(2)
    assert objective.distiller.terms["kd"].loss.temperature == 5.0


def test_a_loss_with_a_memory_asks_for_positions_and_the_number_of_samples() -> None:
    terms = [{"loss": "crcd"}]
    with pytest.raises(SettingError, match="'crcd' needs 2 training samples or more, not 0"):
        DistillationObjective(mlp(seed=1), mlp(seed=2), (X, LABELS), terms)
    objective = DistillationObjective(mlp(seed=1), mlp(seed=2), (X, LABELS), terms, samples=6)
    with pytest.raises(SettingError, match=r"'crcd' remembers every training sample.*labels, positions\)"):
        objective(X, X, LABELS)
    loss, _ = objective(X, X, LABELS, torch.arange(6))
    assert torch.isfinite(loss) and loss > 0
    with pytest.raises(ValueError, match="positions must be in the training list of 6"):
        objective(X, X, LABELS, torch.arange(6) + 1)


@pytest.mark.parametrize(
    ("distiller", "message"),
    [
        ("dusk", "There is no distiller 'dusk'; did you mean 'dask'"),
        ({"preset": "kd", "terms": {"kdd": {}}}, "did you mean 'kd'"),
        ([{"loss": "rkd_distanc"}], "did you mean 'rkd_distance'"),
        ([{"loss": "kd", "temprature": 3}], "did you mean 'temperature'"),
        ({"preset": "kd", "teacher_outputs": "cached"}, "teacher_outputs does nothing here"),
        ([], "There are no terms"),
        (None, "name or a list of terms, not None"),
        ([{"loss": "embedding_mse", "student_layer": "7"}], "There is no layer '7' in Sequential"),
    ],
)
def test_what_does_not_exist_is_refused_with_the_nearest_name(distiller: object, message: str) -> None:
    student, teacher = mlp(seed=1), mlp(seed=2)
    with pytest.raises(SettingError, match=message):
        DistillationObjective(student, teacher, (X, LABELS), distiller)  # type: ignore[arg-type]
    assert not any(part._forward_hooks or part._forward_pre_hooks for m in (student, teacher) for part in m.modules())


def test_logits_of_other_classes_are_refused() -> None:
    teacher = nn.Linear(4, 7)
    with pytest.raises(SettingError, match=r"'kd' compares logits .* shape \(3,\) and the teacher's 'logits' \(7,\)"):
        DistillationObjective(mlp(), teacher, (X, LABELS), "kd")


def test_a_missing_teacher_or_one_that_shares_parameters_is_refused() -> None:
    student = mlp()
    with pytest.raises(SettingError, match="There is no teacher, but the distiller compares with one: kd"):
        DistillationObjective(student, None, (X, LABELS), "kd")
    with pytest.raises(SettingError, match=r"share parameters.*copy\.deepcopy"):
        DistillationObjective(student, nn.Sequential(student), (X, LABELS), "kd")
    assert all(p.requires_grad for p in student.parameters())
    with pytest.raises(SettingError, match="has no inputs for it"):
        DistillationObjective(student, mlp(seed=1), (X, LABELS), "kd")(X, None, LABELS)


def test_a_batch_is_two_to_four_tensors_of_one_length() -> None:
    own, others, labels, positions = split_batch([X, LABELS])
    assert own is others and own is X and labels is LABELS and positions is None
    assert split_batch((X, OTHER, LABELS))[1] is OTHER
    assert split_batch((X, OTHER, LABELS, LABELS))[3] is LABELS
    for wrong, message in (({"x": X}, "not a dict"), ([X], r"not \(Tensor\)"), ([X, "y"], r"\(Tensor, str\)")):
        with pytest.raises(SettingError, match=message):
            split_batch(wrong)
    with pytest.raises(SettingError, match="of 6 and 5 and 6 samples"):
        split_batch((X, OTHER[:5], LABELS))


@pytest.mark.parametrize(
    ("labels", "found"),
    [
        (LABELS.float(), r"\(6,\) torch.float32"),
        (LABELS.int(), r"\(6,\) torch.int32"),
        (F.one_hot(LABELS, 3), r"\(6, 3\) torch.int64"),
        (LABELS[:, None], r"\(6, 1\) torch.int64"),
        (X, r"\(6, 4\) torch.float32"),  # inputs in their place
    ],
)
def test_labels_are_the_number_of_a_class_for_each_sample(labels: Tensor, found: str) -> None:
    for batch in ((X, labels), (X, OTHER, labels), (X, OTHER, labels, LABELS)):
        with pytest.raises(SettingError, match=f"Labels should be .* not {found}"):
            split_batch(batch)


@pytest.mark.parametrize("label", [3, 255, -2])
def test_a_label_of_no_class_is_refused_and_unlabelled_is_not(label: int) -> None:
    objective = DistillationObjective(mlp(), None, (X, LABELS), "none")
    labels = LABELS.clone()
    labels[4] = label
    with pytest.raises(SettingError, match=rf"Label {label} is of none of the 3 classes .*\(0 to 2\)"):
        objective(X, None, labels)
    labels[4] = -1
    objective(X, None, labels)


def test_what_is_no_module_is_refused() -> None:
    with pytest.raises(SettingError, match=r"student should be an nn\.Module, not 'resnet18'"):
        DistillationObjective("resnet18", mlp(), (X, LABELS), "kd")  # type: ignore[arg-type]
    with pytest.raises(SettingError, match=r"teacher should be an nn\.Module, not 'trn'"):
        DistillationObjective(mlp(), "trn", (X, LABELS), "kd")  # type: ignore[arg-type]


def test_removed_it_leaves_the_modules_without_hooks() -> None:
    student, teacher = mlp(seed=1), mlp(seed=2)
    objective = DistillationObjective(student, teacher, (X, LABELS), "dask")
    assert any(part._forward_pre_hooks for part in student.modules())
    objective.remove()
    assert not any(part._forward_hooks or part._forward_pre_hooks for m in (student, teacher) for part in m.modules())


def test_a_classifier_is_put_into_no_module_of_ones_own() -> None:
    with pytest.raises(SettingError, match="'simkd' puts the teacher's classifier into the student"):
        DistillationObjective(mlp(), mlp(), (X, LABELS), "simkd")


def test_terms_are_given_whole_tensors_of_labels_and_positions() -> None:
    """A loss of one's own that looks at positions without needing them; half precision is made whole."""
    seen = []

    class SeeingSettings(TermSettings):
        description: ClassVar[str] = "sees"
        loss: Literal["seeing"] = "seeing"

        def build(self, context: TermContext) -> Term:
            assert (context.samples, context.batch, context.seed) == (0, 6, 0)
            return Term(nn.Identity(), lambda _, batch: seen.append(batch) or batch.student.sum())

    student = mlp().bfloat16()
    objective = DistillationObjective(student, None, (X.bfloat16(), LABELS), [SeeingSettings()])
    objective(X.bfloat16(), None, LABELS)
    objective(X.bfloat16(), None, LABELS, torch.arange(6) + 3)
    assert seen[0].student.dtype == torch.float32
    assert torch.equal(seen[0].positions, LABELS) and torch.equal(seen[1].positions, torch.arange(6) + 3)


def test_a_teacher_that_no_term_asks_is_left_alone() -> None:
    teacher = mlp(seed=2).train()
    objective = DistillationObjective(mlp(seed=1), teacher, (X, LABELS), [{"loss": "cross_entropy"}])
    assert teacher.training and all(p.requires_grad for p in teacher.parameters())
    assert objective(X, None, LABELS)[0].isfinite()
    shared = mlp(seed=3)
    DistillationObjective(shared, shared, (X, LABELS), "none")


def test_terms_of_weight_zero_ask_for_nothing() -> None:
    terms = [{"loss": "cross_entropy"}, {"loss": "crcd", "weight": 0}, {"loss": "simkd", "weight": 0, "name": "s"}]
    loss, found = DistillationObjective(mlp(), None, (X, LABELS), terms)(X, None, LABELS)
    assert list(found) == ["cross_entropy"] and loss.isfinite()
