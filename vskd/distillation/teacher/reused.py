"""The teacher's classifier, where the student takes it over (SimKD)."""

from collections.abc import Sequence

import torch
from torch import nn

from vskd.distillation.experiment import Experiment
from vskd.distillation.model import new_model
from vskd.distillation.teacher.outputs import FinishedTeacher
from vskd.distillation.teacher.untrained import UntrainedTeacher
from vskd.errors import RecipeError, as_recipe_error
from vskd.models.head import Headed, linear_classifier
from vskd.recipe.distiller import terms_that_reuse


def check_reusable(experiment: Experiment) -> None:
    """Refuse a teacher whose classifier cannot be taken over before it is trained.

    Args:
        experiment: of a student whose recipe has one teacher and reuses its classifier; of others nothing is asked.

    Raises:
        RecipeError: that teacher's classifier is not one linear layer, or of another embedding than the student's head.
    """
    recipe = experiment.recipe
    if not terms_that_reuse(recipe.distiller.terms) or recipe.student.head is None:
        return
    theirs = experiment.of_teacher(recipe.of_teacher())
    with torch.random.fork_rng(devices=[]):
        network = new_model(theirs.recipe.student, theirs.inputs, theirs.classes).network
    with as_recipe_error("distiller: the teacher does not fit"):
        _, found = linear_classifier(network, theirs.inputs.network_shape, _who(theirs))
    if found.in_features != recipe.student.head.width:
        raise RecipeError(
            f"student.head.width is {recipe.student.head.width}, but the embedding of {_who(theirs)}, whose classifier "
            f"is reused, has {found.in_features} values",
            f"Set student.head.width to {found.in_features}",
        )


def reuse_classifier(experiment: Experiment, network: nn.Module, teachers: Sequence[FinishedTeacher]) -> None:
    """Put the teacher's classifier into the student's head, where a term of the recipe asks for it; it stays as it is.

    Args:
        experiment: the student's.
        network: the student's.
        teachers: finished ones, in the recipe's order.

    Raises:
        RecipeError: the teacher's classifier is not one linear layer, or of another embedding.
    """
    distiller = experiment.recipe.distiller
    if not terms_that_reuse(distiller.terms) or not isinstance(network, Headed):
        return
    (teacher,) = teachers
    if distiller.untrained:  # the control speaks with this network's embedding, so its classifier has to listen
        teacher = UntrainedTeacher(teacher.folder, teacher.experiment)
    with as_recipe_error("distiller: the teacher does not fit"):
        shape = teacher.inputs.network_shape
        _, classifier = linear_classifier(teacher.model.network, shape, _who(teacher.experiment))
        network.reuse(classifier)


def _who(theirs: Experiment) -> str:
    return f"the teacher's network '{theirs.recipe.student.network.name}'"
