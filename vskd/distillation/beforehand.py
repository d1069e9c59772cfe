"""What a training would be refused for once its turn comes is refused before hours are spent on its teachers, or on the
other trainings of a comparison. Nothing is decoded for it.
"""

import torch

from vskd.distillation.bfloat16 import refuse_wrong_gradients
from vskd.distillation.distiller import layers, new_distiller, term_context
from vskd.distillation.experiment import Experiment
from vskd.distillation.going_on import start_from
from vskd.distillation.model import new_model
from vskd.distillation.teacher.admission import refuse_hidden
from vskd.distillation.teacher.reused import check_reusable
from vskd.errors import as_recipe_error
from vskd.losses.term import Shapes
from vskd.network import OUTPUT_LAYERS, layer_shapes


def refuse_untrainable(experiment: Experiment, *, with_teachers: bool) -> None:
    """Refuse labels that are not there, networks that do not take what they see, weights that do not fit, teachers that
    will not be admitted, and terms that do not fit what the networks give.

    Args:
        experiment: of the student.
        with_teachers: whether its teachers are still to be trained.

    Raises:
        VskdError: it cannot be trained so.
    """
    recipe = experiment.recipe
    of_student, of_teacher = layers(recipe.distiller.terms)
    with torch.random.fork_rng(devices=[]):
        student = _shapes(experiment, of_student, "student")
        if not with_teachers:
            return
        check_reusable(experiment)
        shapes: list[Shapes] = []
        for number in range(len(recipe.teachers)):
            theirs = experiment.of_teacher(recipe.of_teacher(number))
            refuse_hidden(
                experiment.setting, theirs.setting.used, f"Teacher {number} of the recipe", theirs.setting.title
            )
            shapes.append(_shapes(theirs, of_teacher, "teacher"))
        if len(shapes) == 1:  # of several, what they say together is known to their fusion alone
            _build_terms(experiment, student, shapes[0])


def _shapes(experiment: Experiment, named: tuple[str, ...], who: str) -> Shapes:
    """Shapes of the layers that terms may compare, of the network that the experiment trains."""
    inputs, role = experiment.inputs, experiment.recipe.student
    experiment.setting  # noqa: B018  (labels that are not there are refused)
    model = new_model(role, inputs, experiment.classes)
    start_from(model, role.weights, experiment)
    if role.training.precision == "bfloat16":
        refuse_wrong_gradients(model.network, inputs.network_shape)
    with as_recipe_error(f"distiller: the {who} does not fit"):
        return layer_shapes(model.network, inputs.network_shape, (*OUTPUT_LAYERS, *named))


def _build_terms(experiment: Experiment, student: Shapes, teacher: Shapes) -> None:
    """Build the terms and let them go; their size in samples is that of the training part."""
    samples, counts = len(experiment.setting.train), (1,) * experiment.classes
    new_distiller(experiment.recipe, term_context(experiment.recipe, student, teacher, samples, counts))
