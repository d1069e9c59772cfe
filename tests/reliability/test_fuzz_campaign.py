"""The fuzz campaign in short; `make soak` runs it in long. And that its parts do what they say."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import FinishedComparison
from tests.reliability.damage import BYTES, OF_ENDING, damaged, swapped
from tests.reliability.fuzz_campaign import Outcome, Reader, fingerprint, schedule, summary, table
from tests.reliability.material import add_to_comparison, make_files
from tests.reliability.subjects import ALL, Subject
from vskd.errors import DataError

FILES = 8
"""Damaged files of each subject."""


@pytest.fixture(scope="module")
def material(finished_comparison: FinishedComparison, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("fuzz") / "material"
    make_files(root)
    shutil.copytree(finished_comparison.out, root / "comparison", copy_function=lambda s, t: Path(t).hardlink_to(s))
    add_to_comparison(root)
    return root


@pytest.fixture(scope="module")
def reader(material: Path) -> Reader:
    return Reader(material, material.parent / "copy", seed=1)


QUICK = [s.name for s in ALL if not s.slow and not s.name.startswith("bundle: ")]


def test_damaged_files_are_refused_by_name_or_do_no_harm(reader: Reader) -> None:
    found = [reader.read(name, case) for name in QUICK for case in range(FILES)]
    counts = summary(found)
    assert counts["defects"] == []
    assert counts["outcomes"]["refused"] > 0.4 * len(found)
    assert counts["slowest_s"] < 10


@pytest.mark.parametrize("name", ["manifest.json", "golden.json", "model.tflite, verified"])
def test_bundles_of_an_attacker(reader: Reader, name: str) -> None:
    found = [reader.read(f"bundle, hashes redone: {name}", case) for case in range(2)]
    assert summary(found)["defects"] == []


def test_every_kind_of_file_is_there(material: Path) -> None:
    for subject in ALL:
        assert subject.path(material).stat().st_size > 0


def test_a_campaign_can_fail(material: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each outcome, from readers made for it."""

    def refusing(root: Path) -> object:
        content = (root / "ids.csv").read_bytes()
        if b"a1_s1_t1" not in content:
            raise DataError(f"{root / 'ids.csv'} is damaged", "Repair it")
        return "good"

    def failing(root: Path) -> object:
        return {b"id\na1_s1_t1\na2_s2_t2\n": 1}[(root / "ids.csv").read_bytes()]

    readers = {
        "harmless": Subject("harmless", "ids.csv", lambda root: 1),
        "refused": Subject("refused", "ids.csv", refusing),
        "internal error": Subject("internal error", "ids.csv", failing),
        "silent": Subject("silent", "ids.csv", lambda root: (root / "ids.csv").read_bytes(), sealed=True),
        "other content": Subject("other content", "ids.csv", lambda root: (root / "ids.csv").read_bytes()),
    }
    monkeypatch.setattr("tests.reliability.subjects.ALL", tuple(readers.values()))
    reader = Reader(material, material.parent / "other", seed=0)
    for name in readers:
        assert name in {reader.read(name, case).outcome for case in range(20)}
    assert (material.parent / "other" / "ids.csv").read_bytes() == (material / "ids.csv").read_bytes()


def test_a_case_is_a_function_of_its_number_and_the_seed() -> None:
    content = json.dumps({"a": [1, 2, {"b": "c"}]}).encode()
    one, two = (damaged(Path("x.json"), content, np.random.default_rng([0, 5])) for _ in range(2))
    assert one == two
    assert len({damaged(Path("x.json"), content, np.random.default_rng([0, k])) for k in range(50)}) > 30


def test_every_damage_is_used() -> None:
    content = b'{"a": 1}'
    names = {damaged(Path("x.json"), content, np.random.default_rng(k))[0] for k in range(300)}
    assert names == {d.__name__ for d in (*BYTES, *OF_ENDING[".json"])}


def test_swapping_leaves_the_original() -> None:
    content = {"a": [1, {"b": 2}]}
    assert all(swapped(content, np.random.default_rng(k)) != content for k in range(20))
    assert content == {"a": [1, {"b": 2}]}


def test_fingerprints() -> None:
    array = np.arange(4.0)
    assert fingerprint({"a": array, "b": (1, 2)}) == fingerprint({"b": [1, 2], "a": array.copy()})
    assert fingerprint(array) != fingerprint(array.astype(np.float32))
    assert fingerprint([[1], 2]) != fingerprint([1, [2]])


def test_the_schedule_holds_the_shares() -> None:
    cases = schedule((), 2000)
    assert [case for _, case in cases] == list(range(2000))
    assert {name for name, _ in cases} == {s.name for s in ALL}
    (first, *_), one = cases, schedule([ALL[0].name], 3)
    assert [name for name, _ in one] == [ALL[0].name] * 3 and first[1] == 0


def test_the_summary_counts_and_names_defects() -> None:
    found = summary([Outcome(0, "a", "flip", "hang"), Outcome(1, "a", "flip", "refused", "x", named=False)])
    assert found["outcomes"]["hang"] == found["outcomes"]["refused"] == 1
    assert [d["case"] for d in found["defects"]] == [0]
    assert found["refused_without_the_name_of_the_file"] == 1
    assert "hang" in table(found)
