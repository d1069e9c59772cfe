import dataclasses
import logging
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from scipy.io import loadmat, savemat

from vskd.datasets.catalog import get_dataset
from vskd.datasets.recording import Index, Problem, Recording, Stream
from vskd.datasets.splits.audit import (
    Leak,
    audit_split,
    check_problems,
    content_leaks,
    find_leaks,
    overlap_leaks,
    split_gaps,
)
from vskd.datasets.splits.contents import of_files
from vskd.datasets.splits.protocol import carve_validation, load_protocol
from vskd.datasets.splits.split import Split
from vskd.errors import DataError, ProtocolError
from vskd.preprocessing.sensor.reading import Reading

Make = Callable[..., Path]


def utd(root: Path) -> Index:
    return get_dataset("utd-mhad").index(root)


def cross_subject(index: Index):  # type: ignore[no-untyped-def]
    return load_protocol(index.dataset, "cross-subject").split(index)


def test_a_clean_split_passes(synthetic_root: Path) -> None:
    index = get_dataset("synthetic").index(synthetic_root)
    for name in ("cross-subject", "cross-subject-val", "subject-specific"):
        split = load_protocol("synthetic", name).split(index)
        assert find_leaks(split, index, streams=("accelerometer", "rgb")) == ()
        audit_split(split, index)


def test_real_splits_are_clean(utd_mhad_root: Path) -> None:
    index = utd(utd_mhad_root)
    for name in ("cross-subject", "subject-specific"):
        split = load_protocol("utd-mhad", name).split(index)
        audit_split(split, index)
        audit_split(carve_validation(split, index), index)


def test_shared_ids_and_subjects_are_found(make_utd: Make) -> None:
    index = utd(make_utd("a1_s1_t1", "a1_s2_t1"))
    split = cross_subject(index)
    leaking = dataclasses.replace(split, train=("a1_s1_t1", "a1_s2_t1"))
    assert [leak.kind for leak in find_leaks(leaking, index)] == ["recording", "subject", "group", "content"]
    with pytest.raises(ProtocolError, match=r"leaks: train and test share recording a1_s2_t1; .*share subject 2"):
        audit_split(leaking, index)


def test_the_same_samples_under_two_ids_are_found_however_they_were_saved(make_utd: Make) -> None:
    root = make_utd("a1_s1_t1", "a1_s2_t1", "a2_s1_t1", "a2_s2_t1")
    original, copy = (root / "Inertial" / f"a1_s{s}_t1_inertial.mat" for s in (1, 2))
    shutil.copyfile(original, copy)
    index = utd(root)
    split = cross_subject(index)
    (leak,) = find_leaks(split, index)
    assert (leak.kind, leak.parts) == ("content", ("train", "test"))
    assert "a1_s1_t1 = a1_s2_t1" in leak.detail
    dated = bytearray(copy.read_bytes())
    dated[60:64] = b"1999"
    savemat(copy, {"d_iner": loadmat(original)["d_iner"]}, do_compression=False)
    for content in (bytes(dated), copy.read_bytes()):
        assert original.read_bytes() != content
        copy.write_bytes(content)
        with pytest.raises(ProtocolError, match="the same accelerometer samples: a1_s1_t1 = a1_s2_t1"):
            audit_split(split, utd(root))
    assert find_leaks(split, utd(root), contents=of_files) == (), "by bytes, they are different"
    audit_split(split, utd(root), contents=of_files)


def test_same_video_under_two_ids_is_found_on_request(make_utd: Make) -> None:
    index = utd(make_utd("a1_s1_t1", "a1_s2_t1"))  # the fixture copies one video
    split = cross_subject(index)
    assert find_leaks(split, index) == ()
    assert [leak.kind for leak in find_leaks(split, index, streams=("depth", "rgb"))] == ["content"]


def test_a_clip_in_another_container_is_found(make_utd: Make) -> None:
    root = make_utd("a1_s1_t1", "a1_s2_t1")
    clip = root / "DepthVideo" / "a1_s2_t1_depth.mp4"
    clip.write_bytes(clip.read_bytes() + b"\0\0\0\x08free")
    index = utd(root)
    split = cross_subject(index)
    assert find_leaks(split, index, streams=("depth",), contents=of_files) == ()
    with pytest.raises(ProtocolError, match="train and test hold the same depth samples: a1_s1_t1 = a1_s2_t1"):
        audit_split(split, index, streams=("depth",))


def test_contents_are_compared_between_parts_alone() -> None:
    split = Split(("a", "b"), ("c",), ("d", "e"), "p", None, "", "")
    held = {"a": "1", "b": "1", "c": "2", "d": "2", "e": "3", "stranger": "1"}
    (leak,) = content_leaks(split, held, "image")
    assert leak == Leak("content", ("validation", "test"), "validation and test hold the same image samples: c = d")
    assert content_leaks(split, {**held, "d": "4"}, "image") == ()
    assert content_leaks(split, {i: held[i] for i in "abde"}, "image") == (), "of c nothing is known"


def test_duplicates_and_unknown_classes_are_refused(make_utd: Make, inertial_file: Callable[..., Path]) -> None:
    root = make_utd("a1_s1_t1", "a1_s2_t1")
    check_problems(utd(root))
    stranger = inertial_file(root / "Inertial" / "a28_s1_t1_inertial.mat")
    with pytest.raises(DataError, match=r"1 unknown file.*a28_s1_t1_inertial\.mat: action 28 is no class"):
        check_problems(utd(root))
    stranger.unlink()
    inertial_file(root / "Inertial" / "copy" / "a1_s1_t1_inertial.mat")
    with pytest.raises(DataError, match=r"1 duplicate file.*copy/a1_s1_t1_inertial\.mat"):
        check_problems(utd(root))


def test_a_small_share_of_bad_recordings_is_tolerated_and_named(
    make_utd: Make, caplog: pytest.LogCaptureFixture
) -> None:
    root = make_utd(*(f"a1_s{s}_t{t}" for s in (1, 2) for t in (1, 2)))
    (root / "Inertial" / "a1_s1_t1_inertial.mat").write_bytes(b"")
    (root / "DepthVideo" / "a1_s2_t1_depth.mp4").unlink()
    index = utd(root)
    with pytest.raises(DataError, match=r"1 corrupt, 1 unpaired file.*a1_s1_t1_inertial\.mat is empty"):
        check_problems(index)
    with caplog.at_level(logging.WARNING):
        check_problems(index, max_bad_fraction=0.5)
    assert "corrupt recording a1_s1_t1" in caplog.text and "unpaired recording a1_s2_t1" in caplog.text


def test_classes_without_recordings_are_named(image_folder_root: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        check_problems(get_dataset("image-folder").index(image_folder_root))
        assert caplog.text == ""
        (image_folder_root / "train" / "horse").mkdir()
        check_problems(get_dataset("image-folder").index(image_folder_root))
    assert "no usable recording of 1 class(es): horse" in caplog.text


def test_long_lists_of_problems_are_shortened() -> None:
    problems = tuple(Problem("duplicate", f"a1_s1_t{n}", f"file {n}", "twice") for n in range(9))
    with pytest.raises(DataError, match=r"9 duplicate.*and 6 more"):
        check_problems(Index("utd-mhad", Path("x"), (), (), problems))


def test_a_part_that_no_protocol_uses_is_said(image_folder_root: Path, caplog: pytest.LogCaptureFixture) -> None:
    index = get_dataset("image-folder").index(image_folder_root)
    split = load_protocol("image-folder", "official").split(index)
    assert split_gaps(split, index) == (
        "6 of the 6 recordings of the part 'valid' neither train nor validate nor test",
    )
    with caplog.at_level(logging.WARNING):
        audit_split(split, index, streams=("image",))
    assert f"Protocol official on {image_folder_root}: 6 of the 6 recordings of the part 'valid'" in caplog.text
    assert split_gaps(load_protocol("image-folder", "official-val").split(index), index) == ()


def test_classes_that_cannot_be_learned_are_said(image_folder_root: Path, image_file: Callable[..., Path]) -> None:
    for part, name, images in (
        *(("test", "newt", 2), ("train", "newt", 0), ("train", "owl", 1), ("test", "owl", 2)),
        *(("train", "emu", 1), ("train", "yak", 2)),
    ):
        for number in range(images):
            image_file(image_folder_root / part / name / f"{number}.png", seed=len(part) + 10 * ord(name[0]) + number)
    (image_folder_root / "labels.csv").unlink()
    index = get_dataset("image-folder").index(image_folder_root)
    split = load_protocol("image-folder", "official-val").split(index)
    assert split_gaps(split, index) == (
        "1 class(es) tested and never trained: newt",
        "1 class(es) of a single training recording: owl",
        "1 class(es) of a single recording in all: emu",
    )


def test_recordings_without_parts_are_counted(image_folder_root: Path) -> None:
    found = get_dataset("image-folder").index(image_folder_root)
    index = dataclasses.replace(found, recordings=tuple(dataclasses.replace(r, part="") for r in found))
    split = load_protocol("image-folder", "official").split(found)
    assert split_gaps(split, index) == ("6 of the 18 recordings of the folder neither train nor validate nor test",)


def test_complete_splits_have_no_gaps(synthetic_root: Path) -> None:
    index = get_dataset("synthetic").index(synthetic_root)
    for name in ("cross-subject", "cross-subject-val", "subject-specific"):
        split = load_protocol("synthetic", name).split(index)
        assert split_gaps(split, index) == ()


def test_overlapping_parts_are_told_in_the_order_of_the_split(tmp_path: Path) -> None:
    """Not in that of their names: who trains comes first."""
    (tmp_path / "one").write_bytes(b"samples")

    def part(*rows: int) -> Stream:
        return Stream("acc", "sensor", tmp_path / "one", 50.0, "g", ("x",), reading=Reading(rows=rows))  # type: ignore[arg-type]

    streams = {"z": part(0, 50), "a": part(40, 60), "m": part(55, 90), "y": part(10, 20)}
    split = Split(("y", "z"), ("m",), ("a",), "p", None, "x", "x")
    leaks = overlap_leaks(split, streams, "acc")
    assert {leak.parts: leak.detail for leak in leaks} == {
        ("train", "test"): "train and test hold overlapping acc samples: z and a",
        ("validation", "test"): "validation and test hold overlapping acc samples: m and a",
    }


def of(recordings: int, *problems: Problem) -> Index:
    made = tuple(Recording(f"r{n}", "1", "1", n % 2, "1", {}) for n in range(recordings))
    return Index("mine", Path("here"), ("a", "b"), made, problems)


def test_one_bad_recording_of_fifty_is_tolerated() -> None:
    """However many of its files are bad."""
    twice = [Problem(kind, "r9", kind, "bad") for kind in ("unpaired", "corrupt")]  # type: ignore[arg-type]
    check_problems(of(50, *twice))
    with pytest.raises(DataError, match=r"here has 1 corrupt, 1 unpaired file\(s\): unpaired unpaired: bad"):
        check_problems(of(49, *twice))
    with pytest.raises(DataError, match="1 corrupt, 1 unpaired"):
        check_problems(of(100, *twice), max_bad_fraction=0.0)


def test_of_a_folder_without_recordings_no_class_is_called_empty(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        check_problems(of(0))
        assert caplog.text == ""
        check_problems(of(1))
    assert "here: no usable recording of 1 class(es): b" in caplog.text


def test_parts_that_nothing_uses_are_told_in_order() -> None:
    index = of(12)
    parts = "hgfedcba"
    recordings = tuple(dataclasses.replace(r, part=parts[n] if n < 8 else "") for n, r in enumerate(index))
    split = Split(("r8", "r9"), (), ("r10", "r11"), "p", None, "x", "x")
    told = split_gaps(split, dataclasses.replace(index, recordings=recordings))
    assert [text.split("'")[1] for text in told if "'" in text] == sorted(parts)


def test_long_lists_of_what_two_parts_share_are_shortened(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    names = [f"{n}" for n in range(7)]
    split = Split(tuple(f"a{n}" for n in names), (), tuple(f"b{n}" for n in names), "p", None, "x", "x")
    (leak,) = content_leaks(split, {f"{side}{n}": n for side in "ab" for n in names}, "acc")
    assert leak.detail.endswith("samples: a0 = b0, a1 = b1, a2 = b2, a3 = b3, a4 = b4 and 2 more")
    streams = {}
    for n in names:
        (tmp_path / n).write_text(n)
        for side, rows in (("a", (0, 50)), ("b", (40, 90))):
            streams[side + n] = Stream("acc", "sensor", tmp_path / n, 50.0, "g", ("x",), reading=Reading(rows=rows))
    (leak,) = overlap_leaks(split, streams, "acc")
    assert leak.detail.endswith("a4 and b4 and 2 more")
    index = dataclasses.replace(of(1), labels=tuple("abcdefgh"))
    with caplog.at_level(logging.WARNING):
        check_problems(index)
    assert "no usable recording of 7 class(es): b, c, d, e, f and 2 more" in caplog.text
    many = Index(
        "mine", Path("here"), tuple("abcdefgh"), tuple(Recording(f"r{n}", "1", "1", n, "1", {}) for n in range(7))
    )
    gaps = split_gaps(Split(tuple(f"r{n}" for n in range(7)), (), (), "p", None, "x", "x"), many)
    assert gaps == ("7 class(es) of a single recording in all: a, b, c, d, e and 2 more",)
