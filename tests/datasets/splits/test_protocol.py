import dataclasses
import itertools
import logging
from pathlib import Path

import pytest
import yaml

from vskd.datasets.recording import Index, Recording
from vskd.datasets.sensors.utd_mhad import LABELS, LAYOUT, index
from vskd.datasets.splits.protocol import Protocol, list_protocols, load_protocol
from vskd.datasets.splits.split import unit_of
from vskd.errors import ProtocolError

RULE = {
    "name": "mine",
    "version": 1,
    "dataset": "utd-mhad",
    "split_by": "subject",
    "parts": {"train": [1], "test": [2]},
    "disjoint": "subject",
    "validation_unit": "subject",
}


def ids_index(ids: list[str], dataset: str = "utd-mhad") -> Index:
    """An index without files of the given recordings."""
    recordings = []
    for i in sorted(ids):
        action, subject, trial = (part[1:] for part in i.split("_"))
        recordings.append(Recording(i, subject, trial, int(action) - 1, subject, {}))
    return Index(dataset, Path("nowhere"), LABELS, tuple(recordings))


@pytest.fixture
def complete() -> Index:
    """The 861 recordings of UTD-MHAD, without files."""
    return ids_index([i for i in LAYOUT.expected() if i not in LAYOUT.absent])


def write(tmp_path: Path, **changes: object) -> str:
    path = tmp_path / "mine.yaml"
    content = {k: v for k, v in {**RULE, **changes}.items() if v is not None}
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    return str(path)


SIZES = {
    "cross-subject": (431, 0, 430),
    "cross-subject-val": (323, 108, 430),
    "subject-specific": (432, 0, 429),
}


@pytest.mark.parametrize("name", sorted(SIZES))
def test_published_sizes(complete: Index, name: str) -> None:
    split = load_protocol("utd-mhad", name).split(complete)
    assert tuple(len(ids) for ids in split.parts.values()) == SIZES[name]
    assert sorted(split.train + split.validation + split.test) == [r.id for r in complete]
    assert all(list(ids) == sorted(ids) for ids in split.parts.values())


def test_published_sizes_on_the_real_recordings(utd_mhad_root: Path) -> None:
    found = index(utd_mhad_root)
    for name, sizes in SIZES.items():
        split = load_protocol("utd-mhad", name).split(found)
        assert tuple(len(ids) for ids in split.parts.values()) == sizes
    protocol = load_protocol("utd-mhad", "leave-one-subject-out")
    assert sum(len(protocol.split(found, fold).test) for fold in protocol.fold_names(found)) == 861


def test_cross_subject_parts_are_the_published_subjects(complete: Index) -> None:
    split = load_protocol("utd-mhad", "cross-subject-val").split(complete)
    by_id = complete.by_id()
    subjects = {name: {by_id[i].subject for i in ids} for name, ids in split.parts.items()}
    assert subjects == {"train": {"1", "3", "5"}, "validation": {"7"}, "test": {"2", "4", "6", "8"}}
    specific = load_protocol("utd-mhad", "subject-specific").split(complete)
    assert {by_id[i].trial for i in specific.train} == {"1", "2"}
    assert {by_id[i].trial for i in specific.test} == {"3", "4"}


def test_leave_one_subject_out_has_a_fold_per_subject(complete: Index) -> None:
    protocol = load_protocol("utd-mhad", "leave-one-subject-out")
    assert protocol.fold_names(complete) == tuple("12345678")
    splits = [protocol.split(complete, fold) for fold in protocol.fold_names(complete)]
    assert sorted(i for s in splits for i in s.test) == [r.id for r in complete]
    assert {len(s.test) for s in splits} == {107, 108}
    assert len({s.protocol_hash for s in splits}) == 8
    assert {complete.by_id()[i].subject for i in splits[2].test} == {"3"}
    for fold in (None, "9", ""):
        with pytest.raises(ProtocolError, match="Name one with --fold: 1, 2, 3, 4, 5, 6, 7, 8"):
            protocol.split(complete, fold)
    with pytest.raises(ProtocolError, match="has no folds"):
        load_protocol("utd-mhad", "cross-subject").split(complete, "1")


def test_part_of_the_data_warns_that_figures_are_not_comparable(
    complete: Index, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        load_protocol("utd-mhad", "cross-subject").split(complete)
        assert not caplog.records
        part = dataclasses.replace(complete, recordings=complete.recordings[:400])
        split = load_protocol("utd-mhad", "cross-subject").split(part)
    assert len(split.train) + len(split.test) == 400
    assert "400 of the 861" in caplog.text and "not comparable" in caplog.text


def test_wrong_sizes_on_as_many_recordings_are_refused(complete: Index) -> None:
    one_moved = ids_index([r.id for r in complete if r.id != "a1_s1_t1"] + ["a8_s1_t4"])
    load_protocol("utd-mhad", "cross-subject").split(one_moved)  # the same subject: the same sizes
    other = ids_index([r.id for r in complete if r.id != "a1_s1_t1"] + ["a23_s6_t4"])
    with pytest.raises(
        ProtocolError, match=r"expects 861 recordings split into train 431, test 430.*train 430, test 431"
    ):
        load_protocol("utd-mhad", "cross-subject").split(other)
    more = ids_index(list(LAYOUT.expected()))
    with pytest.raises(ProtocolError, match="gives 864"):
        load_protocol("utd-mhad", "cross-subject").split(more)


def test_more_recordings_than_expected_are_refused_even_if_no_part_has_them(tmp_path: Path) -> None:
    protocol = load_protocol("utd-mhad", write(tmp_path, expected={"recordings": 2, "sizes": {"train": 1, "test": 1}}))
    protocol.split(ids_index(["a1_s1_t1", "a1_s2_t1"]))
    with pytest.raises(ProtocolError, match=r"expects 2 recordings.*gives 3"):
        protocol.split(ids_index(["a1_s1_t1", "a1_s2_t1", "a1_s3_t1"]))


@pytest.mark.parametrize("subjects", [2, 3, 4, 7, 10])
def test_odd_and_even_fit_any_number_of_subjects(subjects: int) -> None:
    found = ids_index([f"a1_s{s}_t{t}" for s in range(1, subjects + 1) for t in (1, 2)], "synthetic")
    by_id = found.by_id()
    split = load_protocol("synthetic", "cross-subject").split(found)
    assert {int(by_id[i].subject) for i in split.train} == set(range(1, subjects + 1, 2))
    assert {int(by_id[i].subject) for i in split.test} == set(range(2, subjects + 1, 2))
    protocol = load_protocol("synthetic", "cross-subject-val")
    if subjects == 2:
        with pytest.raises(ProtocolError, match="leaves the part 'train' empty"):
            protocol.split(found)
    else:
        validated = protocol.split(found)
        assert {int(by_id[i].subject) for i in validated.validation} == {max(range(1, subjects + 1, 2))}
        assert set(validated.train) | set(validated.validation) == set(split.train)


def test_protocol_of_another_data_set_is_refused(complete: Index) -> None:
    with pytest.raises(ProtocolError, match="is for the data set synthetic, not utd-mhad"):
        load_protocol("synthetic", "cross-subject").split(complete)


def test_splitting_by_trial_while_subjects_must_be_disjoint_is_a_leak(tmp_path: Path, complete: Index) -> None:
    protocol = load_protocol("utd-mhad", write(tmp_path, split_by="trial"))
    with pytest.raises(ProtocolError, match="would leak: train and test share subject 1, 2, 3, 4, 5 and 3 more"):
        protocol.split(complete)


def test_validation_part_without_recordings_is_refused(tmp_path: Path, complete: Index) -> None:
    parts = {"train": [1], "validation": [99], "test": [2]}
    with pytest.raises(ProtocolError, match="leaves the part 'validation' empty"):
        load_protocol("utd-mhad", write(tmp_path, parts=parts)).split(complete)


def test_own_protocol_file(tmp_path: Path, complete: Index) -> None:
    split = load_protocol("utd-mhad", write(tmp_path)).split(complete)
    assert {complete.by_id()[i].subject for i in split.train} == {"1"}
    assert {complete.by_id()[i].subject for i in split.test} == {"2"}


def test_hash_follows_the_rule_and_nothing_else(tmp_path: Path) -> None:
    def hash_of(fold: str | None = None, **changes: object) -> str:
        return load_protocol("utd-mhad", write(tmp_path, **changes)).protocol_hash(fold)

    base = hash_of()
    assert hash_of(description="in other words") == base
    assert hash_of(expected={"recordings": 861, "sizes": {"train": 107, "test": 108}}) == base
    assert hash_of(parts={"test": [2], "train": [1]}) == base
    swapped = [hash_of(parts={"train": [1, 3], "test": [2]}), hash_of(parts={"train": [3, 1], "test": [2]})]
    assert swapped[0] == swapped[1] != base
    others = [hash_of(version=2), hash_of(name="x"), hash_of(disjoint="none"), hash_of(validation_unit="trial")]
    assert len({base, *others, hash_of("1")}) == 6


SHIPPED = {
    "utd-mhad": {
        "cross-subject": "decfc579bd37",
        "cross-subject-val": "052f7c9d0b7d",
        "enrolment": "9156cf6c911e",
        "enrolment-each": "d3c4684854fa",
        "leave-one-subject-out": "3f3f01931b38",
        "subject-specific": "d9fc327b14ee",
    },
    "synthetic": {
        "cross-subject": "66c52560d4b4",
        "cross-subject-val": "089eb0fd35d3",
        "leave-one-subject-out": "6f4a211ea624",
        "subject-specific": "fb68970b8105",
    },
    "driver-inattention": {
        "leave-one-subject-out": "378f3ca6bbc0",
        "official": "0f619a644630",
        "official-test": "68be6f9de1e2",
        "subject-folds": "6a46d2d3d612",
    },
    "state-farm": {"driver-folds": "a5d4f9b012cf", "leave-2-drivers-out": "80da25b17243", "official": "917b6b6fc120"},
    "auc": {"official": "33349252456d"},
    "image-folder": {
        "leave-one-driver-out": "301ae7919caa",
        "official": "31d15d1fd838",
        "official-val": "af466c0b2f70",
    },
}


@pytest.mark.parametrize("dataset", SHIPPED)
def test_hashes_of_the_shipped_protocols_do_not_change_unnoticed(dataset: str) -> None:
    hashes = {n: load_protocol(dataset, n).protocol_hash()[:12] for n in list_protocols(dataset)}
    assert hashes == SHIPPED[dataset], "results on disk carry these; raise the protocol's version if its rule changed"


@pytest.mark.parametrize(
    ("changes", "problems"),
    [
        ({"versoin": 1}, ["versoin: unknown key, did you mean 'version'?"]),
        ({"version": "one"}, ["version: input should be a valid integer (got 'one')"]),
        ({"version": None, "disjoint": None}, ["version: missing", "disjoint: missing"]),
        ({"parts": None}, ["give either 'parts' or 'folds'"]),
        ({"folds": "leave-one-out"}, ["give either 'parts' or 'folds'"]),
        ({"parts": {"train": [1]}}, ["needs both 'train' and 'test'"]),
        ({"parts": {"train": [1, 2], "test": [2]}}, ["share subject 2"]),
        (
            {"parts": {"train": [1], "test": "some"}},
            ["parts.test: give a list of numbers or names, or one of odd, even", "(got 'some')"],
        ),
        ({"parts": {"train": ["1"], "test": [2]}}, ["parts.train: give a list of numbers", "(got ['1'])"]),
        ({"split_by": "Subject "}, ["split_by: "]),
        ({"expected": {"recordings": 861, "size": {}}}, ["expected.0.size: unknown key", "did you mean 'sizes'"]),
    ],
)
def test_wrong_protocol_files_are_explained(tmp_path: Path, changes: dict[str, object], problems: list[str]) -> None:
    with pytest.raises(ProtocolError) as caught:
        load_protocol("utd-mhad", write(tmp_path, **changes))
    message = str(caught.value)
    assert "mine.yaml" in message
    assert all(problem in message for problem in problems), message
    assert "function-after" not in message and "pydantic" not in message


def test_files_that_are_no_protocol_at_all(tmp_path: Path) -> None:
    path = tmp_path / "odd.yaml"
    with pytest.raises(ProtocolError) as caught:
        load_protocol("utd-mhad", str(path))
    names = ", ".join(list_protocols("utd-mhad"))
    assert str(caught.value) == f"There is no protocol file {path}. Check its path, or choose one by name: {names}."
    for content, problem in (
        ("a: [1", "no valid YAML"),
        ("- 1", "should be keys with values"),
        ("", "should be keys with values"),
    ):
        path.write_text(content)
        with pytest.raises(ProtocolError, match=problem):
            load_protocol("utd-mhad", str(path))
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ProtocolError, match="no valid YAML"):
        load_protocol("utd-mhad", str(path))
    path.unlink()
    path.mkdir()
    with pytest.raises(ProtocolError, match="cannot be read"):
        load_protocol("utd-mhad", str(path))


def test_misspelt_name_gives_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(ProtocolError, match=r"no protocol 'cros-subject'; did you mean 'cross-subject'.*leave-one"):
        load_protocol("utd-mhad", "cros-subject")


@pytest.mark.parametrize("dataset", SHIPPED)
def test_file_names_and_contents_of_shipped_protocols_agree(dataset: str) -> None:
    for name in list_protocols(dataset):
        protocol = load_protocol(dataset, name)
        assert isinstance(protocol, Protocol)
        assert (protocol.dataset, protocol.name) == (dataset, name)
        assert protocol.description


def people(*subjects: str, part: str = "train", dataset: str = "state-farm") -> Index:
    """Three images of each subject, without files; every third of the part `test`."""
    recordings = [
        Recording(f"{s}-{n}", s, "1", n % 2, s, {}, part=part if n else "test") for s in subjects for n in range(3)
    ]
    return Index(dataset, Path("nowhere"), ("a", "b"), tuple(sorted(recordings, key=lambda r: r.id)))


def protocol_of(tmp_path: Path, **changes: object) -> Protocol:
    return load_protocol("state-farm", write(tmp_path, **{"dataset": "state-farm", **changes}))


def test_folds_by_name_test_whom_they_list(tmp_path: Path) -> None:
    found = people("p002", "p012", "p014", "p100", "7")
    protocol = protocol_of(tmp_path, parts=None, folds={"a": ["p002", 7], "b-c": ["p012"]})
    assert protocol.fold_names(found) == ("a", "b-c")
    by_id = found.by_id()
    split = protocol.split(found, "a")
    assert {by_id[i].subject for i in split.test} == {"p002", "7"}
    assert {by_id[i].subject for i in split.train} == {"p012", "p014", "p100"}
    with pytest.raises(ProtocolError, match=r"no fold 'c'\. Name one with --fold: a, b-c"):
        protocol.split(found, "c")
    absent = protocol_of(tmp_path, parts=None, folds={"a": ["p999"], "b": ["p002"]})
    with pytest.raises(ProtocolError, match="leaves the part 'test' empty"):
        absent.split(found, "a")


def test_folds_that_leave_several_out(tmp_path: Path) -> None:
    found = people("p002", "p012", "p014", "9", "10")
    protocol = protocol_of(tmp_path, parts=None, folds="leave-2-out")
    assert protocol.fold_names(found) == ("9-10", "p002-p012", "p014")
    splits = [protocol.split(found, name) for name in protocol.fold_names(found)]
    assert sorted(i for s in splits for i in s.test) == [r.id for r in found]
    assert len({s.protocol_hash for s in splits}) == 3


def test_split_by_the_official_part(tmp_path: Path) -> None:
    found = people("p002", "p012")
    rule = {"split_by": "part", "disjoint": "none", "parts": {"train": ["train"], "test": ["test"]}}
    split = protocol_of(tmp_path, **rule).split(found)
    assert split.test == ("p002-0", "p012-0") and len(split.train) == 4
    with pytest.raises(ProtocolError, match="would leak: train and test share subject p002, p012"):
        protocol_of(tmp_path, **{**rule, "disjoint": "subject"}).split(found)


def test_the_published_folds_of_driver_inattention() -> None:
    found = people(*map(str, range(1, 11)), dataset="driver-inattention")
    protocol = load_protocol("driver-inattention", "subject-folds")
    assert protocol.fold_names(found) == ("1-6", "2-7", "3-8", "4-9", "5-10")
    by_id = found.by_id()
    for name in protocol.fold_names(found):
        assert {by_id[i].subject for i in protocol.split(found, name).test} == set(name.split("-"))


def test_unknown_subjects_cannot_be_kept_apart(tmp_path: Path) -> None:
    found = people("p002", "p012", "unknown")
    rule = {"parts": {"train": ["p002"], "test": ["p012"]}}
    with pytest.raises(ProtocolError, match="nobody knows whose 3 of the 9 recordings"):
        protocol_of(tmp_path, **rule).split(found)
    assert protocol_of(tmp_path, **rule, disjoint="none").split(found).test


@pytest.mark.parametrize(
    ("subject", "part", "protocol", "problem", "advice"),
    [
        ("p002", "train", "official", "part 'test' empty", "how), or {another}: driver-folds, leave-2-drivers-out"),
        ("unknown", "train", "official", "which holds the part(s) train", "`vskd datasets info state-farm` tells how)"),
        ("unknown", "train", "driver-folds", "whose 3 of the 3", "leave those recordings out, or {another}: official"),
        ("unknown", "", "leave-2-drivers-out", "whose 3 of the 3", "CSV file or leave those recordings out"),
    ],
)
def test_a_refusal_proposes_the_protocols_that_fit(
    subject: str, part: str, protocol: str, problem: str, advice: str
) -> None:
    found = people(subject)
    found = dataclasses.replace(found, recordings=tuple(dataclasses.replace(r, part=part) for r in found))
    with pytest.raises(ProtocolError) as caught:
        load_protocol("state-farm", protocol).split(found)
    assert problem in caught.value.problem
    assert caught.value.action.endswith(advice.format(another="choose another protocol with --protocol"))


def test_the_sizes_of_any_published_form_are_asserted(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    rule = {"parts": {"train": ["p002", "p014"], "test": ["p012"]}}
    forms = [
        {"recordings": 9, "sizes": {"train": 6, "test": 3}},
        {"recordings": 6, "sizes": {"train": 3, "test": 3}},
    ]
    protocol = protocol_of(tmp_path, **rule, expected=forms)
    protocol.split(people("p002", "p012", "p014"))
    protocol.split(people("p002", "p012"))
    assert not caplog.records
    with pytest.raises(
        ProtocolError, match=r"expects 6 recordings split into train 4, and .*gives 6 split into train 3"
    ):
        protocol_of(tmp_path, **rule, expected=[forms[0], {"recordings": 6, "sizes": {"train": 4}}]).split(
            people("p002", "p012")
        )
    with pytest.raises(ProtocolError, match=r"expects 9 recordings.*gives 12"):
        protocol.split(people("p002", "p012", "p014", "p015"))
    part = people("p002", "p012", "p014")
    part = dataclasses.replace(part, recordings=part.recordings[:8])
    with caplog.at_level(logging.WARNING):
        protocol.split(part)
    assert "8 of the 9 or 6 usable recordings" in caplog.text


def test_hash_of_folds_follows_their_members_not_their_order(tmp_path: Path) -> None:
    def hash_of(folds: object, fold: str | None = None) -> str:
        return protocol_of(tmp_path, parts=None, folds=folds).protocol_hash(fold)

    base = hash_of({"a": [1, "p002"], "b": [3]})
    assert hash_of({"b": [3], "a": ["p002", 1]}) == base
    others = [hash_of({"a": [1], "b": [3]}), hash_of({"a": [1, "p002"], "c": [3]}), hash_of("leave-2-out")]
    assert len({base, *others, hash_of({"a": [1, "p002"], "b": [3]}, "a")}) == 5


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"folds": {"a": [1], "b": [1, 2]}, "parts": None}, "a and b share subject 1"),
        ({"folds": {"a": [1]}, "parts": None}, "at least two folds"),
        ({"folds": {"a": [1], "b": [2]}}, "give either 'parts' or 'folds'"),
        ({"folds": "leave-out", "parts": None}, "folds: give leave-one-out, leave-N-out"),
        ({"split_by": "part"}, "there is no official part '1'; they are train, valid, test"),
        ({"split_by": "part", "parts": {"train": ["train"], "test": ["hold-out"]}}, "no official part 'hold-out'"),
        ({"split_by": "part", "parts": {"train": ["train"], "test": "even"}}, "needs 'parts' with lists"),
        ({"split_by": "part", "parts": {"train": ["train"], "test": ["train"]}}, "share part train"),
        ({"split_by": "part", "parts": None, "folds": "leave-one-out"}, "split_by: part needs 'parts'"),
        ({"validation_unit": "clip"}, "validation_unit: clip would share subjects"),
        ({"validation_unit": "recording"}, "validation_unit: recording would share subjects"),
        (
            {"validation_unit": "frame"},
            "validation_unit: 'frame' is not allowed, valid names: clip, recording",
        ),
        (
            {"expected": [{"recordings": 1}, {"recording": 2}]},
            "1.recording: unknown key, did you mean 'recordings'?",
        ),
    ],
)
def test_wrong_rules_for_images_are_explained(tmp_path: Path, changes: dict[str, object], problem: str) -> None:
    with pytest.raises(ProtocolError) as caught:
        load_protocol("utd-mhad", write(tmp_path, **changes))
    assert problem in str(caught.value), str(caught.value)
    assert "pydantic" not in str(caught.value)


@pytest.mark.parametrize(
    ("protocol", "counts", "sizes"),
    [
        ("official", (11948, 1922, 985), (11948, 0, 1922)),
        ("official", (6830, 1922, 0), (6830, 0, 1922)),
        ("official-test", (11948, 1922, 985), (11948, 1922, 985)),
    ],
)
def test_published_sizes_of_driver_inattention(
    caplog: pytest.LogCaptureFixture, protocol: str, counts: tuple[int, ...], sizes: tuple[int, ...]
) -> None:
    def of(counts: tuple[int, ...]) -> Index:
        parts = [part for part, count in zip(("train", "valid", "test"), counts, strict=True) for _ in range(count)]
        recordings = tuple(Recording(f"{n:05d}", "1", "1", 0, "1", {}, part=p) for n, p in enumerate(parts))
        return Index("driver-inattention", Path("nowhere"), ("a",), recordings)

    rule = load_protocol("driver-inattention", protocol)
    assert tuple(len(ids) for ids in rule.split(of(counts)).parts.values()) == sizes
    assert not caplog.records
    with pytest.raises(ProtocolError, match=f"expects {sum(counts)} recordings split into train"):
        rule.split(of((counts[0] - 1, counts[1] + 1, counts[2])))


def test_enrolment_trains_on_first_trials_of_new_people_and_tests_on_their_last(complete: Index) -> None:
    split = load_protocol("utd-mhad", "enrolment").split(complete)
    assert (len(split.train), len(split.validation), len(split.test)) == (647, 0, 214)
    by_id, odd = complete.by_id(), {"1", "3", "5", "7"}
    assert {by_id[i].subject for i in split.train} == set("12345678")
    assert {(by_id[i].subject in odd, by_id[i].trial) for i in split.test} == {(False, "3"), (False, "4")}
    assert {by_id[i].trial for i in split.train if by_id[i].subject not in odd} == {"1", "2"}
    assert sum(by_id[i].subject in odd for i in split.train) == 431


def test_each_person_in_turn_is_the_new_one_of_a_camera_session(complete: Index) -> None:
    protocol, by_id = load_protocol("utd-mhad", "enrolment-each"), complete.by_id()
    assert protocol.fold_names(complete) == tuple("12345678")
    for person in "12345678":
        split = protocol.split(complete, person)
        assert {(by_id[i].subject, by_id[i].trial) for i in split.test} == {(person, "3"), (person, "4")}
        assert {by_id[i].trial for i in split.train if by_id[i].subject == person} == {"1", "2"}
        assert {by_id[i].trial for i in split.train if by_id[i].subject != person} == set("1234")
        assert len(split.train) + len(split.test) == 861


def test_where_a_protocol_does_not_fit_one_by_subject_and_trial_is_proposed(tmp_path: Path, complete: Index) -> None:
    parts = {"train": [1], "test": [99]}
    with pytest.raises(ProtocolError, match=r"choose another protocol with --protocol: .*enrolment"):
        load_protocol("utd-mhad", write(tmp_path, parts=parts)).split(complete)


def test_the_parts_of_any_index_can_be_asked_for(complete: Index) -> None:
    """Also of one with recordings that lack a stream; nothing is checked."""
    protocol = load_protocol("utd-mhad", "cross-subject")
    for some in (complete, dataclasses.replace(complete, recordings=complete.recordings[::3])):
        parts, split = protocol.parts_of(some), protocol.split(some)
        assert (parts["train"], parts["test"]) == (split.train, split.test)


def _factored() -> Index:
    recordings = []
    for subject, scene, session in itertools.product("12", "12", "123"):
        name = f"p{subject}-{scene}-{session}"
        factors = {"scene": scene, "session": session}
        recordings.append(Recording(name, subject, session, 0, subject, {}, factors=factors))
    return Index("utd-mhad", Path("here"), ("a", "b"), tuple(recordings))


def test_any_factor_of_the_recordings_splits_them(tmp_path: Path) -> None:
    rule = {"split_by": "scene", "disjoint": "none", "parts": {"train": [1], "test": [2]}, "validation_unit": "trial"}
    split = load_protocol("utd-mhad", write(tmp_path, **rule)).split(_factored())
    assert {i.split("-")[1] for i in split.test} == {"2"} and len(split.train) == len(split.test) == 6


def test_leave_one_factor_out(tmp_path: Path) -> None:
    rule = {
        "split_by": "session",
        "disjoint": "none",
        "parts": None,
        "folds": "leave-one-out",
        "validation_unit": "trial",
    }
    protocol = load_protocol("utd-mhad", write(tmp_path, **rule))
    assert protocol.fold_names(_factored()) == ("1", "2", "3")
    assert {i.split("-")[2] for i in protocol.split(_factored(), "2").test} == {"2"}


def test_factors_may_be_joined(tmp_path: Path) -> None:
    parts = {"train": ["1-1", "1-2"], "test": ["2-3"]}
    rule = {"split_by": "scene-session", "disjoint": "none", "parts": parts, "validation_unit": "trial"}
    split = load_protocol("utd-mhad", write(tmp_path, **rule)).split(_factored())
    assert (split.test, len(split.train)) == (("p1-2-3", "p2-2-3"), 4)


@pytest.mark.parametrize(("unit", "told"), [("camera", "splits by camera"), ("scene-sesion", "did you mean 'session'")])
def test_a_factor_that_recordings_lack_is_named(tmp_path: Path, unit: str, told: str) -> None:
    rule = {"split_by": unit, "disjoint": "none", "parts": {"train": ["a"], "test": ["b"]}, "validation_unit": "trial"}
    with pytest.raises(ProtocolError, match=told) as caught:
        load_protocol("utd-mhad", write(tmp_path, **rule)).split(_factored())
    assert "recording p1-1-1 of here has none" in str(caught.value)
    assert "part, scene, session, subject, trial" in str(caught.value)


@pytest.mark.parametrize(
    ("name", "factor", "folds"),
    [
        ("leave-one-session-out", "session", ["1", "2", "3"]),
        ("leave-one-scene-out", "scene", ["1", "2"]),
        ("2-fold-session", "session", ["fold1", "fold2"]),
        ("leave-one-subject-out", "subject", ["1", "2"]),
        ("2-fold", "subject", ["fold1", "fold2"]),
    ],
)
def test_folds_by_any_factor_need_no_file_and_share_no_value_of_it(name: str, factor: str, folds: list[str]) -> None:
    protocol, index = load_protocol("utd-mhad", name), _factored()
    assert list(protocol.fold_names(index)) == folds
    tested: list[str] = []
    for fold in folds:
        split = protocol.split(index, fold)
        values = {part: {unit_of(index.by_id()[i], factor) for i in ids} for part, ids in split.parts.items()}
        assert values["train"].isdisjoint(values["test"]) and values["test"]
        assert split.disjoint == ("subject" if factor == "subject" else "none")
        tested += split.test
    assert sorted(tested) == sorted(r.id for r in index), "each recording tests once"
    hashes = {protocol.protocol_hash(fold) for fold in folds}
    assert len(hashes) == len(folds)


@pytest.mark.parametrize("name", ["leave-one-part-out", "1-fold", "2-fold-part", "leave-one-out"])
def test_other_rules_are_no_protocols(name: str) -> None:
    with pytest.raises(ProtocolError, match=f"no protocol '{name}'.*leave-one-FACTOR-out or K-fold-FACTOR"):
        load_protocol("utd-mhad", name)


def test_a_rule_by_what_recordings_lack_is_refused() -> None:
    with pytest.raises(ProtocolError, match="splits by device"):
        load_protocol("utd-mhad", "leave-one-device-out").split(_factored(), "watch")


@pytest.mark.parametrize(
    ("name", "fold", "start"),
    [
        ("cross-subject", None, "decfc579bd3719c4"),
        ("leave-one-subject-out", "3", "94d857e3326c56d8"),
        ("5-fold", "fold1", "0e16d0abf581ef4d"),
    ],
)
def test_hashes_are_those_on_results(name: str, fold: str | None, start: str) -> None:
    """A protocol whose hash changes makes every result that bears it another one's."""
    assert load_protocol("utd-mhad", name).protocol_hash(fold).startswith(start)


def test_sizes_of_folds_are_asserted(tmp_path: Path) -> None:
    found = people("p002", "p012", "p014")
    folds = {"a": ["p002"], "b": ["p012", "p014"]}
    sizes = {"a": {"train": 6, "test": 3}, "b": {"train": 3, "test": 7}}
    protocol = protocol_of(tmp_path, parts=None, folds=folds, expected={"recordings": 9, "folds": sizes})
    assert len(protocol.split(found, "a").test) == 3
    with pytest.raises(ProtocolError, match=r"expects 9 recordings split into test 7, train 3, and nowhere gives 9 sp"):
        protocol.split(found, "b")


def test_a_validation_part_that_is_empty_is_refused(tmp_path: Path) -> None:
    rule = {"parts": {"train": ["p002"], "validation": ["p099"], "test": ["p012"]}}
    with pytest.raises(ProtocolError, match="leaves the part 'validation' empty on nowhere, which holds the part"):
        protocol_of(tmp_path, **rule).split(people("p002", "p012"))


def test_the_protocols_of_the_data_set_are_named_where_another_s_is_asked_for() -> None:
    with pytest.raises(ProtocolError, match=r"for the data set utd-mhad, not auc.*Choose one of: official\."):
        load_protocol("utd-mhad", "cross-subject").split(people("p002", dataset="auc"))
    with pytest.raises(ProtocolError, match="Choose one of: a protocol file of your own"):
        load_protocol("utd-mhad", "cross-subject").split(people("p002", dataset="mine"))
