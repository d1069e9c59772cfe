import dataclasses
import shutil
from collections.abc import Callable
from pathlib import Path

from vskd.datasets.catalog import get_dataset
from vskd.datasets.recording import Index, Recording, Stream
from vskd.datasets.splits.protocol import load_protocol
from vskd.datasets.splits.split import Split
from vskd.datasets.splits.split_facts import content_hashes, split_facts, two_classes
from vskd.preprocessing.sensor.reading import Reading


def folder(root: Path) -> Index:
    return get_dataset("image-folder").index(root)


def test_what_two_parts_share(image_folder_root: Path) -> None:
    index = folder(image_folder_root)
    renamed = [dataclasses.replace(r, clip=f"{r.subject}.mp4" if r.part == "train" else "") for r in index]
    index = dataclasses.replace(index, recordings=tuple(renamed))
    split = load_protocol("image-folder", "official").split(index)
    facts = split_facts(index, split, {})
    assert (facts.sizes, facts.subjects) == ({"train": 6, "validation": 0, "test": 6}, 3)
    assert facts.shared_subjects == facts.shared_groups == ("ann", "bob", "cleo")
    assert (facts.clips, facts.shared_clips, facts.unknown_subjects) == (0, (), 0)
    assert facts.classes == {"cat": (3, 3), "dog": (3, 3)}
    assert facts.same_content is None
    apart = split_facts(index, load_protocol("image-folder", "leave-one-driver-out").split(index, "bob"), {})
    assert (apart.fold, apart.subjects, apart.shared_subjects, apart.shared_groups) == ("bob", 1, (), ())
    assert apart.classes == {"cat": (6, 3), "dog": (6, 3)}  # of training, of test: each driver has three of each class


def test_unknown_subjects_are_counted_not_shared(image_folder_root: Path) -> None:
    (image_folder_root / "labels.csv").unlink()
    index = folder(image_folder_root)
    facts = split_facts(index, load_protocol("image-folder", "official").split(index), {})
    assert (facts.unknown_subjects, facts.subjects, facts.shared_subjects, facts.shared_groups) == (6, 0, (), ())


def test_equal_files_are_paired_and_contradictions_named(image_folder_root: Path) -> None:
    cats, dogs = image_folder_root / "train" / "cat", image_folder_root / "test" / "dog"
    shutil.copyfile(cats / "0.png", image_folder_root / "test" / "cat" / "1.png")
    shutil.copyfile(cats / "2.png", dogs / "2.png")
    index = folder(image_folder_root)
    contents = content_hashes(index.recordings, "image")
    assert len(contents) == 18 and len(set(contents.values())) == 16
    facts = split_facts(index, load_protocol("image-folder", "official").split(index), contents)
    assert facts.same_content == (("train/cat/0", "test/cat/1"), ("train/cat/2", "test/dog/2"))
    assert two_classes(index.recordings, contents) == (("test/dog/2", "train/cat/2"),)
    assert content_hashes(index.recordings, "depth") == {}


def test_sensor_files_are_compared_by_their_samples(make_utd: Callable[..., Path]) -> None:
    root = make_utd("a1_s1_t1", "a1_s2_t1")
    one, other = (root / "Inertial" / f"a1_s{s}_t1_inertial.mat" for s in (1, 2))
    content = bytearray(one.read_bytes())
    content[60:64] = b"1999"
    other.write_bytes(bytes(content))
    index = get_dataset("utd-mhad").index(root)
    hashes = content_hashes(index.recordings, "accelerometer")
    assert hashes["a1_s1_t1"] == hashes["a1_s2_t1"]


def test_parts_of_files_that_overlap_across_the_parts_are_paired(tmp_path: Path) -> None:
    (tmp_path / "one").write_bytes(b"samples")
    shutil.copyfile(tmp_path / "one", tmp_path / "copy")

    def part(name: str, file: str, subject: str, rows: tuple[int, int]) -> Recording:
        read = Stream("acc", "sensor", tmp_path / file, 50.0, "g", ("x",), reading=Reading(rows=rows))
        return Recording(name, subject, "1", 0, subject, {"acc": read, "again": read})

    recordings = (
        part("a", "one", "1", (0, 50)),
        part("b", "one", "1", (50, 90)),
        part("c", "copy", "2", (40, 60)),
        part("d", "copy", "2", (55, 70)),
        part("e", "copy", "2", (90, 99)),
    )
    split = Split(("a", "b"), (), ("c", "d", "e"), "p", None, "x", "x", "subject")
    facts = split_facts(Index("x", tmp_path, ("k",), recordings), split, {})
    assert set(facts.overlapping) == {("a", "c"), ("b", "c"), ("b", "d")} and len(facts.overlapping) == 3
