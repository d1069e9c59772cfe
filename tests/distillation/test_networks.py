"""Networks of a recipe: the right one for what is seen, with the channels and classes of the data."""

import pytest
import torch

from vskd.distillation.networks import initial_weights, new_student, new_teacher
from vskd.distillation.student import ImageStudent, SensorStudent
from vskd.errors import CheckpointError, RecipeError
from vskd.models.trn import MultiScaleTRN
from vskd.recipe import load_recipe


@pytest.mark.parametrize("channels", [1, 3])
def test_networks_of_images_take_the_images_channels_and_give_the_classes(channels: int) -> None:
    recipe = load_recipe("krca", ["teacher.network=mobilenet-v3-small-075"])
    images = torch.rand(2, channels, 32, 32)
    student, teacher = new_student(recipe, 5, channels), new_teacher(recipe, 5, channels)
    assert isinstance(student, ImageStudent)
    for network in (student.eval(), teacher.eval()):
        outputs = network(images)
        assert outputs.logits.shape == (2, 5)
        assert {"shallow", "deep"} <= outputs.features.keys()


def test_a_student_of_images_is_its_network(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    student = new_student(load_recipe("krca-no-kd"), 4, 1).eval()
    images = torch.rand(2, 1, 32, 32)
    assert torch.equal(student(images).logits, student.network(images).logits)
    assert all(name.startswith("network.") for name in student.state_dict())


def test_networks_of_the_wrist() -> None:
    recipe = load_recipe("demo")
    assert isinstance(new_student(recipe, 3, 3), SensorStudent)
    assert isinstance(new_teacher(recipe, 3), MultiScaleTRN)


@pytest.mark.parametrize(
    ("name", "override", "match"),
    [
        ("krca", "student.network=squeezenet-lv", "did you mean 'squeezenet-lw'"),
        ("krca", "student.network=cnn1d", r"student\.network 'cnn1d' reads a series"),
        ("krca", "student.dropout=0.5", None),
        ("demo", "student.network=cnn1d", "Choose encoding raw"),
    ],
)
def test_students_that_do_not_fit_are_refused(name: str, override: str, match: str | None) -> None:
    recipe = load_recipe(name, [override])
    if match is None:
        assert new_student(recipe, 3, 1).network.training
        return
    with pytest.raises(RecipeError, match=match):
        new_student(recipe, 3, 3)


def test_teachers_that_do_not_fit_are_refused() -> None:
    with pytest.raises(RecipeError, match=r"teacher\.network 'cnn1d' reads a series"):
        new_teacher(load_recipe("krca", ["teacher.network=cnn1d"]), 3, 1)
    with pytest.raises(RecipeError, match="Unknown teacher 'convnext-tiny'"):
        new_teacher(load_recipe("demo", ["teacher.network=convnext-tiny"]), 3)


def test_weights_that_are_not_there_are_named(tmp_path) -> None:
    network = new_student(load_recipe("krca-no-kd"), 3, 1).network
    before = {name: value.clone() for name, value in network.state_dict().items()}
    initial_weights(network, None)
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())
    with pytest.raises(CheckpointError, match="nowhere"):
        initial_weights(network, str(tmp_path / "nowhere.safetensors"))
