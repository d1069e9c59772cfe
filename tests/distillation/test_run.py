"""A run folder accepts its own experiment again, and nothing else."""

import json
import logging
import os
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import pytest
import torch

from vskd.distillation import run as run_module
from vskd.distillation.run import SEALED, WEIGHTS, Learned, RunFolder, log_to_file
from vskd.distillation.train import distill
from vskd.errors import CheckpointError, RecipeError, RunError
from vskd.files import write_text
from vskd.recipe import Recipe
from vskd.sums import SumsError

FACTS = {
    **{"data_hash": "d", "split_hash": "s", "labels_hash": "l", "weights_hash": "w", "teacher_hashes": ["t"]},
    **{"cache": "../cache", "role": "student"},
    **{"dataset": "synthetic", "protocol": "cross-subject", "protocol_hash": "p"},
}


@pytest.fixture
def begun(tiny: Callable[..., Recipe], tmp_path: Path) -> RunFolder:
    folder = RunFolder(tmp_path / "run")
    folder.begin(tiny(), FACTS)
    return folder


def test_what_was_written_is_read(begun: RunFolder, tiny: Callable[..., Recipe]) -> None:
    opened = RunFolder.open(begun.path)
    assert opened.role == "student"
    assert opened.recipe() == tiny()
    assert FACTS.items() <= opened.facts().items()
    assert opened.beside("cache") == begun.path.parent / "cache"
    assert opened.beside("reports") is None
    assert opened.teacher_runs() == ()
    assert opened.metrics() == []


def test_the_same_experiment_may_begin_again(begun: RunFolder, tiny: Callable[..., Recipe], tmp_path: Path) -> None:
    """The data may have moved, and what does not decide a student may have changed."""
    begun.begin(tiny("teachers.0.network.dropout=0.1", "export.calibration_recordings=5", root=tmp_path), FACTS)


@pytest.mark.parametrize("key", [*FACTS][:5])
def test_other_data_or_another_teacher_are_refused(begun: RunFolder, tiny: Callable[..., Recipe], key: str) -> None:
    with pytest.raises(RunError, match=f"different: {key}"):
        begun.begin(tiny(), {**FACTS, key: "other"})


def test_what_of_the_data_changed_is_named(tiny: Callable[..., Recipe], tmp_path: Path) -> None:
    folder, other = RunFolder(tmp_path / "run"), {**FACTS, "data_hash": "other"}
    rows = {i: {"labels": "l", "rgb": i} for i in "abc"}
    folder.begin(tiny(), FACTS, Learned((), (), ()), rows)
    now = {"a": rows["a"], "b": {"labels": "m", "rgb": "x"}, "d": rows["c"]}
    told = r"different: data_hash, 3 recording\(s\) changed: d \(new\), c \(gone\), b \(labels, rgb\)\)"
    with pytest.raises(RunError, match=told):
        folder.begin(tiny(), other, data=now)
    with pytest.raises(RunError, match="data_hash, the classes or their order"):
        folder.begin(tiny(), other, data=rows)
    with pytest.raises(RunError, match=r"8 recording.*and 3 more"):
        folder.begin(tiny(), other, data={i: {"labels": i} for i in "abcdefgh"})
    folder.data_file.unlink()
    with pytest.raises(RunError, match="data_hash, recorded by an earlier version, without their content"):
        folder.begin(tiny(), other, data=rows)


def test_another_recipe_is_refused(begun: RunFolder, tiny: Callable[..., Recipe]) -> None:
    with pytest.raises(RunError, match="different: seed, distiller"):
        begun.begin(tiny("seed=9", "distiller=none"), FACTS)


def test_a_strange_folder_is_left_alone(tiny: Callable[..., Recipe], tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("dear")
    with pytest.raises(RunError, match="not empty and is not a run folder"):
        RunFolder(tmp_path).begin(tiny(), FACTS)
    with pytest.raises(RunError, match="is not a run folder"):
        RunFolder.open(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.txt"]


def test_an_unfinished_run_is_not_complete(begun: RunFolder) -> None:
    with pytest.raises(RunError, match="has not finished"):
        begun.require_complete()


def test_the_log_goes_to_the_file(tmp_path: Path) -> None:
    handler = log_to_file(tmp_path / "run" / "run.log")
    try:
        logging.getLogger("vskd.something").warning("a line")
    finally:
        logging.getLogger("vskd").removeHandler(handler)
        handler.close()
    assert "a line" in (tmp_path / "run" / "run.log").read_text()


def log_to_a_full_disk(full: Path) -> None:
    full.symlink_to("/dev/full")
    handler = log_to_file(full)
    try:
        for number in range(3):
            logging.getLogger("vskd.something").warning("line %d", number)
    finally:
        logging.getLogger("vskd").removeHandler(handler)
        handler.close()


def test_a_full_disk_stops_the_log_and_not_the_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger("vskd"), "propagate", False)  # other handlers are not what is tested
    log_to_a_full_disk(tmp_path / "run.log")
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize("finished", [True, False])
def test_versions_on_record_are_those_that_made_the_run(
    begun: RunFolder, tiny: Callable[..., Recipe], monkeypatch: pytest.MonkeyPatch, finished: bool
) -> None:
    made_with = begun.facts()["python"]
    if finished:
        write_text(begun.training_file, "{}")
        write_text(begun.weights_file, "weights")
    monkeypatch.setattr(run_module.platform, "python_version", lambda: "9.9")
    begun.begin(tiny(), {**FACTS, "cache": "../moved"})
    assert begun.facts()["python"] == (made_with if finished else "9.9")
    assert begun.facts()["cache"] == "../moved"


def test_another_recipe_is_refused_before_a_teacher_is_trained(
    tiny: Callable[..., Recipe], synthetic_root: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    RunFolder(run).begin(tiny("seed=9", root=synthetic_root), FACTS)
    with pytest.raises(RunError, match="another recipe"):
        distill(tiny(root=synthetic_root), run)
    assert [p.name for p in tmp_path.iterdir()] == ["run"]


def test_teachers_are_named_from_the_run(begun: RunFolder, tiny: Callable[..., Recipe]) -> None:
    begun.begin(tiny(), {**FACTS, "teacher_runs": ["../teacher", "../../others/teacher"]})
    parent = begun.path.parent
    assert begun.teacher_runs() == (parent / "teacher", parent.parent / "others" / "teacher")


@pytest.mark.parametrize(
    "part", ["student.training.epochs=9", "student.sees.augmentation.jitter=0.5", "dataset.fold='1'"]
)
def test_what_decides_a_run_may_not_change(begun: RunFolder, tiny: Callable[..., Recipe], part: str) -> None:
    with pytest.raises(RunError, match=f"another recipe .different: {part.split('.')[0]}"):
        begun.check_recipe(tiny(part))


def test_a_run_of_before_there_were_roles_says_what_to_do(tiny: Callable[..., Recipe], tmp_path: Path) -> None:
    """One sentence from whatever is done with it, and nothing of it is changed."""
    write_text(tmp_path / "recipe.yaml", "name: vskd\nseed: 0\nencoding: {method: gasf}\ntraining: {epochs: 3}\n")
    write_text(tmp_path / "environment.json", '{"kind": "student"}')
    before = (tmp_path / "recipe.yaml").read_bytes()
    folder = RunFolder.open(tmp_path)
    for use in (folder.recipe, folder.require_complete, lambda: folder.check_recipe(tiny())):
        with pytest.raises(RecipeError) as caught:
            use()
        assert str(tmp_path) in str(caught.value)
        assert "a run folder of that time must be trained again" in str(caught.value)
    with pytest.raises(RecipeError, match="must be trained again"):
        distill(tiny(), tmp_path)
    assert (tmp_path / "recipe.yaml").read_bytes() == before


@pytest.fixture
def trained(begun: RunFolder) -> RunFolder:
    """A sealed run with invented content."""
    begun.learned_file.write_text("{}")
    begun.data_file.write_text("{}")
    begun.metrics_file.write_text('{"epoch": 0}\n')
    begun.trainer_file.parent.mkdir()
    begun.trainer_file.write_text("state")
    with begun.sums.replacing(WEIGHTS) as temporary:
        temporary.write_text("weights")
    begun.training_file.write_text("{}")
    assert not begun.complete, "before it is sealed, what it is resumed from still counts"
    begun.seal()
    return begun


def test_a_sealed_run_is_complete_and_its_hashes_are_on_record(trained: RunFolder) -> None:
    assert trained.complete
    assert trained.sealed
    assert set(trained.sums.recorded()) == set(SEALED)
    assert not trained.trainer_file.exists()
    trained.require_complete()


@pytest.mark.parametrize("name", SEALED)
@pytest.mark.parametrize("damage", [lambda c: b"", lambda c: c[: len(c) // 2], lambda c: bytes([c[0] ^ 1]) + c[1:]])
def test_a_damaged_run_is_refused_and_the_file_named(
    trained: RunFolder, name: str, damage: Callable[[bytes], bytes]
) -> None:
    (trained.path / name).write_bytes(damage((trained.path / name).read_bytes()))
    with pytest.raises(CheckpointError, match=rf"{trained.path / name} changed or was damaged.*delete {trained.path} "):
        trained.check_intact()


def test_a_damaged_record_is_refused(trained: RunFolder) -> None:
    trained.sums.file.write_bytes(b"")
    with pytest.raises(SumsError, match="SHA256SUMS is damaged"):
        trained.require_complete()


def test_weights_that_were_damaged_before_the_end_are_not_sealed(trained: RunFolder) -> None:
    trained.weights_file.write_text("Weights")
    with pytest.raises(CheckpointError, match=r"model\.safetensors is damaged"):
        trained.seal()


def test_what_is_said_anew_of_a_sealed_run_is_on_record(trained: RunFolder, tiny: Callable[..., Recipe]) -> None:
    trained.begin(tiny().model_copy(update={"name": "renamed"}), {**FACTS, "cache": "../moved"})
    assert trained.recipe().name == "renamed"
    trained.check_intact()


def test_a_run_of_before_hashes_were_recorded_is_used_with_a_warning(
    trained: RunFolder, caplog: pytest.LogCaptureFixture
) -> None:
    trained.sums.file.unlink()
    with caplog.at_level("WARNING", logger="vskd"):
        trained.require_complete()
    assert f"{trained.path} was made before hashes were recorded" in caplog.text


def test_what_a_killed_beginning_left_is_no_foreign_content(tiny: Callable[..., Recipe], tmp_path: Path) -> None:
    (tmp_path / ".recipe.abcd1234.tmp.yaml").write_text("half")
    (tmp_path / ".lock").touch()
    folder = RunFolder(tmp_path)
    folder.check_recipe(tiny())
    with folder.writing():
        assert [p.name for p in tmp_path.iterdir()] == [".lock"]
    assert list(tmp_path.iterdir()) == []


def test_another_number_of_threads_is_noticed_when_a_run_goes_on(
    begun: RunFolder, tiny: Callable[..., Recipe], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = torch.get_num_threads()
    monkeypatch.setattr(torch, "get_num_threads", lambda: before + 1)
    begun.begin(tiny(), FACTS)
    assert "thread(s)" not in caplog.text  # nothing was trained yet
    begun.trainer_file.parent.mkdir()
    begun.trainer_file.write_bytes(b"state")
    begun.begin(tiny(), FACTS)  # as it was begun now
    assert "thread(s)" not in caplog.text
    monkeypatch.setattr(torch, "get_num_threads", lambda: before)
    begun.begin(tiny(), FACTS)
    assert f"was begun with {before + 1} thread(s) and goes on with {before}" in caplog.text
    assert f"OMP_NUM_THREADS={before + 1}" in caplog.text


def test_the_lock_of_a_process_that_was_killed_at_the_end_is_removed(trained: RunFolder) -> None:
    (trained.path / ".lock").touch()
    trained.tidy()
    assert not (trained.path / ".lock").exists()
    with trained.writing():
        trained.tidy()
        assert (trained.path / ".lock").exists()


WHOLE = {
    "environment.json": "",
    "training.json": json.dumps(
        {"epochs": 2, "selected_epoch": 1, "select": "best", "seconds": 1.5, "train": 6, "validation": ["a"]}
        | {"parameters": 10}
    ),
    "learned.json": json.dumps({"train": ["a"], "subjects": ["1"], "labels": ["a"]}),
    "metrics.jsonl": json.dumps({"epoch": 0, "seconds": 0.1, "train/loss": 1.0}) + "\n",
}
READ = {
    "environment.json": RunFolder.facts,
    "training.json": RunFolder.training,
    "learned.json": RunFolder.learned,
    "metrics.jsonl": RunFolder.metrics,
}


@pytest.mark.parametrize("damage", [b"", b"\xff", b"{", b"[]", b"null", b"3", b'{"epoch": "x"}', b'{"epochs": -1}'])
@pytest.mark.parametrize("name", WHOLE)
def test_a_damaged_file_of_a_run_is_named(begun: RunFolder, name: str, damage: bytes) -> None:
    """Whatever is wrong with it; an empty metrics.jsonl is one without epochs."""
    path = begun.path / name
    path.write_text(WHOLE[name] or path.read_text(encoding="utf-8"), encoding="utf-8")
    assert READ[name](begun)
    path.write_bytes(damage)
    if (name, damage) == ("metrics.jsonl", b""):
        assert begun.metrics() == []
        return
    with pytest.raises(RunError) as caught:
        READ[name](begun)
    assert str(path) in str(caught.value) and "Restore it from a copy, or delete" in str(caught.value)


def test_a_damaged_row_is_named_by_its_line(begun: RunFolder) -> None:
    begun.metrics_file.write_text(WHOLE["metrics.jsonl"] + '{"epoch": 1, "train/loss": "x"}\n', encoding="utf-8")
    with pytest.raises(RunError, match=r"metrics.jsonl, line 2 is damaged: train/loss"):
        begun.metrics()


def test_keys_of_other_versions_are_kept(begun: RunFolder) -> None:
    write_text(begun.environment_file, json.dumps({**begun.facts(), "of_tomorrow": [1]}))
    assert begun.facts()["of_tomorrow"] == [1]


def test_the_state_that_a_sealed_run_was_resumed_from_is_removed(
    trained: RunFolder, tiny: Callable[..., Recipe]
) -> None:
    trained.trainer_file.write_text("state")
    assert trained.complete
    trained.begin(tiny(), FACTS)
    assert not trained.trainer_file.exists()


LEARNED = Learned(("r1", "r2"), ("anna",), ("clap", "wave"), {"r1": "ab" * 32, "r2": "cd" * 32})


def test_what_a_run_learned_from_is_read_as_it_was_written(tiny: Callable[..., Recipe], tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    assert folder.learned() is None
    folder.begin(tiny(), FACTS, LEARNED, {"r1": {"rgb": "x"}})
    assert folder.learned() == LEARNED
    assert json.loads(folder.data_file.read_text()) == {"r1": {"rgb": "x"}}
    content = json.loads(folder.learned_file.read_text())
    del content["contents"]  # of a run of before they were written down
    write_text(folder.learned_file, json.dumps(content))
    assert folder.learned() == Learned(LEARNED.train, LEARNED.subjects, LEARNED.labels, {})


def test_a_finished_run_keeps_what_it_learned_from(begun: RunFolder, tiny: Callable[..., Recipe]) -> None:
    begun.begin(tiny(), FACTS, LEARNED, {})
    write_text(begun.training_file, "{}")
    write_text(begun.weights_file, "weights")
    begun.begin(tiny(), FACTS, Learned((), (), ()), {"r9": {}})
    assert begun.learned() == LEARNED and begun.data_file.read_text().strip() == "{}"


def test_a_run_is_complete_with_weights_and_figures_and_nothing_to_resume_from(begun: RunFolder) -> None:
    assert not begun.complete
    write_text(begun.training_file, "{}")
    assert not begun.complete
    write_text(begun.weights_file, "weights")
    assert begun.complete and not begun.sealed
    write_text(begun.trainer_file, "state")
    assert not begun.complete


@pytest.mark.parametrize("name", ["recipe.yaml", "environment.json"])
def test_a_run_folder_has_both_of_its_first_files(begun: RunFolder, name: str) -> None:
    (begun.path / name).unlink()
    with pytest.raises(RunError, match=r"no recipe\.yaml and environment\.json"):
        RunFolder.open(begun.path)


def test_a_folder_without_a_recipe_has_none(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"is not a run folder: it has no recipe\.yaml"):
        RunFolder(tmp_path).recipe()


def test_a_role_that_was_not_written_down_is_a_student_s(begun: RunFolder) -> None:
    facts = begun.facts()
    del facts["role"]
    write_text(begun.environment_file, json.dumps(facts))
    assert begun.role == "student"
    write_text(begun.environment_file, json.dumps({**facts, "role": "teacher"}))
    assert begun.role == "teacher"


def test_facts_that_a_run_of_earlier_days_lacks_are_no_difference(
    begun: RunFolder, tiny: Callable[..., Recipe]
) -> None:
    facts = begun.facts()
    del facts["labels_hash"]
    write_text(begun.environment_file, json.dumps(facts))
    begun.begin(tiny(), FACTS)
    assert begun.facts()["labels_hash"] == "l"
    begun.begin(tiny(), {key: value for key, value in FACTS.items() if key != "weights_hash"})


def test_what_a_run_is_made_of_and_made_with() -> None:
    assert (
        *("recipe.yaml", "environment.json", "learned.json", "data.json", "metrics.jsonl", "training.json"),
        "checkpoints/model.safetensors",
    ) == SEALED
    assert (
        *("data_hash", "protocol_hash", "split_hash", "labels_hash", "weights_hash", "teacher_hashes", "teachers_say"),
    ) == run_module.SAME
    facts = run_module.environment()
    packages = ["torch", "torchvision", "lightning", "numpy", "scipy", "h5py", "scikit-learn", "av"]
    assert facts["packages"] == {name: metadata.version(name) for name in packages}
    assert list(facts) == ["vskd", "python", "packages", "machine", "cpu_count", "torch_threads", "accelerator"]
    assert (facts["cpu_count"], facts["torch_threads"]) == (os.cpu_count(), torch.get_num_threads())


def test_teachers_that_say_something_else_are_others(begun: RunFolder, tiny: Callable[..., Recipe]) -> None:
    begun.begin(tiny(), {**FACTS, "teachers_say": [{"views": 2}]})
    begun.begin(tiny(), FACTS)
    begun.begin(tiny(), {**FACTS, "teachers_say": [{"views": 2}]})
    with pytest.raises(RunError, match=r"\(different: split_hash; teachers_say\)"):
        begun.begin(tiny(), {**FACTS, "split_hash": "x", "teachers_say": [{"views": 3}]})


def test_a_run_without_a_record_of_what_it_learned_from_has_none(begun: RunFolder) -> None:
    assert not begun.learned_file.exists() and not begun.data_file.exists()


def test_of_data_nothing_is_known_unless_said(tiny: Callable[..., Recipe], tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    folder.begin(tiny(), FACTS, LEARNED)
    assert json.loads(folder.data_file.read_text()) == {}


@pytest.mark.parametrize("strange", ["data.csv", "metrics.jsonl", "checkpoints"])
def test_a_log_and_a_lock_do_not_make_a_folder_strange_and_anything_else_does(
    tiny: Callable[..., Recipe], tmp_path: Path, strange: str
) -> None:
    (tmp_path / "run.log").write_text("begun\n")
    (tmp_path / ".lock").touch()
    RunFolder(tmp_path).check_recipe(tiny())
    RunFolder(tmp_path / "new").check_recipe(tiny())
    (tmp_path / strange).mkdir()
    with pytest.raises(RunError, match="not empty and is not a run folder"):
        RunFolder(tmp_path).check_recipe(tiny())


def test_what_killed_processes_left_is_swept_in_the_folders_inside_too(begun: RunFolder) -> None:
    (begun.path / "checkpoints").mkdir()
    left = [begun.path / folder / ".model.abcd1234.tmp.safetensors" for folder in (".", "checkpoints")]
    for path in left:
        path.write_text("half")
    with begun.writing():
        assert not any(path.exists() for path in left)
    assert begun.recipe_file.is_file()


@pytest.mark.parametrize(
    ("level", "after"), [(logging.WARNING, logging.INFO), (logging.INFO, logging.INFO), (logging.DEBUG, logging.DEBUG)]
)
def test_what_is_said_of_the_work_is_in_the_log(tmp_path: Path, level: int, after: int) -> None:
    package = logging.getLogger("vskd")
    before = package.level
    package.setLevel(level)
    handler = log_to_file(tmp_path / "a" / "b" / "run.log")
    try:
        assert package.level == after
        logging.getLogger("vskd.something").info("epoch %d", 3)
    finally:
        package.removeHandler(handler)
        package.setLevel(before)
        handler.close()
    assert (tmp_path / "a" / "b" / "run.log").read_text().endswith(" INFO vskd.something: epoch 3\n")


def test_a_log_that_cannot_be_written_is_said_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    full = tmp_path / "run.log"
    log_to_a_full_disk(full)
    assert [line for line in caplog.messages if "cannot be written any more" in line] == [
        f"the log {full} cannot be written any more, the run goes on without it"
    ]


def test_a_run_that_never_said_what_it_learned_from_is_whole(begun: RunFolder) -> None:
    """Those of before; but for what every finished run has."""
    with begun.sums.replacing(WEIGHTS) as temporary:
        temporary.write_text("weights")
    begun.training_file.write_text("{}")
    begun.seal()
    known = {name: digest for name, (digest,) in begun.sums.recorded().items()}
    assert set(known) == {"recipe.yaml", "environment.json", "training.json", WEIGHTS}
    begun.check_intact()
    for name in ("recipe.yaml", "environment.json", WEIGHTS):
        begun.sums.put({key: digest for key, digest in known.items() if key != name}, only=True)
        with pytest.raises(CheckpointError, match=rf"{begun.path / name} changed or was damaged"):
            begun.check_intact()


def test_empty_lines_between_the_figures_are_none(begun: RunFolder) -> None:
    begun.metrics_file.write_text('{"epoch": 0}\n\n{"epoch": 1}')
    assert [row["epoch"] for row in begun.metrics()] == [0, 1]
    begun.metrics_file.write_text('{"epoch": 0}\n\n{"epoch": -1}\n')
    with pytest.raises(RunError, match=r"metrics\.jsonl, line 3"):
        begun.metrics()


def test_who_taught_is_told_relative_to_the_run(begun: RunFolder, tiny: Callable[..., Recipe]) -> None:
    begun.begin(tiny(), {**FACTS, "cache": "sub/../inside"})
    assert begun.beside("cache") == begun.path / "inside"
    assert RunFolder(begun.path).beside("nothing") is None
