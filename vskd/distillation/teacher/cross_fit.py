"""Cross-fitting: what a teacher says of a training subject comes from one that never saw that subject.

Of its own training recordings a teacher knows the labels by heart; what it says there (near one-hot, hardly ever wrong)
is not what it says of recordings that nobody labelled, and a student learns from both. So a teacher is trained again
without each subject in turn, with the same settings and number of epochs, and speaks of that subject alone (as in
stacking: Wolpert, "Stacked Generalization", 1992; "cross-fitting": Chernozhukov et al., "Double/debiased machine
learning", 2018). Of people whose labels it did not learn from (those without labels, of validation and test) speaks the
teacher itself; their recordings taught it nothing, but for BatchNorm's statistics.
"""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from urllib.parse import quote

import torch
from torch import Tensor

from vskd.distillation.experiment import Experiment
from vskd.distillation.going_on import started_from
from vskd.distillation.run import RunFolder
from vskd.distillation.teacher.cache import Answers
from vskd.errors import RecipeError, natural_order
from vskd.network import Outputs
from vskd.recipe import Recipe


def fold_subjects(experiment: Experiment, folder: RunFolder) -> tuple[str, ...]:
    """The subjects of a student's training part whose labels a finished teacher learned from.

    Raises:
        RecipeError: it is one person, so that nobody would be left to learn from; or the run does not say.
    """
    learned = folder.learned()
    if learned is None:
        raise RecipeError(
            f"teachers.cross_fit: the teacher in {folder.path} does not say whom it learned from", "Train it anew"
        )
    train = set(experiment.training_split(experiment.recipe.student.training).train)
    taught = train.intersection(learned.train, learned.labels)
    return several_subjects(experiment, taught, f"the teacher in {folder.path} learned")


def several_subjects(experiment: Experiment, taught: Collection[str], who: str) -> tuple[str, ...]:
    """The subjects of recordings whose labels a teacher learns from.

    Args:
        experiment: the student's.
        taught: of its training part.
        who: the teacher, and its verb.

    Raises:
        RecipeError: it is one person, so that nobody would be left to learn from.
    """
    subjects = natural_order(experiment.recordings[i].subject for i in taught)
    if len(subjects) < 2:
        raise RecipeError(
            f"teachers.cross_fit: {who} from labels of one subject "
            f"({', '.join(subjects) or 'none of this training part'}), without whom there are none",
            "Leave cross_fit out, or let more subjects carry labels",
        )
    return subjects


def fold_run(teacher_run: Path, subject: str) -> Path:
    """Where the teacher without a subject lies: beside the teacher itself."""
    return teacher_run.with_name(f"{teacher_run.name}-without-{quote(subject, safe='')}")


def fold_recipe(teacher: Recipe, subject: str, data: str | None) -> Recipe:
    """By what the teacher is trained again without a subject.

    Args:
        teacher: its own recipe.
        subject: who is left out.
        data: where the data set lies now.

    Raises:
        RecipeError: it had a teacher itself, or went on from another run, who saw the subject.
    """
    if teacher.distiller.needs_teacher:
        raise RecipeError(
            f"teachers.cross_fit: the teacher of recipe {teacher.name} had a teacher itself, who saw every subject",
            "Leave cross_fit out, or name a teacher that was trained by `vskd teach`",
        )
    if started_from(teacher.student.weights):
        raise RecipeError(
            f"teachers.cross_fit: the teacher of recipe {teacher.name} went on from {teacher.student.weights}, which "
            "saw every subject",
            "Leave cross_fit out, or teachers.0.weights",
        )
    dataset = teacher.dataset.model_copy(update={"path": data, "leave_out": (subject,)})
    return teacher.model_copy(update={"dataset": dataset})


class CrossFitted:
    """Answers of several teachers to questions about different recordings, as one.

    Args:
        rest: of the teacher itself.
        folds: recording -> answers of the teacher that speaks of it instead.
    """

    def __init__(self, rest: Answers, folds: Mapping[str, Answers]) -> None:
        self._rest, self._folds = rest, folds
        self.ids = frozenset(i for i in rest.ids if i not in folds) | frozenset(
            i for i, answers in folds.items() if i in answers.ids
        )
        self.shapes = rest.shapes

    def outputs(self, ids: Sequence[str]) -> tuple[Outputs, tuple[str, ...], Tensor]:
        """See `TeacherCache.outputs`."""
        asked: dict[int, tuple[Answers, list[int]]] = {}
        for position, recording in enumerate(ids):
            answers = self._folds.get(recording, self._rest)
            asked.setdefault(id(answers), (answers, []))[1].append(position)
        positions = [position for _, own in asked.values() for position in own]
        said = [answers.outputs([ids[p] for p in own]) for answers, own in asked.values()]
        order = torch.tensor(positions).argsort()
        features = {name: torch.cat([one.features[name] for one, _, _ in said])[order] for name in said[0][0].features}
        logits, embedding = (
            torch.cat([getattr(one, layer) for one, _, _ in said])[order] for layer in ("logits", "embedding")
        )
        named = [name for _, own, _ in said for name in own]
        labels = torch.cat([own for _, _, own in said])[order]
        return Outputs(logits, embedding, features), tuple(named[k] for k in order.tolist()), labels
