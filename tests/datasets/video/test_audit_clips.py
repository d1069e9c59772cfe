"""The audit of clips, in the layouts of UCF11 and of one's own folder: copies, groups, and the random division."""

import dataclasses
import hashlib
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest

from vskd.datasets.catalog import get_dataset
from vskd.datasets.recording import Recording, Stream
from vskd.datasets.splits.fold_audit import MAJORITY, NEAREST_PIXELS
from vskd.datasets.splits.protocol import load_protocol
from vskd.datasets.splits.protocol_audit import ProtocolAudit, audit_protocol, audit_summary
from vskd.datasets.splits.split import UNKNOWN, Split
from vskd.datasets.video import audit_clips
from vskd.datasets.video.audit_clips import ClipFindings, clip_contents
from vskd.datasets.video.lookalikes import SameClip
from vskd.errors import DataError
from vskd.preprocessing.sync.cut import Cut

CLASSES = {"biking": "biking", "walking": "walk_dog"}


def write_scene(path: Path, scene: int, start: int = 0, *, scale: int = 1, codec: str = "") -> Path:
    """A square that crosses the backdrop of its scene; `start` is where."""
    path.parent.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(scene)
    backdrop = np.kron(random.integers(0, 200, (4, 6, 3)), np.ones((16, 16, 1))).astype(np.uint8)
    with av.open(str(path), "w", format="mpeg" if path.suffix == ".mpg" else None) as container:
        stream = container.add_stream(codec or {".mpg": "mpeg1video"}.get(path.suffix, "libx264"), rate=25)
        stream.width, stream.height, stream.pix_fmt = 96 // scale, 64 // scale, "yuv420p"
        for number in range(10):
            picture = backdrop.copy()
            down, across = start % 50, (start + 7 * number) % 80
            picture[down : down + 14, across : across + 14] = 250
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    return path


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Writes a copy of UCF11 in little: two classes, six groups of three clips before each group's backdrop."""
    made = tmp_path_factory.mktemp("ucf11")
    for scene, (label, name) in enumerate(CLASSES.items()):
        for group in range(1, 7):
            for clip in (1, 2, 3):
                stem = f"v_{name}_{group:02}"
                write_scene(made / label / stem / f"{stem}_{clip:02}.mpg", 10 * group + scene, 23 * clip)

    def copy(root: Path, groups: str = "123456") -> Path:
        for path in (path for group in groups for path in made.glob(f"*/*_0{group}/*.mpg")):
            target = root / path.relative_to(made)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
        return root

    return copy


def audited(root: Path, dataset: str = "ucf11", protocol: str = "leave-5-groups-out", **how: object) -> ProtocolAudit:
    return audit_protocol(get_dataset(dataset).index(root), load_protocol(dataset, protocol), **how)  # type: ignore[arg-type]


def test_a_clean_set_shares_nothing_and_a_random_division_inflates(clean: Callable[..., Path], tmp_path: Path) -> None:
    """Of a group that never trained, the backdrop says nothing; of one that did, everything."""
    found = audited(clean(tmp_path))
    assert found.clips is not None and found.clips.same == ()
    assert [a.facts.fold for a in found.audits] == ["1-2-3-4-5", "6"]
    for audit in found.audits:
        assert audit.facts.shared_groups == () and audit.facts.same_content == ()
        assert set(audit.predictions) == {MAJORITY, NEAREST_PIXELS} and not audit.unreadable
    assert found.clips.division is not None
    assert found.clips.division.accuracy > 0.8 > 0.6 > found.pooled()[NEAREST_PIXELS].accuracy
    assert found.clips.division.groups_in_training is not None and found.clips.division.groups_in_training > 0.8


def test_copies_across_groups_are_found_in_equal_files_or_not(clean: Callable[..., Path], tmp_path: Path) -> None:
    """A clip of group 1 comes again in group 6: half as large and in another codec, and, in another class, as it is."""
    root = clean(tmp_path, "126")
    first = root / "biking/v_biking_01/v_biking_01_01.mpg"
    write_scene(root / "biking/v_biking_06/v_biking_06_02.avi", 10, 23, scale=2, codec="mpeg4")
    (root / "biking/v_biking_06/v_biking_06_02.mpg").unlink()
    (root / "walking/v_walk_dog_06/v_walk_dog_06_01.mpg").write_bytes(first.read_bytes())
    found = audited(root, protocol="leave-one-group-out", fold="6")
    assert found.clips is not None
    assert found.clips.same == (SameClip(("v_biking_01_01", "v_biking_06_02", "v_walk_dog_06_01"), False),)
    summary = audit_summary(found)
    (fold,) = summary["folds"]
    assert fold["same_content"] == (("v_biking_01_01", "v_walk_dog_06_01"),), "by their bytes"
    assert set(fold["same_clip"]) == {("v_biking_01_01", "v_biking_06_02"), ("v_biking_01_01", "v_walk_dog_06_01")}
    assert summary["same_content_two_classes"] == [["v_biking_01_01", "v_walk_dog_06_01"]]
    (clip,) = summary["clips"]["same_clip"]
    assert (clip["labels"], clip["groups"]) == (["biking", "walking"], ["biking 1", "biking 6", "walking 6"])


def test_what_is_shared_by_its_bytes_is_not_told_twice() -> None:
    same = (SameClip(("a", "b"), True), SameClip(("c", "d", "e"), False), SameClip(("f", "g"), False))
    found = ClipFindings("rgb", same, {}, {}, None)
    split = Split(("a", "c", "f", "g"), (), ("b", "d", "e"), "mine", None, "", "")
    assert found.shared(split) == (("c", "d"), ("c", "e"))


def test_lookalikes_of_one_group_are_counted_and_those_of_several_named() -> None:
    """Two trials of a person may look the same; where nobody knows groups, nothing says that they are of one."""
    same = tuple(SameClip(ids, False) for ids in (("a1", "a2"), ("a3", "b1"), ("b2", "b3"), ("x", "y")))
    group = {i: i[0] for clip in same[:3] for i in clip.ids} | dict.fromkeys("xy", UNKNOWN)
    label = dict.fromkeys(group, "run") | {"b3": "jump"}
    summary = ClipFindings("rgb", same, group, label, None).summary()
    assert [clip["ids"] for clip in summary["same_clip"]] == [("a3", "b1"), ("b2", "b3"), ("x", "y")]
    assert summary["alike_within_a_group"] == 2


def test_a_group_on_both_sides_is_named(tmp_path: Path) -> None:
    rows = ["path,group"]
    for number, group in enumerate(("anna", "ben", "anna")):
        for label in ("jump", "run"):
            name = f"{'test' if number == 2 else 'train'}/{label}/{number}.mp4"
            write_scene(tmp_path / name, number + 5 * (label == "run"), 7 * number)
            rows.append(f"{name},{group}")
    (tmp_path / "labels.csv").write_text("\n".join(rows) + "\n")
    (audit,) = audited(tmp_path, "video-folder", "official").audits
    assert audit.facts.shared_groups == ("anna",)


def test_unreadable_clips_are_named_and_what_was_decoded_is_kept(clean: Callable[..., Path], tmp_path: Path) -> None:
    root = clean(tmp_path / "data", "16")
    broken = root / "walking/v_walk_dog_06/v_walk_dog_06_01.mpg"
    broken.write_bytes(b"no video" * 50)
    found = audited(root, protocol="leave-one-group-out", fold="6", cache=tmp_path / "cache")
    assert list(found.audits[0].unreadable) == ["v_walk_dog_06_01"]
    assert found.audits[0].predictions[NEAREST_PIXELS].shape == (6,)
    assert (tmp_path / "cache" / "audit-ucf11-rgb.h5").is_file()


def test_the_stream_is_chosen_by_name(synthetic_root: Path) -> None:
    found = audited(synthetic_root, "synthetic", "cross-subject", stream="rgb")
    assert found.clips is not None and found.clips.stream == "rgb" and NEAREST_PIXELS in found.pooled()
    assert audited(synthetic_root, "synthetic", "cross-subject").clips is None, "sensors, where nothing is said"
    with pytest.raises(DataError, match=r"no recording has the stream 'depth'\. Choose one of: accelerometer, .*rgb"):
        audited(synthetic_root, "synthetic", "cross-subject", stream="depth")


def test_one_clip_that_both_parts_hold_is_told_by_the_first_that_trains() -> None:
    same = (SameClip(("a", "b", "c", "d"), False), SameClip(("x", "y"), False))
    found = ClipFindings("rgb", same, {}, {}, None)
    assert found.shared(Split(("b", "c"), (), ("a", "d", "x"), "mine", None, "", "")) == (("b", "a"), ("b", "d"))


def test_parts_of_one_file_are_different_contents(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"film")
    whole = Stream("rgb", "video", tmp_path / "a.mp4", 30.0, "uint8")
    cuts = (None, Cut(0.0, 1.0), Cut(1.0, 2.0), Cut(0.0, 1.0))
    found = clip_contents({str(n): dataclasses.replace(whole, cut=c) for n, c in enumerate(cuts)}, tmp_path / "cache")
    assert found["0"] == hashlib.sha256(b"film").hexdigest() and found["1"] == found["3"]
    assert len(set(found.values())) == 3


def test_a_mirror_image_s_class_reaches_the_random_division(monkeypatch: pytest.MonkeyPatch) -> None:
    class Nothing:
        ids: tuple[str, ...] = ("a",)
        unreadable: dict[str, str] = {}  # noqa: RUF012

        def of(self, recordings: object) -> np.ndarray:
            return np.zeros((1, 1, 2, 2), dtype=np.float32)

    asked: list[object] = []
    monkeypatch.setattr(audit_clips, "random_division", lambda *words: asked.append(words[2]))
    recordings = [Recording("a", "1", "1", 0, "1", {}), Recording("gone", "1", "1", 0, "1", {})]
    for swap in ([1, 0], None):
        assert audit_clips.examine_clips(recordings, ("x", "y"), "rgb", Nothing(), {}, swap).division is None  # type: ignore[arg-type]
    assert asked == [[1, 0], None]
