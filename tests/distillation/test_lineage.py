"""What a training learned from includes what its teachers and the run that it went on from did."""

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from vskd.distillation.lineage import learned_with
from vskd.distillation.run import Learned, RunFolder
from vskd.distillation.train import distill
from vskd.errors import ProtocolError
from vskd.recipe import Recipe

MakeRecipe = Callable[..., Recipe]
QUICK = ("student.training.epochs=1", "student.training.validation=none", "student.training.select=last")
OWN = Learned(("a1", "a2"), ("a",), ("a1",), {"one": "a1", "two": "a2"})


def experiment(*streams: str) -> Any:
    sees = SimpleNamespace(student=SimpleNamespace(sees=SimpleNamespace(streams=streams)))
    return SimpleNamespace(learned=lambda: OWN, recipe=sees)


def run(learned: Learned | None, *streams: str) -> Any:
    return SimpleNamespace(learned=lambda: learned, recipe=lambda: experiment(*streams).recipe)


def test_each_adds_its_own_and_contents_of_the_same_streams_alone() -> None:
    alike = run(Learned(("c10", "c2"), ("c10", "c2"), ("c2",), {"two": "c2", "three": "c10"}), "wrist")
    other = run(Learned(("a1", "b1"), ("a", "b"), ("b1",), {"four": "b1"}), "rgb")
    found = learned_with(experiment("wrist"), [alike, run(None, "wrist"), other])
    assert (found.train, found.subjects) == (("a1", "a2", "b1", "c10", "c2"), ("a", "b", "c2", "c10"))
    assert found.labels == ("a1", "b1", "c2")
    assert found.contents == {"one": "a1", "two": "a2", "three": "c10"}
    assert learned_with(experiment("wrist"), []) is OWN


def protocol(place: Path, train: int, test: int) -> str:
    file = place / f"{train}-{test}.yaml"
    file.write_text(
        f"name: {file.stem}\nversion: 1\ndataset: synthetic\nsplit_by: subject\ndisjoint: subject\n"
        f"parts: {{train: [{train}], test: [{test}]}}\nvalidation_unit: subject\n"
    )
    return f"dataset.protocol={file}"


@pytest.mark.parametrize("by", ["teacher", "weights"])
def test_who_was_learned_from_two_runs_ago_is_not_tested(
    tiny: MakeRecipe, shared_cache: Path, tmp_path: Path, by: str
) -> None:
    """First person 3, then person 1; what comes third does not test person 3, and may test person 4."""
    alone = tiny(*QUICK, "distiller=none")
    role = json.dumps(alone.student.model_dump(mode="json"))

    def trained(name: str, train: int, test: int, before: Path | None, by: str) -> Path:
        words = [protocol(tmp_path, train, test)]
        words += [f"teachers=[{role}]", "distiller=kd"] if before and by == "teacher" else []
        words += [f"student.weights={before}"] if before and by == "weights" else []
        teachers = [before] if before and by == "teacher" else []
        return distill(alone.updated(*words), tmp_path / name, teachers, cache=shared_cache).run

    first = trained("first", 3, 2, None, by)
    second = trained("second", 1, 2, first, by)
    learned = RunFolder(second).learned()
    assert learned is not None and learned.subjects == ("1", "3") and len(learned.contents) == 2 * len(learned.train)
    for third in ("teacher", "weights"):
        with pytest.raises(ProtocolError, match=r"a1_s3_t1"):
            trained(f"leak-{third}", 1, 3, second, third)
        trained(f"fair-{third}", 1, 4, second, third)


def test_a_teacher_that_nobody_listened_to_taught_nothing(
    tiny: MakeRecipe, teacher_run: Path, shared_cache: Path, tmp_path: Path
) -> None:
    """The twin without a teacher has it beside it, and learns from another person."""
    recipe = tiny(*QUICK, "dataset.leave_out=['1']").undistilled()
    distill(recipe, tmp_path / "run", [teacher_run], cache=shared_cache)
    learned, taught = RunFolder(tmp_path / "run").learned(), RunFolder(teacher_run).learned()
    assert learned is not None and taught is not None
    assert (learned.subjects, taught.subjects) == (("3",), ("1",))
