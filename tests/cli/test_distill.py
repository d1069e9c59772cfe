"""`vskd distill`: the words become the recipe and the arguments that the library gets; and a real run."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import TINY, TINY_BUDGET, TINY_STUDENT
from tests.datasets.conftest import DRIVERS, write_image
from vskd.datasets.images.state_farm import CODES, LABELS
from vskd.distillation.run import RunFolder
from vskd.recipe import load_recipe

RESULT = ("RUN", 4, {"epoch": 4, "validation/accuracy": 0.875})


@pytest.fixture
def distilled(record) -> list[dict[str, Any]]:
    import vskd.distillation.train as train

    return record(train, "distill", train.TrainResult(Path(RESULT[0]), *RESULT[1:]))


def test_distill_with_plain_options_alone(vskd, distilled, tmp_path: Path) -> None:
    """The call that the README shows."""
    answer = vskd(
        *["distill", "--teacher", "trn", "--student", "resnet18", "--data", tmp_path],
        *["--protocol", "cross-subject", "--out", tmp_path / "RUN"],
    )
    assert answer.code == 0, answer.err
    (call,) = distilled
    assert call["recipe"] == load_recipe("vskd").updated(f"dataset.path={tmp_path}")
    assert (call["run"], call["teacher_runs"], call["cache"]) == (tmp_path / "RUN", (), None)
    assert answer.out.splitlines()[:2] == ["run                  RUN", "epoch kept           5"]
    assert "0.875" in answer.out


def test_distill_passes_every_option_on(vskd, distilled, tmp_path: Path) -> None:
    words = [
        "--distiller",
        "kd",
        "--seed",
        "4",
        "--epochs",
        "6",
        "--fold",
        "s2",
        "--sensor",
        "gyroscope",
        "--video",
        "rgb",
    ]
    files = ["--teacher-run", tmp_path / "T", "--cache", tmp_path / "C", "--out", tmp_path / "R"]
    answer = vskd("distill", *words, *files, "--set", "distiller.terms.kd.temperature=2", "--json")
    assert answer.code == 0, answer.err
    assert json.loads(answer.out) == {"run": "RUN", "epoch": 4, "figures": {"epoch": 4, "validation/accuracy": 0.875}}
    (call,) = distilled
    recipe = call["recipe"]
    assert (recipe.distiller.title, recipe.seed, recipe.student.training.epochs) == ("kd", 4, 6)
    assert (recipe.dataset.fold, recipe.student.sees.streams) == ("s2", ("gyroscope",))
    assert recipe.teachers[0].sees.streams == ("rgb",)
    assert [term.temperature for term in recipe.distiller.terms if term.title == "kd"] == [2]
    assert (call["teacher_runs"], call["cache"], call["run"]) == ((tmp_path / "T",), tmp_path / "C", tmp_path / "R")


def test_every_teacher_has_its_run(vskd, distilled, tmp_path: Path) -> None:
    words = ["--distiller", "none", "--teacher-run", tmp_path / "A", "--teacher-run", tmp_path / "B"]
    assert vskd("distill", *words, "--out", tmp_path / "R").code == 0
    (call,) = distilled
    assert call["teacher_runs"] == (tmp_path / "A", tmp_path / "B")
    assert call["recipe"].distiller.title == "none"


def test_an_unknown_key_stops_before_anything_is_written(vskd, distilled, tmp_path: Path) -> None:
    answer = vskd("distill", "--set", "student.training.epoch=3", "--out", tmp_path / "RUN")
    assert answer.code == 1
    assert "did you mean 'epochs'" in answer.err
    assert distilled == []
    assert not (tmp_path / "RUN").exists()


def real_words(comparison, root: Path) -> list[object]:
    """A small student of the finished comparison's teacher."""
    settings = [word for setting in (*TINY, *TINY_STUDENT) for word in ("--set", setting)]
    folders = ["--teacher-run", comparison.teacher, "--cache", comparison.out / "cache"]
    return ["distill", "--recipe", "demo", "--data", root, *settings, *folders]


def test_a_real_student_of_each_distiller(vskd, comparison_copy, synthetic_root: Path) -> None:
    words = real_words(comparison_copy, synthetic_root)
    for distiller, terms in (("none", {"cross_entropy"}), ("kd", {"cross_entropy", "kd"})):
        run = comparison_copy.out / distiller
        answer = vskd(*words, "--distiller", distiller, "--out", run, "--json")
        assert answer.code == 0, answer.err
        content = json.loads(answer.out)
        assert (content["run"], content["epoch"]) == (str(run), 0)
        logged = {name.removeprefix("train/") for name in content["figures"] if name.startswith("train/")}
        assert terms <= logged
        assert (run / "checkpoints" / "model.safetensors").is_file()
    assert "train/kd" not in (comparison_copy.out / "none" / "metrics.jsonl").read_text(encoding="utf-8")


def test_what_is_no_run_is_no_teacher(vskd, comparison_copy, synthetic_root: Path) -> None:
    words, cache = real_words(comparison_copy, synthetic_root), comparison_copy.out / "cache"
    words[words.index("--teacher-run") + 1] = cache
    answer = vskd(*words, "--out", comparison_copy.out / "new")
    assert (answer.code, answer.out) == (1, "")
    assert f"{cache} is not a run folder" in answer.err and answer.err.count("\n") == 1
    assert not (comparison_copy.out / "new").exists()


def test_a_finished_student_can_teach_another(vskd, comparison_copy, synthetic_root: Path) -> None:
    """Teachers are trained as students are, so their runs are of one kind."""
    words, run = real_words(comparison_copy, synthetic_root), comparison_copy.out / "new"
    words[words.index("--teacher-run") + 1] = comparison_copy.no_kd
    cached = ("--set", "distiller.teacher_outputs=cached")
    answer = vskd(*words, "--distiller", "kd", *cached, "--out", run)
    assert answer.code == 0, answer.err
    assert RunFolder.open(run).teacher_runs() == (comparison_copy.no_kd,)
    assert "train/kd" in (run / "metrics.jsonl").read_text(encoding="utf-8")


def test_a_teacher_of_another_protocol_is_refused(vskd, comparison_copy, synthetic_root: Path) -> None:
    """It has seen the people that this run tests on."""
    words = real_words(comparison_copy, synthetic_root)
    everybody = ("--set", "student.training.validation=none", "--set", "student.training.select=last")
    answer = vskd(*words, *everybody, "--protocol", "subject-specific", "--out", comparison_copy.out / "new")
    assert (answer.code, answer.out) == (1, "")
    assert "was trained on another split" in answer.err
    assert not (comparison_copy.out / "new").exists()


def write_state_farm(root: Path) -> Path:
    """The original layout: every class of six drivers."""
    rows = ["subject,classname,img"]
    for driver in DRIVERS:
        for code in CODES:
            path = write_image(root / "imgs" / "train" / code / f"{driver}-{code}.jpg", seed=len(rows))
            rows.append(f"{driver},{code},{path.name}")
    (root / "driver_imgs_list.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return root


def write_parts(root: Path, classes: tuple[str, ...]) -> Path:
    """`train/CLASS` with five images each, `test/CLASS` with one."""
    for number, name in enumerate(classes):
        for image in range(6):
            part = "train" if image else "test"
            write_image(root / part / name / f"{number}-{image}.jpg", seed=10 * number + image)
    return root


def write_auc(root: Path) -> Path:
    return write_parts(root, LABELS)


def write_own(root: Path) -> Path:
    return write_parts(root, ("hands off", "hands on"))


def tiny_words(dataset: str, root: Path, out: Path) -> list[object]:
    """What a driver-monitoring engineer types, made small."""
    settings = [word for setting in (*TINY_BUDGET, "teachers.0.training.epochs=1") for word in ("--set", setting)]
    return [
        "distill",
        "--dataset",
        dataset,
        "--data",
        root,
        *settings,
        "--set",
        "student.training.epochs=1",
        "--out",
        out,
    ]


@pytest.mark.parametrize(
    ("dataset", "write", "trained"),
    [("state-farm", write_state_farm, 40), ("auc", write_auc, 50), ("image-folder", write_own, 10)],
)
def test_data_without_boxes_need_nothing_but_their_name(
    vskd, tmp_path: Path, dataset: str, write: Callable[[Path], Path], trained: int
) -> None:
    run = tmp_path / "RUN"
    answer = vskd(*tiny_words(dataset, write(tmp_path / "data"), run), "--json")
    assert answer.code == 0, answer.err
    assert (run / "checkpoints" / "model.safetensors").is_file()
    recipe, training = load_recipe(str(run / "recipe.yaml")), RunFolder.open(run).training()
    assert (recipe.name, recipe.dataset.name) == ("krca", dataset)
    for sees in (recipe.student.sees, recipe.teachers[0].sees):
        assert (sees.crop, sees.grey) == ("full", False)
    assert training["train"] + len(training["validation"]) == trained


@pytest.mark.parametrize(
    ("dataset", "write", "words", "needles"),
    [
        ("state-farm", write_state_farm, ["--protocol", "official"], ["'test' empty", "--protocol: driver-folds"]),
        ("state-farm", write_auc, [], ["nobody knows whose", "--protocol: official"]),
        ("image-folder", lambda root: write_own(root) / "train", [], ["'train' empty", "datasets info image-folder"]),
    ],
    ids=["original layout", "no drivers", "no parts"],
)
def test_a_protocol_that_does_not_fit_the_folder_is_refused_with_what_does(
    vskd, tmp_path: Path, dataset: str, write: Callable[[Path], Path], words: list[str], needles: list[str]
) -> None:
    answer = vskd(*tiny_words(dataset, write(tmp_path / "data"), tmp_path / "RUN"), *words)
    assert (answer.code, answer.out) == (1, "")
    assert answer.err.count("\n") == 1 and all(needle in answer.err for needle in needles), answer.err
    assert not (tmp_path / "RUN").exists()


def test_a_student_to_go_on_from(vskd, distilled, tmp_path: Path) -> None:
    assert vskd("distill", "--student-run", tmp_path / "R", "--out", tmp_path / "ON").code == 0
    (call,) = distilled
    assert call["recipe"].student.weights == str(tmp_path / "R")


@pytest.mark.parametrize(("words", "rounds"), [([], None), (["--rounds", 1], None), (["--rounds", 3], 3)])
def test_rounds_reach_the_library(
    vskd, distilled, record, tmp_path: Path, words: list[object], rounds: int | None
) -> None:
    import vskd.distillation.train as train
    import vskd.study.rounds as library

    many = record(library, "distill_in_rounds", train.TrainResult(Path("LAST"), 2, {"epoch": 2}))
    files = ["--teacher-run", tmp_path / "T", "--cache", tmp_path / "C", "--out", tmp_path / "R", "--json"]
    answer = vskd("distill", *words, *files)
    assert answer.code == 0, answer.err
    calls, other = (distilled, many) if rounds is None else (many, distilled)
    assert other == [] and calls[0].get("rounds") == rounds
    assert list(calls[0].values())[1:3] == [tmp_path / "R", (tmp_path / "T",)] and calls[0]["cache"] == tmp_path / "C"
    assert json.loads(answer.out)["run"] == ("RUN" if rounds is None else "LAST")
    assert calls[0]["ready"].__name__ == "foretell"


def test_the_recipe_and_the_labels_reach_the_library(vskd, distilled, tmp_path: Path) -> None:
    words = ["--recipe", "wrist", "--dataset", "synthetic", "--protocol", "leave-one-subject-out", "--fold", "3"]
    assert vskd("distill", *words, "--labels", "subjects=1,3", "--out", tmp_path / "R").code == 0
    recipe = distilled[0]["recipe"]
    assert (recipe.name, recipe.dataset.name, recipe.dataset.protocol) == (
        "wrist",
        "synthetic",
        "leave-one-subject-out",
    )
    assert (recipe.dataset.fold, recipe.labels.subjects) == ("3", ("1", "3"))
