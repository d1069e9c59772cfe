"""Who trains on labels of people whom the protocol tests is told so: once, and only where it enrols them."""

from collections.abc import Callable
from pathlib import Path

import pytest

from vskd.cli.main import run
from vskd.datasets.recording import Index
from vskd.distillation import tested_labels
from vskd.distillation.experiment import read_index
from vskd.distillation.tested_labels import warn_of_tested_labels
from vskd.errors import RunError
from vskd.recipe import Recipe
from vskd.study.compare import compare
from vskd.study.controls import with_controls

MakeRecipe = Callable[..., Recipe]
HIDDEN = "labels.untested_subjects=true"


def protocol(folder: Path, rule: str) -> str:
    """The override that chooses a protocol of one's own."""
    file = folder / "own.yaml"
    rest = "name: own, version: 1, dataset: synthetic, description: own, disjoint: none, validation_unit: trial"
    file.write_text(f"{{{rest}, {rule}}}")
    return f"dataset.protocol={file}"


@pytest.fixture
def enrolling(tmp_path: Path) -> str:
    return protocol(tmp_path, 'split_by: subject-trial, folds: {"1": [1-2], two: [2-2, 3-2]}')


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A name of each recipe whose data set was indexed."""
    seen: list[str] = []

    def counted(recipe: Recipe) -> Index:
        seen.append(recipe.name)
        return read_index(recipe)

    monkeypatch.setattr("vskd.distillation.experiment.read_index", counted)
    return seen


def said(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [r.getMessage() for r in caplog.records if r.name == tested_labels.__name__]


def test_people_and_what_to_do_are_named(
    tiny: MakeRecipe, enrolling: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    warn_of_tested_labels([tiny(enrolling, "dataset.fold=two")], tmp_path / "cache")
    (text,) = said(caplog)
    assert "own, fold two tests subject(s) 2, 3," in text and text.endswith("--labels untested-subjects")


def test_hidden_labels_and_their_controls_are_silent(
    tiny: MakeRecipe, enrolling: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    hiding = tiny(enrolling, "dataset.fold=two", HIDDEN)
    for recipes in ([hiding], with_controls([hiding], ["all-labels"]), with_controls([hiding], ["all-labels"])[::-1]):
        warn_of_tested_labels(recipes, tmp_path / "cache")
    assert not said(caplog)


@pytest.mark.parametrize(
    "rule",
    [
        "split_by: trial, parts: {train: [1], test: [2]}",
        "split_by: subject, parts: {train: odd, test: even}",
        "split_by: subject-trial, parts: {train: [1-1, 2-1, 3-1, 4-1], test: [1-2, 2-2, 3-2, 4-2]}",
    ],
    ids=["everybody in both", "nobody in both", "everybody in both, by name"],
)
def test_protocols_that_enrol_nobody_are_silent(
    tiny: MakeRecipe, rule: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    warn_of_tested_labels([tiny(protocol(tmp_path, rule))], tmp_path / "cache")
    assert not said(caplog)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_comparison_says_it_once(
    tiny: MakeRecipe,
    enrolling: str,
    workers: int,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    looks: list[str],
) -> None:
    """Before the trainings, so that no worker says it again; by the look at the data that refuses them."""

    def stop(*_: object) -> None:
        raise RunError("enough", "Stop")

    monkeypatch.setattr("vskd.study.compare.run_jobs", stop)
    recipes = with_controls([tiny(enrolling, "dataset.fold=two")], ["none"])
    with pytest.raises(RunError, match="enough"):
        compare(recipes, [0, 1], tmp_path / "out", workers=workers)
    assert len(said(caplog)) == 1
    assert len(looks) == 1


@pytest.mark.parametrize("command", ["distill", "teach"])
def test_a_training_begins_by_the_same_look_at_the_data(
    command: str,
    enrolling: str,
    looks: list[str],
    synthetic_root: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def stop(*_: object, **__: object) -> None:
        raise RunError("enough", "Stop")

    monkeypatch.setattr("vskd.distillation.train._distill", stop)
    words = [command, "--recipe", "demo", "--data", str(synthetic_root), "--out", str(tmp_path / "run")]
    assert run([*words, "--set", enrolling, "--set", "dataset.fold=two"]) != 0
    assert len(looks) == 1


@pytest.mark.parametrize("command", ["distill", "teach"])
@pytest.mark.parametrize("hidden", [False, True])
def test_commands_say_it_before_the_training(
    command: str,
    hidden: bool,
    enrolling: str,
    synthetic_root: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def stop(*_: object, **__: object) -> None:
        raise RunError("enough", "Stop")

    monkeypatch.setattr(f"vskd.distillation.train.{command}", stop)
    words = [command, "--recipe", "demo", "--data", str(synthetic_root), "--out", str(tmp_path / "run")]
    for word in (enrolling, "dataset.fold=two", *([HIDDEN] if hidden else [])):
        words += ["--set", word]
    assert run(words) != 0
    told = capsys.readouterr().err
    assert "enough" in told and told.count("--labels untested-subjects") == (0 if hidden else 1)
