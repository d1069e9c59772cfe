"""Which teachers are admitted: none that learned from recordings that are tested on, or from labels that are hidden."""

from collections.abc import Collection

from vskd.datasets.splits.split import Split
from vskd.distillation.experiment import Experiment
from vskd.distillation.label_setting import LabelSetting
from vskd.distillation.run import Learned, RunFolder
from vskd.errors import ProtocolError, first_few

NAMED = 5


def check_teacher_fits(experiment: Experiment, folder: RunFolder) -> None:
    """Refuse a teacher whose knowledge would make the student's figures dishonest.

    Its training recordings are compared one by one, and their subjects where the protocol keeps subjects apart: a
    teacher of another protocol is welcome where it saw nobody who is tested here.

    Raises:
        ProtocolError: it learned from recordings (or people) that this experiment validates or tests on, or from labels
            that this experiment hides; they are named.
    """
    learned, facts, split = folder.learned(), folder.facts(), experiment.split
    other = facts["protocol_hash"] != split.protocol_hash or facts["dataset"] != experiment.index.dataset
    if learned is None and other:  # nobody knows what it saw
        raise ProtocolError(f"{_another_split(folder, split)}", _SAME_SPLIT)
    if learned is not None:
        _check_recordings(experiment, folder, learned, other=other)
    _check_labels(experiment, folder, learned)


_SAME_SPLIT = "Train a teacher with the same protocol and data, or leave out --teacher-run"
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
