"""Going on from a finished student, e.g. where a camera session with new people follows (enrolment)."""

from pathlib import Path

from vskd.distillation.experiment import Experiment
from vskd.distillation.model import Model, initial_weights
from vskd.distillation.run import Learned, RunFolder
from vskd.errors import ProtocolError, RunError, first_few
from vskd.models.weights.state import load_state

NAMED = 5


def weights_file(weights: str) -> Path:
    """The file of a recipe's `weights`: that itself, or, where it is the folder of a run, the one in there."""
    path = Path(weights)
    return RunFolder(path).weights_file if path.is_dir() else path


def started_from(weights: str | None) -> tuple[RunFolder, ...]:
    """The run whose folder a recipe's `weights` name; none where they are a file, or nothing."""
    return (RunFolder(Path(weights)),) if weights is not None and Path(weights).is_dir() else ()


def start_from(model: Model, weights: str | None, experiment: Experiment) -> None:
    """Give a new model the weights that its recipe names: imported ones, or all of those of a finished run.

    Raises:
        CheckpointError: they are damaged, or of another network.
        RunError: the run is not finished.
        ProtocolError: it learned from recordings (or people) that are validated or tested on now, or from labels that
            are hidden now, or knows other classes.
    """
    if weights is None or not Path(weights).is_dir():
        initial_weights(model.network, weights)
        return
    folder = RunFolder.open(Path(weights))
    folder.require_complete()
    _check(folder, experiment)
    load_state(model, folder.weights_file)
    model.network.start_from(pretrained=False)  # they are of the same task: nothing of them is frozen


def _check(folder: RunFolder, experiment: Experiment) -> None:
    learned = folder.learned()
    if learned is None:
        raise RunError(f"{folder.path} does not say what it learned from", "Train it again, in a new folder")
    classes = folder.facts().get("classes")
    if classes != list(experiment.index.labels):
        raise ProtocolError(f"The student in {folder.path} knows other classes, or in another order", _OTHER)
    _refuse(folder, "validates or tests on", "recordings", _tested(experiment, learned))
    if experiment.split.disjoint == "subject":
        split = experiment.training_split(experiment.recipe.student.training)
        people = {experiment.recordings[i].subject for i in (*split.validation, *split.test)}
        _refuse(folder, "validates or tests on", "people", people.intersection(learned.subjects))
    hidden = experiment.setting.unlabelled.intersection(learned.labels)
    _refuse(folder, f"hides (labels: {experiment.setting.title}) the labels of", "recordings", hidden)


_OTHER = "Go on from a student of the same classes that learned from none of these, or leave out --student-run"


def _tested(experiment: Experiment, learned: Learned) -> set[str]:
    """Those of the validation and test part, by id or by content, that a run learned from."""
    split = experiment.training_split(experiment.recipe.student.training)
    kept = (*split.validation, *split.test)
    alike = {i for content, i in experiment.inputs.fingerprints(kept).items() if content in learned.contents}
    return alike.union(kept).intersection(alike.union(learned.train))


def _refuse(folder: RunFolder, does: str, what: str, shared: set[str] | frozenset[str]) -> None:
    if shared:
        named = first_few(sorted(shared), NAMED, ", ")
        raise ProtocolError(
            f"The student in {folder.path}: this run {does} {len(shared)} {what} that it learned from: {named}", _OTHER
        )
