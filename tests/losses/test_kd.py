"""KD against the formula of the paper."""

import math
import warnings

import pytest
import torch
from pydantic import ValidationError

from vskd.errors import SettingError
from vskd.losses.kd import KD, KDSettings, TemperatureSchedule
from vskd.losses.term import TermBatch, TermContext
from vskd.schema import explain


def naive(student: torch.Tensor, teacher: torch.Tensor, temperature: float) -> float:
    def softmax(row: list[float]) -> list[float]:
        powers = [math.exp(z / temperature) for z in row]
        return [p / sum(powers) for p in powers]

    total = 0.0
    for s, t in zip(student.tolist(), teacher.tolist(), strict=True):
        total += sum(q * math.log(q / p) for p, q in zip(softmax(s), softmax(t), strict=True))
    return temperature**2 * total / len(student)


@pytest.mark.parametrize("temperature", [1.0, 4.0])
def test_equals_the_formula(temperature: float) -> None:
    torch.manual_seed(0)
    student, teacher = torch.randn(5, 7) * 3, torch.randn(5, 7) * 3
    value = KD(temperature)(student, teacher).item()
    assert value == pytest.approx(naive(student, teacher, temperature), rel=1e-4)


def test_zero_for_the_teachers_own_logits_up_to_a_shift() -> None:
    teacher = torch.randn(4, 6, generator=torch.Generator().manual_seed(0))
    assert KD()(teacher + 3.0, teacher).item() == pytest.approx(0.0, abs=1e-5)


def test_gradient_at_high_temperature_is_that_of_centred_logits() -> None:
    """Hinton et al., eq. 4: for large T the gradient is (z_s - z_t) / classes with zero-mean logits, per recording."""
    torch.manual_seed(0)
    student = torch.randn(3, 5, dtype=torch.float64)
    teacher = torch.randn(3, 5, dtype=torch.float64)
    student, teacher = student - student.mean(1, keepdim=True), teacher - teacher.mean(1, keepdim=True)
    student.requires_grad_()
    KD(1e4)(student, teacher).backward()
    torch.testing.assert_close(student.grad, (student - teacher).detach() / 5 / 3, rtol=1e-3, atol=1e-5)


def test_huge_logits_stay_finite() -> None:
    student = torch.tensor([[1e4, -1e4, 0.0]], requires_grad=True)
    loss = KD(1.0)(student, torch.tensor([[-1e4, 1e4, 0.0]]))
    loss.backward()
    assert torch.isfinite(loss)
    assert torch.isfinite(student.grad).all()


def test_bad_input_is_refused() -> None:
    with pytest.raises(ValueError, match="temperature"):
        KD(0.0)
    with pytest.raises(ValueError, match="differ in shape"):
        KD()(torch.zeros(2, 3), torch.zeros(2, 1))


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        (TemperatureSchedule(3.0, 0.5), {0: 3.0, 1: 3.5, 10: 8.0, 34: 20.0, 35: 20.0, 500: 20.0}),
        (TemperatureSchedule(3.0, 0.5, maximum=4.2), {0: 3.0, 2: 4.0, 3: 4.2}),
        (TemperatureSchedule(30.0), {0: 30.0, 99: 30.0}),  # a constant temperature knows no maximum
    ],
)
def test_temperature_rises_to_its_maximum(schedule: TemperatureSchedule, expected: dict[int, float]) -> None:
    assert {epoch: schedule.at(epoch) for epoch in expected} == expected


@pytest.mark.parametrize("settings", [(0.0, 0.0, 20.0), (math.nan, 0.0, 20.0), (4.0, -0.1, 20.0), (21.0, 0.1, 20.0)])
def test_impossible_schedules_are_refused(settings: tuple[float, float, float]) -> None:
    with pytest.raises(ValueError, match="temperature"):
        TemperatureSchedule(*settings)


CONTEXT = TermContext({"logits": (4,)}, {"logits": (4,)})


def test_as_a_term_its_temperature_follows_the_epoch_and_no_earlier_one() -> None:
    torch.manual_seed(0)
    batch = TermBatch((torch.randn(5, 4),), (torch.randn(5, 4),), torch.zeros(5, dtype=torch.int64), torch.arange(5))
    term = KDSettings(temperature=3.0, temperature_slope=0.5, temperature_max=9.0).build(CONTEXT)
    assert torch.equal(term(batch), KD(3.0)(batch.student, batch.teacher))
    for epoch, temperature in ((4, 5.0), (100, 9.0), (1, 3.5)):  # any order: a resumed training starts in between
        term.start_epoch(epoch)
        assert torch.equal(term(batch), KD(temperature)(batch.student, batch.teacher))


def test_as_a_term_its_temperature_stays_where_it_does_not_rise() -> None:
    term = KDSettings(temperature=30.0).build(CONTEXT)
    term.start_epoch(50)
    assert term.loss.temperature == 30.0


def test_a_maximum_counts_only_where_the_temperature_rises() -> None:
    assert KDSettings().temperature_max is None
    assert KDSettings(temperature_slope=0.5).temperature_max == 20.0
    assert KDSettings(temperature_slope=1, temperature_max=8.0).schedule == TemperatureSchedule(4.0, 1.0, 8.0)


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"temperature_max": 30.0}, "temperature_max does nothing here"),
        ({"temperature_slope": 0.5, "temperature_max": 3.0}, "starts at 4.0, above its maximum of 3.0"),
        ({"temperature_slope": 0.5, "temperature_max": 0.0}, "temperature_max: input should be greater than 0"),
        ({"temperature_slope": -0.1}, "temperature_slope: input should be greater than or equal to 0"),
        ({"temperature_slope": math.inf}, "temperature_slope: input should be a finite number"),
        ({"temperature_slope": "fast"}, "temperature_slope: input should be a valid number"),
        ({"temperature": 0.0}, "temperature: input should be greater than 0"),
        ({"temperature": math.nan}, "temperature: input should be"),
        ({"weight": -1.0}, "weight: input should be greater than or equal to 0"),
        ({"weight": math.nan}, "weight: input should be"),
    ],
)
def test_impossible_settings_are_refused(settings: dict[str, object], named: str) -> None:
    with pytest.raises(ValidationError) as caught:
        KDSettings(**settings)
    assert [problem for problem in explain(caught.value, KDSettings) if named in problem]


def test_logits_of_other_classes_are_refused() -> None:
    with pytest.raises(SettingError, match=r"logits of one size, but .* \(4,\) and .* \(3,\)"):
        KDSettings().build(TermContext({"logits": (4,)}, {"logits": (3,)}))


def test_a_rising_temperature_may_begin_at_its_maximum() -> None:
    assert [TemperatureSchedule(4.0, 0.5, 4.0).at(epoch) for epoch in (0, 1, 9)] == [4.0, 4.0, 4.0]
    assert KDSettings(temperature=6.0, temperature_slope=0.5, temperature_max=6.0).schedule.at(3) == 6.0
    assert TemperatureSchedule(30.0, 0.0, 20.0).at(5) == 30.0
    assert TemperatureSchedule(4.0) == TemperatureSchedule(4.0, 0.0, 20.0)


def test_a_maximum_that_is_said_to_be_none_is_completed_where_the_temperature_rises() -> None:
    assert KDSettings(temperature_slope=0.5, temperature_max=None).temperature_max == 20.0
    assert KDSettings(temperature_slope=0.0, temperature_max=None).temperature_max is None


@pytest.mark.parametrize("content", [3, "kd", None, [("temperature", 4.0)]])
def test_what_is_no_mapping_is_a_mistake_of_the_recipe(content: object) -> None:
    with pytest.raises(ValidationError):
        KDSettings.model_validate(content)


def test_what_a_loss_is_where_nothing_is_said() -> None:
    assert KD().temperature == KDSettings().temperature == 4.0
    assert (KDSettings().temperature_slope, KDSettings().schedule) == (0.0, TemperatureSchedule(4.0))


@pytest.mark.parametrize("temperature", [1e-3, 0.5, 1.0])
def test_any_temperature_above_zero_is_one(temperature: float) -> None:
    assert KD(temperature).temperature == KDSettings(temperature=temperature).temperature == temperature
    assert [TemperatureSchedule(temperature, 0.25, 1.5).at(epoch) for epoch in (0, 1, 9)] == [
        temperature,
        min(temperature + 0.25, 1.5),
        1.5,
    ]


def test_the_classes_are_the_second_axis_without_a_guess_of_torch() -> None:
    """Torch warns where it has to guess the axis of a softmax."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert KD()(torch.eye(3), torch.ones(3, 3)).isfinite()


def test_other_ranks_than_that_of_logits_are_refused() -> None:
    with pytest.raises(SettingError, match=r"compares logits, but the student's layer 'logits' has shape \(4, 2\)"):
        KDSettings().build(TermContext({"logits": (4, 2)}, {"logits": (4, 2)}))
