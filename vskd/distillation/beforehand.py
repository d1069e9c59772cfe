"""What a training would be refused for once its turn comes is refused before hours are spent on its teachers, or on the
other trainings of a comparison. Nothing is decoded for it.
"""

import torch

from vskd.distillation.bfloat16 import refuse_wrong_gradients
from vskd.distillation.distiller import layers, new_distiller, term_context
from vskd.distillation.experiment import Experiment
from vskd.distillation.going_on import start_from
from vskd.distillation.model import new_model
from vskd.distillation.ridge import fitted_classifier
from vskd.distillation.teacher.admission import refuse_hidden
from vskd.distillation.teacher.cross_fit import several_subjects
from vskd.distillation.teacher.reused import check_reusable
from vskd.distillation.teacher.source import looks_at_batches, nothing_to_weigh_by, refuse_known
from vskd.errors import RecipeError, as_recipe_error
from vskd.losses.term import Shapes
from vskd.network import OUTPUT_LAYERS, layer_shapes
from vskd.recipe.distiller import terms_that_need_labels


def refuse_untrainable(experiment: Experiment, *, with_teachers: bool) -> None:
    """Refuse labels that are not there, networks that do not take what they see, weights that do not fit, teachers that
    will not be admitted or could not be heard, and terms that do not fit what the networks give.

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
        _refuse_labels(experiment)
        if not with_teachers:
            return
        check_reusable(experiment)
        if recipe.distiller.fusion == "validation" and not experiment.setting.validation:
            raise nothing_to_weigh_by()
        shapes: list[Shapes] = []
        for number in range(len(recipe.teachers)):
            theirs = experiment.of_teacher(recipe.of_teacher(number))
            shapes.append(_shapes(theirs, of_teacher, "teacher"))
            _refuse_teacher(experiment, theirs, number)
        if len(shapes) == 1:  # of several, what they say together is known to their fusion alone
            _build_terms(experiment, student, shapes[0])


def _refuse_labels(experiment: Experiment) -> None:
    """Refuse what cannot be learned from the labels that are there.

    Raises:
        RecipeError: see the messages.
    """
    recipe, setting = experiment.recipe, experiment.setting
    guided = recipe.distiller.needs_teacher
    if not setting.unlabelled:
        if recipe.distiller.confidence is not None:
            raise RecipeError(
                "distiller.confidence does nothing here: every training recording carries a label",
                "Leave it out, or say with --labels who carries labels",
            )
        return
    if not setting.labelled:
        raise RecipeError(
            f"labels ({setting.title}): none of the {len(setting.train)} training recordings carries a label; "
            f"{len(setting.validation)} others are set aside for validation",
            "Name others, or set student.training.validation to none and select to last",
        )
    asking = terms_that_need_labels(recipe.distiller.terms)
    if asking:
        raise RecipeError(
            f"labels: {len(setting.unlabelled)} training recordings have none, which the loss term(s) "
            f"{', '.join(asking)} need",
            "Set the weights of these terms to 0, choose another distiller (e.g. kd), or leave `labels` out",
        )
    if guided and recipe.student.training.sampling == "balanced":
        raise RecipeError(
            "student.training.sampling 'balanced' needs the class of every training recording, which `labels` hides",
            "Set it to natural",
        )


def _refuse_teacher(experiment: Experiment, theirs: Experiment, number: int) -> None:
    """Refuse a teacher that is still to be trained, for what would be found out once it is.

    Raises:
        ProtocolError: it would know labels that the student's setting hides.
        RecipeError: it could not be heard, left out by subjects, or weighed as the recipe wants it.
    """
    own, their, who = experiment.setting, theirs.setting, f"teacher {number} of the recipe"
    refuse_hidden(own, their.used, who.capitalize(), their.title)
    distiller, role = experiment.recipe.distiller, experiment.recipe.teachers[number]
    crossed = role.cross_fit is not None and not distiller.untrained
    with as_recipe_error("distiller: the teacher does not fit"):
        looks_at_batches(experiment, theirs.inputs, number, cross_fitted=crossed)
    if crossed:
        several_subjects(experiment, their.labelled.intersection(own.train), f"{who} would learn")
    if distiller.fusion == "validation":
        refuse_known(own.validation, their.labelled, who)


def _shapes(experiment: Experiment, named: tuple[str, ...], who: str) -> Shapes:
    """Shapes of the layers that terms may compare, of the network that the experiment trains."""
    inputs, role, setting = experiment.inputs, experiment.recipe.student, experiment.setting
    model = new_model(role, inputs, experiment.classes)
    start_from(model, role.weights, experiment)
    if role.training.precision == "bfloat16":
        refuse_wrong_gradients(model.network, inputs.network_shape)
    if role.training.ridge is not None:
        unlabelled = bool(setting.unlabelled)
        fitted_classifier(experiment.recipe, model.network, inputs.network_shape, unlabelled=unlabelled)
    with as_recipe_error(f"distiller: the {who} does not fit"):
        return layer_shapes(model.network, inputs.network_shape, (*OUTPUT_LAYERS, *named))


def _build_terms(experiment: Experiment, student: Shapes, teacher: Shapes) -> None:
    """Build the terms and let them go; their size in samples is that of the training part."""
    samples, counts = len(experiment.setting.train), (1,) * experiment.classes
    new_distiller(experiment.recipe, term_context(experiment.recipe, student, teacher, samples, counts))
