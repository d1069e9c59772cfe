"""Budget and optimizer: values are not bent to fit, and a key that does nothing is refused."""

import pytest
from pydantic import ValidationError

from vskd.recipe.training import Training


def test_keys_that_count_have_their_default_and_others_none() -> None:
    plain = Training()
    assert (plain.momentum, plain.step_epochs, plain.warmup) == (None, None, None)
    assert Training(optimizer="sgd").momentum == 0.9
    assert Training(schedule="step").step_epochs == 50
    assert Training(schedule="onecycle").warmup == 0.15


@pytest.mark.parametrize(
    ("content", "needle"),
    [
        ({"momentum": 0.5}, "momentum does nothing here: it counts only where optimizer is sgd"),
        ({"step_epochs": 5, "schedule": "cosine"}, "step_epochs does nothing here: it counts only where schedule is"),
        ({"warmup": 0.5}, "warmup does nothing here: it counts only where schedule is onecycle"),
        ({"select": "best", "validation": "none"}, "needs validation recordings"),
        ({"ridge": 0.1, "class_weights": "balanced"}, "ridge weighs every recording alike"),
        ({"ridge": 0.1, "sampling": "balanced"}, "ridge counts every recording once: set sampling to natural"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(content: dict[str, object], needle: str) -> None:
    with pytest.raises(ValidationError, match=needle):
        Training.model_validate(content)


def test_last_epoch_without_validation_is_no_contradiction() -> None:
    assert Training(select="last", validation="none").select == "last"


@pytest.mark.parametrize(
    ("content", "needle"),
    [
        ({"epochs": "5"}, "valid integer"),
        ({"epochs": 5.5}, "valid integer"),
        ({"epochs": 0}, "greater than or equal to 1"),
        ({"learning_rate": float("inf")}, "finite"),
        ({"learning_rate": 0.0}, "greater than 0"),
        ({"weight_decay": -0.1}, "greater than or equal to 0"),
        ({"label_smoothing": 1.0}, "less than 1"),
        ({"gradient_clip": -1.0}, "greater than or equal to 0"),
        ({"ridge": 0.0}, "greater than 0"),
        ({"epoch": 5}, "not permitted"),
    ],
)
def test_values_are_not_bent_to_fit(content: dict[str, object], needle: str) -> None:
    with pytest.raises(ValidationError, match=needle):
        Training.model_validate(content)


def test_what_holds_where_nothing_is_said() -> None:
    assert Training().model_dump(exclude_none=True) == {
        **{"epochs": 100, "batch_size": 16, "optimizer": "adam", "learning_rate": 2e-4, "weight_decay": 1e-5},
        **{"schedule": "constant", "label_smoothing": 0.0, "class_weights": "none", "gradient_clip": 0.0},
        **{"validation": "carve", "select": "best", "precision": "float32", "sampling": "natural"},
    }
    assert Training(select="last").validation == "carve"
