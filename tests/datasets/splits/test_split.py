import dataclasses
from pathlib import Path

import pytest

from vskd.datasets.catalog import get_dataset
from vskd.datasets.recording import Index, Recording
from vskd.datasets.splits.protocol import load_protocol
from vskd.datasets.splits.split import (
    UNKNOWN,
    Split,
    carve_validation,
    checked,
    find_overlaps,
    overlaps,
    refuse_empty,
    unit_of,
)
from vskd.errors import ProtocolError


def world(subjects: int = 4, actions: int = 3, trials: int = 4, dataset: str = "synthetic") -> Index:
    """An index without files: recordings are all a split looks at."""
    recordings = [
        Recording(f"a{a}_s{s}_t{t}", str(s), str(t), a - 1, str(s), {})
        for a in range(1, actions + 1)
        for s in range(1, subjects + 1)
        for t in range(1, trials + 1)
    ]
    labels = tuple(f"action {a}" for a in range(1, actions + 1))
    return Index(dataset, Path("nowhere"), labels, tuple(sorted(recordings, key=lambda r: r.id)))


def split_of(index: Index, protocol: str) -> Split:
    return load_protocol("synthetic", protocol).split(index)


def test_carving_takes_the_highest_training_subject() -> None:
    index = world(subjects=12)
    split = split_of(index, "cross-subject")
    carved = carve_validation(split, index)
    by_id = index.by_id()
    assert {by_id[i].subject for i in carved.validation} == {"11"}, "11 is higher than 9"
    assert {by_id[i].subject for i in carved.train} == {"1", "3", "5", "7", "9"}
    assert carved.test == split.test
    assert sorted(carved.train + carved.validation) == list(split.train)
    assert (carved.protocol_hash, carved.split_hash != split.split_hash) == (split.protocol_hash, True)
    assert carve_validation(split, index) == carved


def test_carving_trials_takes_a_share_of_the_last_training_trial() -> None:
    index = world(subjects=8, actions=8, trials=4)
    split = split_of(index, "subject-specific")
    carved = carve_validation(split, index)
    chosen = [index.by_id()[i] for i in carved.validation]
    assert {r.trial for r in chosen} == {"3"}, "trials 1 and 3 train"
    assert len(chosen) == 8 * 8 // 4
    assert {r.subject for r in chosen} == set(index.subjects)
    assert {r.label for r in chosen} == set(range(8))
    assert sorted(carved.train + carved.validation) == list(split.train)
    assert carved.test == split.test


def test_carving_another_unit_than_the_protocol_s() -> None:
    index = world()
    carved = carve_validation(split_of(index, "subject-specific"), index, "subject")
    assert {index.by_id()[i].subject for i in carved.validation} == {"4"}
    assert {index.by_id()[i].trial for i in carved.validation} == {"1", "3"}, "never the test trials"


def test_carving_refuses_when_one_unit_trains() -> None:
    for index, protocol, unit in (
        (world(subjects=2), "cross-subject", "subject"),
        (world(trials=2), "subject-specific", "trial"),
    ):
        with pytest.raises(ProtocolError, match=rf"trains on one {unit} only \(1\)"):
            carve_validation(split_of(index, protocol), index)


def test_carving_refuses_a_second_validation_part() -> None:
    index = world()
    with pytest.raises(ProtocolError, match="already has a validation part of 12 recordings"):
        carve_validation(split_of(index, "cross-subject-val"), index)


def test_overlaps_of_ids_subjects_and_groups() -> None:
    index = world()
    split = split_of(index, "cross-subject")
    assert find_overlaps(split, index.by_id()) == ()
    leaking = dataclasses.replace(split, train=(*split.train, split.test[0]))
    assert [(o.what, o.values) for o in find_overlaps(leaking, index.by_id())] == [
        ("recording", ("a1_s2_t1",)),
        ("subject", ("2",)),
        ("group", ("2",)),
    ]
    allowed = dataclasses.replace(leaking, disjoint="none")
    assert [o.what for o in find_overlaps(allowed, index.by_id())] == ["recording"], "an id may never be shared"


def test_a_group_may_not_straddle_even_if_subjects_differ() -> None:
    index = world()
    one_source = tuple(dataclasses.replace(r, group="same video") for r in index)
    with pytest.raises(ProtocolError, match="train and test share group same video"):
        split_of(dataclasses.replace(index, recordings=one_source), "cross-subject")


def test_checked_refuses_unknown_ids_and_empty_parts() -> None:
    index = world()
    split = split_of(index, "cross-subject")
    with pytest.raises(ProtocolError, match="does not hold: a9_s9_t9"):
        checked(dataclasses.replace(split, test=("a9_s9_t9",)), index)
    with pytest.raises(ProtocolError, match="leaves the part 'train' empty"):
        checked(dataclasses.replace(split, train=()), index)


def test_checked_refuses_recordings_of_unknown_subjects() -> None:
    """Whoever made the split; where subjects need not be kept apart they do no harm."""
    index = world()
    split = split_of(index, "cross-subject")
    first, *rest = index
    nobody = dataclasses.replace(index, recordings=(dataclasses.replace(first, subject=UNKNOWN), *rest))
    with pytest.raises(ProtocolError, match="keeps subjects apart, but nobody knows whose 1 of the 48 recordings"):
        checked(split, nobody)
    shared = dataclasses.replace(split, disjoint="none")
    assert checked(shared, nobody) == shared


def test_a_carved_part_is_checked_like_any_other() -> None:
    """Two people of one source video may both train; one of them must not validate what the other has shown."""
    index = world(subjects=6)
    together = tuple(dataclasses.replace(r, group="a duet") if r.subject in "35" else r for r in index)
    index = dataclasses.replace(index, recordings=together)
    split = split_of(index, "cross-subject")
    assert {r.subject for r in index if r.id in split.train} == {"1", "3", "5"}
    with pytest.raises(ProtocolError, match="train and validation share group a duet"):
        carve_validation(split, index)


def test_split_hash_depends_on_the_ids_alone() -> None:
    split = split_of(world(), "cross-subject")
    assert dataclasses.replace(split, protocol="other", fold="7").split_hash == split.split_hash
    assert dataclasses.replace(split, train=split.train[1:]).split_hash != split.split_hash
    assert dataclasses.replace(split, train=split.test, test=split.train).split_hash != split.split_hash


def frames(subjects: int = 10, clips: int = 3, each: int = 20, subject: str = "") -> Index:
    """Frames of `clips` source videos per subject, in one official part train and every tenth in test."""
    recordings = [
        Recording(
            f"s{s}c{c}-{n:02d}",
            subject or f"p{s:03d}",
            str(c),
            n % 4,
            subject or f"p{s:03d}",
            {},
            clip=f"s{s}c{c}",
            position=n,
            part="test" if n % 10 == 0 else "train",
        )
        for s in range(1, subjects + 1)
        for c in range(1, clips + 1)
        for n in range(each)
    ]
    return Index("auc", Path("nowhere"), tuple("abcd"), tuple(sorted(recordings, key=lambda r: r.id)))


def official(index: Index) -> Split:
    return load_protocol("auc", "official").split(index)


def test_carving_clips_takes_every_fifth_source_video() -> None:
    index = frames()
    split = official(index)
    carved = carve_validation(split, index, "clip")
    by_id = index.by_id()
    videos = {by_id[i].clip for i in carved.validation}
    assert len(videos) == 30 // 5
    assert {by_id[i].trial for i in carved.validation} == {"1", "2", "3"}, "five and three have no common divisor"
    assert not videos & {by_id[i].clip for i in carved.train}, "no neighbour of a validated frame trains"
    assert carved.test == split.test
    assert sorted(carved.train + carved.validation) == list(split.train)


def test_published_validation_parts_of_clips_stay_what_they_were() -> None:
    """They were cut from clips in the order of the lengths of their names, not in the natural one."""
    index = frames(subjects=2, clips=5)
    renamed = {"s1c1": "z", "s2c5": "anna"}
    index = dataclasses.replace(
        index, recordings=tuple(dataclasses.replace(r, clip=renamed.get(r.clip, r.clip)) for r in index)
    )
    carved = carve_validation(official(index), index, "clip")
    assert {index.by_id()[i].clip for i in carved.validation} == {"s1c4", "s2c4"}


def test_carving_of_few_clips_takes_the_last() -> None:
    index = frames(subjects=1, clips=3)
    carved = carve_validation(official(index), index, "clip")
    assert {index.by_id()[i].clip for i in carved.validation} == {"s1c3"}
    with pytest.raises(ProtocolError, match=r"trains on one clip only \(s1c1\)"):
        carve_validation(official(frames(subjects=1, clips=1)), frames(subjects=1, clips=1), "clip")


def test_carving_recordings_takes_every_tenth_of_each_class() -> None:
    index = frames(subject="unknown")
    split = official(index)
    carved = carve_validation(split, index)
    assert split.validation_unit == "recording"
    by_id = index.by_id()
    for label in range(4):
        members = sorted(i for i in split.train if by_id[i].label == label)
        assert [i for i in carved.validation if by_id[i].label == label] == members[9::10]
    few = frames(subjects=1, clips=1, each=3)
    assert len(carve_validation(official(few), few).validation) == 1


@pytest.mark.parametrize(("subjects", "expected"), [(4, 1), (19, 1), (20, 2), (35, 3)])
def test_carving_of_named_subjects_takes_a_tenth_of_them(subjects: int, expected: int) -> None:
    index = frames(subjects=subjects, clips=1)
    carved = carve_validation(official(index), index, "subject")
    held = {index.by_id()[i].subject for i in carved.validation}
    assert held == {f"p{n:03d}" for n in range(subjects - expected + 1, subjects + 1)}


def test_carving_trials_of_named_subjects() -> None:
    index = frames()
    carved = carve_validation(official(index), index, "trial")
    chosen = [index.by_id()[i] for i in carved.validation]
    assert {r.trial for r in chosen} == {"3"}
    assert {(int(r.subject[1:]) - 1 + r.label) % 4 for r in chosen} == {0}


@pytest.mark.parametrize("others", [("D6", "d6"), ("d 6", "d6"), ("d06", "d6", "d006")])
@pytest.mark.parametrize("protocol", ["official", "leave-one-driver-out"])
def test_subjects_that_differ_in_spelling_only_are_refused(
    image_folder_root: Path, others: tuple[str, ...], protocol: str
) -> None:
    """By every protocol: as two persons they would pass a check for shared ones, and count twice in intervals."""
    index = get_dataset("image-folder").index(image_folder_root)
    names = [*others, "d60"]
    spelled = dataclasses.replace(
        index, recordings=tuple(dataclasses.replace(r, subject=names[n % len(names)]) for n, r in enumerate(index))
    )
    rule = load_protocol("image-folder", protocol)
    with pytest.raises(ProtocolError, match=r"are one person: '[dD] ?0*6' = ") as refused:
        rule.split(spelled, fold=None if protocol == "official" else "d60")
    assert all(f"'{name}'" in str(refused.value) for name in others) and "d60" not in str(refused.value)


def test_ids_that_are_not_there_are_named_in_order_and_at_most_five() -> None:
    index = world()
    strange = tuple(f"a9_s{n}_t9" for n in (7, 2, 5, 1, 3, 6))
    with pytest.raises(ProtocolError, match=r"hold: a9_s1_t9, a9_s2_t9, a9_s3_t9, a9_s5_t9, a9_s6_t9 and 1 more"):
        checked(dataclasses.replace(split_of(index, "cross-subject"), validation=strange), index)


def test_what_two_parts_share_is_told_in_order_for_each_pair() -> None:
    parts = {"train": "cab", "validation": "xyb", "test": "bcx"}
    assert [str(overlap) for overlap in overlaps(parts, "subject")] == [
        "train and validation share subject b",
        "train and test share subject b, c",
        "validation and test share subject b, x",
    ]


def test_carving_of_nothing_is_refused() -> None:
    index = world()
    with pytest.raises(ProtocolError, match=r"trains on one subject only \(none\)"):
        carve_validation(dataclasses.replace(split_of(index, "cross-subject"), train=()), index)


def test_the_parts_that_are_there_are_named_once_and_in_order() -> None:
    index = world()
    parts = ["train", "", "valid", "train"]
    index = dataclasses.replace(
        index, recordings=tuple(dataclasses.replace(r, part=parts[n % 4]) for n, r in enumerate(index))
    )
    others = {"official": "part", "by-person": "subject", "both": "part-subject", "days": "day"}
    with pytest.raises(ProtocolError) as caught:
        refuse_empty("mine", "test", index, others)
    assert "part 'test' empty on nowhere, which holds the part(s) train, valid." in str(caught.value)
    assert caught.value.action.endswith("with --protocol: official, by-person, both, days")
    nobody = dataclasses.replace(
        index, recordings=tuple(dataclasses.replace(r, part="", subject=UNKNOWN) for r in index)
    )
    with pytest.raises(ProtocolError) as caught:
        refuse_empty("mine", "test", nobody, others)
    assert caught.value.action.endswith("with --protocol: days") and "which holds" not in caught.value.problem


def test_the_unit_of_a_recording() -> None:
    one = Recording("r", "7", "2", 0, "g", {}, clip="c", part="test", factors={"day": "mo"})
    units = ("recording", "clip", "subject", "trial", "part", "day", "trial-subject-day")
    assert [unit_of(one, unit) for unit in units] == ["r", "c", "7", "2", "test", "mo", "2-7-mo"]


def test_carving_few_recordings_takes_the_last_id_and_few_trials_all_of_the_last() -> None:
    index = world(subjects=2, actions=2, trials=2)
    split = split_of(index, "subject-specific")
    few = dataclasses.replace(split, train=("a2_s1_t1", "a1_s2_t1", "a1_s1_t1"), validation_unit="recording")
    assert carve_validation(few, index).validation == ("a2_s1_t1",)
    last = dataclasses.replace(split, train=("a1_s1_t1", "a1_s1_t2"), test=("a2_s2_t1",), disjoint="none")
    assert carve_validation(last, index, "trial").validation == ("a1_s1_t2",)  # 1 + 0 is no multiple of four


def test_a_hash_knows_no_order_of_ids_and_carved_ids_have_one() -> None:
    index = world(subjects=8, actions=8)
    split = split_of(index, "subject-specific")
    assert dataclasses.replace(split, train=split.train[::-1]).split_hash == split.split_hash
    for unit in ("subject", "trial"):
        carved = carve_validation(split, index, unit)  # type: ignore[arg-type]
        assert list(carved.validation) == sorted(carved.validation) and len(carved.validation) > 9


def test_strange_ids_are_named_in_order_and_at_most_five() -> None:
    index = world()
    strange = tuple(f"z{n}" for n in (7, 3, 5, 1, 6, 2, 4))
    with pytest.raises(ProtocolError, match=r"does not hold: z1, z2, z3, z4, z5 and 2 more"):
        checked(dataclasses.replace(split_of(index, "cross-subject"), test=strange), index)


def test_every_tenth_recording_is_carved_by_id_whatever_their_order() -> None:
    index = world(subjects=2, actions=1, trials=20)
    ids = tuple(r.id for r in index)
    split = dataclasses.replace(
        split_of(index, "subject-specific"), train=ids[:25][::-1], test=ids[25:], validation_unit="recording"
    )
    assert carve_validation(split, index).validation == (ids[9], ids[19])
