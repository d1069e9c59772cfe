"""The control without knowledge: the network as drawn, and nothing of what the teacher learned."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from vskd.distillation.batch_norm import recompute
from vskd.distillation.experiment import prepare
from vskd.distillation.fitting import plain_batches
from vskd.distillation.model import initial_weights, new_model
from vskd.distillation.teacher.outputs import FinishedTeacher, finished_teacher
from vskd.distillation.teacher.source import teacher_source
from vskd.distillation.teacher.untrained import UntrainedTeacher
from vskd.errors import RecipeError
from vskd.recipe import Recipe

MakeRecipe = Callable[..., Recipe]


@pytest.fixture
def teacher(tiny: MakeRecipe, shared_cache: Path, teacher_run: Path) -> FinishedTeacher:
    return finished_teacher(prepare(tiny(), shared_cache, with_teachers=True), teacher_run)


def untrained(teacher: FinishedTeacher) -> UntrainedTeacher:
    return UntrainedTeacher(teacher.folder, teacher.experiment)


def test_it_is_the_same_network_with_other_weights(teacher: FinishedTeacher) -> None:
    drawn, trained = untrained(teacher).model.state_dict(), teacher.model.state_dict()
    assert {name: tensor.shape for name, tensor in drawn.items()} == {name: t.shape for name, t in trained.items()}
    assert not any(torch.equal(drawn[name], trained[name]) for name in drawn if name.endswith("conv1.weight"))


def test_it_does_not_depend_on_what_was_learned_nor_on_the_random_state(teacher: FinishedTeacher) -> None:
    first, state = untrained(teacher), torch.get_rng_state()
    drawn = first.model.state_dict()
    assert torch.equal(torch.get_rng_state(), state)  # nor does it change that
    torch.manual_seed(99)
    second = untrained(teacher)
    assert all(torch.equal(drawn[name], tensor) for name, tensor in second.model.state_dict().items())
    assert first.key == second.key
    assert first.key != teacher.key


def test_its_batch_norm_knows_the_data(teacher: FinishedTeacher) -> None:
    """Else its features would be scaled as no network's are, and the control would be weaker than it is."""
    means = [t for name, t in untrained(teacher).model.state_dict().items() if name.endswith("running_mean")]
    assert means and all(bool(mean.abs().sum() > 0) for mean in means)


def test_the_distiller_asks_it(tiny: MakeRecipe, shared_cache: Path, teacher_run: Path) -> None:
    said = []
    for words in ((), ("distiller.untrained=true",)):
        experiment = prepare(tiny(*words), shared_cache, with_teachers=True)
        source = teacher_source(experiment, [finished_teacher(experiment, teacher_run)])
        (batch, *_) = experiment.inputs.batches(sorted(experiment.inputs.ids), batch_size=6)
        outputs, ids, _ = source.outputs(batch)
        assert ids == batch.ids
        said.append(outputs.logits)
    assert said[0].shape == said[1].shape and not torch.allclose(said[0], said[1])


def test_without_a_teacher_there_is_none_to_be_untrained(tiny: MakeRecipe) -> None:
    with pytest.raises(RecipeError, match="untrained does nothing here"):
        tiny("distiller=none", "distiller.untrained=true")


def test_its_weights_are_those_that_the_training_began_with(
    tiny: MakeRecipe, teacher: FinishedTeacher, shared_cache: Path
) -> None:
    """Drawn by the teacher's own seed; only BatchNorm has seen the data: the teacher's training recordings."""
    recipe = teacher.experiment.recipe
    torch.manual_seed(recipe.seed)
    begun = new_model(recipe.student, teacher.inputs, teacher.experiment.classes)
    initial_weights(begun.network, None)
    drawn = untrained(teacher).model
    assert not any(module.training for module in drawn.modules())
    assert all(torch.equal(p, begun.get_parameter(name)) for name, p in drawn.named_parameters())
    train = teacher.experiment.training_split(recipe.student.training).train
    assert len(train) == 6
    recompute(begun, plain_batches(teacher.inputs, recipe.student.training, recipe.seed, train)())
    for name, buffer in drawn.named_buffers():
        assert torch.equal(buffer, begun.get_buffer(name)), name


def test_its_key_is_of_its_weights_and_of_what_it_sees(teacher: FinishedTeacher) -> None:
    one, other = untrained(teacher), untrained(teacher)
    assert one.key.inputs_hash == teacher.inputs.hash and len(one.key.teacher_hash) == 64
    with torch.no_grad():
        next(p for p in other.model.parameters() if p.ndim == 1)[-1] += 1
    assert other.key.teacher_hash != one.key.teacher_hash
