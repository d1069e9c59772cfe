"""Which teachers are admitted: none that learned from recordings that are tested on, or from labels that are hidden."""

import logging
from collections.abc import Collection, Sequence

from vskd.datasets.splits.split import Split
from vskd.distillation.experiment import Experiment
from vskd.distillation.label_setting import LabelSetting
from vskd.distillation.run import Learned, RunFolder
from vskd.errors import ProtocolError, first_few
from vskd.modalities.base import Inputs

logger = logging.getLogger(__name__)

NAMED = 5


def check_teacher_fits(experiment: Experiment, folder: RunFolder, inputs: Inputs) -> None:
    """Refuse a teacher whose knowledge would make the student's figures dishonest.

    Its training recordings are compared one by one, by id and by content, and their subjects where the protocol keeps
    subjects apart: a teacher of another protocol is welcome where it saw nobody who is tested here.

    Args:
        experiment: the student's.
        folder: the teacher's run.
        inputs: what it sees of the experiment's recordings.

    Raises:
        ProtocolError: its classes or their order are others; or it learned from recordings (or people) that this
            experiment validates or tests on, or from labels that this experiment hides; they are named.
    """
    learned, facts, split = folder.learned(), folder.facts(), experiment.split
    _check_classes(experiment, folder)
    other = facts["protocol_hash"] != split.protocol_hash or facts["dataset"] != experiment.index.dataset
    if learned is None and other:  # nobody knows what it saw
        raise ProtocolError(f"{_another_split(folder, split)}", _SAME_SPLIT)
    if learned is not None:
        _check_recordings(experiment, folder, learned, other=other)
    _check_labels(experiment, folder, learned)
    if learned is not None and learned.contents:
        _check_contents(experiment, folder, learned, inputs)
    else:
        logger.warning(
            "The teacher in %s does not say by content what it learned from: recordings that it saw under other ids "
            "cannot be told from new ones",
            folder.path,
        )


_SAME_SPLIT = (
    "Train a teacher with the same protocol, data and validation part (teachers.N.training.validation), or name another"
)
_SAME_LABELS = "Train a teacher with the same `labels` and the same validation part, or leave out --teacher-run"


def _another_split(folder: RunFolder, split: Split) -> str:
    return (
        f"The teacher in {folder.path} was trained on another split ({folder.facts()['protocol']}) "
        f"than this run ({split.protocol})"
    )


def _check_recordings(experiment: Experiment, folder: RunFolder, learned: Learned, *, other: bool) -> None:
    split = experiment.split
    if folder.facts()["dataset"] != experiment.index.dataset:
        raise ProtocolError(f"The teacher in {folder.path} is of the data set {folder.facts()['dataset']}", _SAME_SPLIT)
    kept = {*split.validation, *split.test}
    shared, what = sorted(kept.intersection(learned.train)), "recordings"
    if not shared and split.disjoint == "subject":
        shared, what = sorted({experiment.recordings[i].subject for i in kept}.intersection(learned.subjects)), "people"
    if not shared:
        return
    begin = f"{_another_split(folder, split)}, which" if other else f"The teacher in {folder.path}: this run"
    raise ProtocolError(
        f"{begin} validates or tests on {len(shared)} {what} that the teacher was trained on: "
        f"{first_few(shared, NAMED, ', ')}",
        _SAME_SPLIT,
    )


def _check_classes(experiment: Experiment, folder: RunFolder) -> None:
    """Logits go by class number: what the teacher calls 3 must be what the student calls 3."""
    theirs, own = folder.facts().get("classes"), list(experiment.index.labels)
    if theirs is None:
        logger.warning("The teacher in %s does not say which classes it knows, in which order", folder.path)
    elif theirs != own:
        raise ProtocolError(
            f"The teacher in {folder.path} {_other_classes(theirs, own)}",
            "Train a teacher with the same classes, or leave out --teacher-run",
        )


def _other_classes(theirs: Sequence[str], own: Sequence[str]) -> str:
    if sorted(theirs) == sorted(own):
        first = next(n for n, (one, other) in enumerate(zip(theirs, own, strict=True)) if one != other)
        return f"knows the classes in another order: number {first} is '{theirs[first]}', here it is '{own[first]}'"
    only = [f"'{name}' here only" for name in own if name not in theirs]
    only += [f"'{name}' there only" for name in theirs if name not in own]
    return f"knows {len(theirs)} other classes than the {len(own)} here: {first_few(only, NAMED, ', ')}"


def _check_contents(experiment: Experiment, folder: RunFolder, learned: Learned, inputs: Inputs) -> None:
    kept = (*experiment.split.validation, *experiment.split.test)
    shared = {own: learned.contents[c] for c, own in inputs.fingerprints(kept).items() if c in learned.contents}
    if shared:
        named = first_few([f"{own} (there {theirs})" for own, theirs in sorted(shared.items())], NAMED, ", ")
        raise ProtocolError(
            f"The teacher in {folder.path} was trained on {len(shared)} recordings that this run validates or tests "
            f"on: {named} hold the same {inputs.name}",
            _SAME_SPLIT,
        )


def _check_labels(experiment: Experiment, folder: RunFolder, learned: Learned | None) -> None:
    if not experiment.unlabelled:
        return
    facts, own = folder.facts(), experiment.setting
    if learned is None:
        if facts.get("labels_hash") != own.hash:
            raise ProtocolError(
                f"The teacher in {folder.path} was trained with other labels ({facts.get('labels', 'all')}) than this "
                f"run ({own.title})",
                _SAME_LABELS,
            )
        return
    refuse_hidden(own, learned.labels, f"The teacher in {folder.path}", str(facts.get("labels", "all")))


def refuse_hidden(own: LabelSetting, used: Collection[str], who: str, theirs: str) -> None:
    """Refuse a teacher that knows labels that the student's setting hides.

    Args:
        own: the student's.
        used: recordings whose labels the teacher learned from, or selected its epoch by.
        who: begins the message; theirs: title of the teacher's setting.

    Raises:
        ProtocolError: the recordings are named.
    """
    known = sorted(own.unlabelled.intersection(used))
    if known:
        raise ProtocolError(
            f"{who} uses the labels ({theirs}) of {len(known)} recordings that this run hides (labels: {own.title}): "
            f"{first_few(known, NAMED, ', ')}",
            _SAME_LABELS,
        )
