"""Roles: modality and network are choices, and a key that the chosen one lacks is an error."""

from typing import Any

import pytest
from pydantic import ValidationError

from vskd.recipe.roles import Role, Teacher
from vskd.recipe.training import Training
from vskd.schema import explain, parse

WRIST: dict[str, Any] = {
    "sees": {"modality": "window", "streams": ["accelerometer"]},
    "network": {"name": "cnn1d"},
}


def test_a_role_has_defaults_for_its_training_and_weights() -> None:
    role = parse(Role, WRIST)
    assert role.training == Training()
    assert role.weights is None
    assert role.network.name == "cnn1d"
    assert role.sees.streams == ("accelerometer",)


def test_a_teacher_may_have_a_seed_of_its_own_and_a_student_may_not() -> None:
    assert parse(Teacher, WRIST).seed is None
    assert parse(Teacher, {**WRIST, "seed": 3}).seed == 3
    with pytest.raises(ValidationError, match="seed"):
        parse(Role, {**WRIST, "seed": 3})


@pytest.mark.parametrize(
    ("part", "content", "needle"),
    [
        ("sees", {"modality": "window", "streams": ["a"], "segments": 3}, "sees.segments: unknown key (of window)"),
        ("sees", {"modality": "smell", "streams": ["a"]}, "sees.modality: 'smell' is not allowed"),
        ("sees", {"streams": ["a"]}, "sees.modality: missing"),
        ("sees", {"modality": "window", "streams": []}, "sees.streams"),
        ("network", {"name": "cnn1d", "backbone": "resnet18"}, "network.backbone: unknown key (of cnn1d)"),
        ("network", {"name": "cnn2d"}, "network.name: 'cnn2d' is not allowed, did you mean 'cnn1d'?"),
    ],
)
def test_keys_that_the_chosen_one_lacks_are_named(part: str, content: dict[str, Any], needle: str) -> None:
    with pytest.raises(ValidationError) as caught:
        parse(Role, {**WRIST, part: content})
    assert any(needle in problem for problem in explain(caught.value, Role))


def test_what_a_teacher_has_beside_a_student() -> None:
    teacher = parse(Teacher, WRIST)
    assert (teacher.labels, teacher.cross_fit, teacher.views, teacher.head, teacher.weights) == (
        None,
        None,
        1,
        None,
        None,
    )
    for key in ("labels", "cross_fit", "views"):
        with pytest.raises(ValidationError, match=key):
            parse(Role, {**WRIST, key: getattr(teacher, key)})
    with pytest.raises(ValidationError, match="views"):
        parse(Teacher, {**WRIST, "views": 0})
