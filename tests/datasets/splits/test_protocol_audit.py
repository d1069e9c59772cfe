"""The audit of a protocol: on made frames whose leakage is known, and on the real ones."""

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.io import loadmat, savemat

from vskd.datasets.catalog import get_dataset
from vskd.datasets.images.image_baselines import thumbnails
from vskd.datasets.recording import Index, Recording, Stream
from vskd.datasets.splits import protocol_audit
from vskd.datasets.splits.fold_audit import MAJORITY, NEAREST_FRAME, NEAREST_PIXELS, FoldAudit, audit_fold
from vskd.datasets.splits.protocol import load_protocol
from vskd.datasets.splits.protocol_audit import ProtocolAudit, audit_protocol, audit_summary
from vskd.datasets.splits.split import Split
from vskd.datasets.splits.split_facts import content_hashes, two_classes
from vskd.errors import DataError, ProtocolError

Make = Callable[..., Path]
NAME = "driver-inattention"


def frames(root: Path) -> Index:
    return get_dataset(NAME).index(root)


def audit(index: Index, protocol: str, fold: str | None = None):  # type: ignore[no-untyped-def]
    swap = get_dataset(index.dataset).label_swap
    return audit_protocol(index, load_protocol(index.dataset, protocol), fold=fold, label_swap=swap)


def test_distances_and_copied_labels(leaky: Path) -> None:
    audited = audit(frames(leaky), "official")
    summary = json.loads(json.dumps(audit_summary(audited)))
    (fold,) = summary["folds"]
    assert fold["nearest_frame"] == {
        "in_shared_clips": 0.75,
        "same_frame": 0.0,
        "within_1": 0.25,
        "within_2": 0.5,
        "median": 2.0,
    }
    assert (fold["shared_subjects"], fold["shared_clips"], fold["subjects"]) == (["1"], ["gA_1_s1"], 2)
    (one,) = audited.audits
    by_id = {i: n for n, i in enumerate(sorted(r.id for r in audited.index if r.part == "valid"))}
    order = [by_id[f"gA_{name}"] for name in ("1_s1-2", "1_s1-5", "1_s1-40", "2_s1-9")]
    # frame 2: the earlier neighbour, 1; 5: frame 3; 40: frame 20; another clip: the majority class
    assert one.predictions[NEAREST_FRAME][order].tolist() == [3, 0, 3, 3]
    assert one.predictions[MAJORITY].tolist() == [3] * 4
    assert fold["baselines"][NEAREST_FRAME]["accuracy"] == 0.75
    assert fold["baselines"][MAJORITY]["accuracy"] == 0.5
    assert summary["pooled"] == fold["baselines"]


def test_copies_of_training_pictures_are_recognised_mirrored_or_not(leaky: Path) -> None:
    paths = {r.id: r.stream("image").path for r in frames(leaky)}
    paths["gA_1_s1-40"].write_bytes(paths["gA_1_s1-3"].read_bytes())
    with Image.open(paths["gA_1_s1-3"]) as image:
        mirrored = np.asarray(image)[:, ::-1]
    Image.fromarray(mirrored).save(paths["gA_2_s1-9"], quality=100)
    audited = audit(frames(leaky), "official")
    (one,) = audited.audits
    predicted = dict(zip(sorted(paths), [None] * len(paths), strict=True))
    test = load_protocol(NAME, "official").split(audited.index).test
    predicted.update(zip(test, one.predictions[NEAREST_PIXELS].tolist(), strict=True))
    assert predicted["gA_1_s1-40"] == predicted["gA_2_s1-9"] == 0, "the class of frame 3"
    assert one.facts.same_content == (("gA_1_s1-3", "gA_1_s1-40"),)
    assert audited.two_classes == (("gA_1_s1-3", "gA_1_s1-40"),)


def test_without_mirror_images_where_they_are_forbidden(leaky: Path) -> None:
    paths = {r.id: r.stream("image").path for r in frames(leaky)}
    with Image.open(paths["gA_1_s1-3"]) as image:
        mirrored = np.asarray(image)[:, ::-1]
    Image.fromarray(mirrored).save(paths["gA_1_s1-40"], quality=100)
    index, protocol = frames(leaky), load_protocol(NAME, "official")
    row = protocol.split(index).test.index("gA_1_s1-40")
    swapped = audit_protocol(index, protocol, label_swap={"DangerousDriving": "Yawn", "Yawn": "DangerousDriving"})
    assert swapped.audits[0].predictions[NEAREST_PIXELS][row] == 5, "a mirrored class 0 is class 5 here"
    plain = audit_protocol(index, protocol)
    assert plain.audits[0].predictions[NEAREST_PIXELS][row] != 5


def test_disjoint_folds_share_nothing_and_are_pooled(inattention_root: Path) -> None:
    summary = audit_summary(audit(frames(inattention_root), "subject-folds"))
    assert [fold["fold"] for fold in summary["folds"]] == ["1-6", "2-7", "3-8", "4-9", "5-10"]
    for fold in summary["folds"]:
        assert fold["shared_subjects"] == fold["shared_clips"] == fold["shared_groups"] == ()
        assert fold["nearest_frame"] is None and set(fold["baselines"]) == {MAJORITY, NEAREST_PIXELS}
        assert fold["notes"] == [f"no '{NEAREST_FRAME}': no clip with known frame numbers is in both parts"]
    sizes = [fold["sizes"]["test"] for fold in summary["folds"]]
    mean = np.average([f["baselines"][NEAREST_PIXELS]["accuracy"] for f in summary["folds"]], weights=sizes)
    assert summary["pooled"][NEAREST_PIXELS]["accuracy"] == pytest.approx(mean)
    one = audit(frames(inattention_root), "subject-folds", "2-7")
    assert [a.facts.fold for a in one.audits] == ["2-7"]
    with pytest.raises(ProtocolError, match="no fold '2'"):
        audit(frames(inattention_root), "subject-folds", "2")


def test_unreadable_images_are_named_and_not_compared(leaky: Path) -> None:
    index = frames(leaky)
    for name in ("gA_1_s1-1", "gA_1_s1-2"):
        path = index.by_id()[name].stream("image").path
        path.write_bytes(path.read_bytes()[:300])
    (one,) = audit(index, "official").audits
    assert sorted(one.unreadable) == ["gA_1_s1-1", "gA_1_s1-2"]
    assert one.predictions[NEAREST_PIXELS][load_protocol(NAME, "official").split(index).test.index("gA_1_s1-2")] == 3
    for recording in index:
        if recording.part == "train":
            recording.stream("image").path.write_bytes(b"\xff\xd8\xff")
    (one,) = audit(index, "official").audits
    assert NEAREST_PIXELS not in one.predictions
    assert f"no '{NEAREST_PIXELS}': there are no images to compare" in one.notes


def test_names_alone_are_audited_where_there_are_no_images(state_farm_table: Path) -> None:
    index = get_dataset("state-farm").index(state_farm_table)
    (one,) = audit(index, "driver-folds", "3").audits
    assert (one.facts.subjects, one.facts.shared_subjects, one.facts.same_content) == (5, (), None)
    assert set(one.predictions) == {MAJORITY} and f"no '{NEAREST_PIXELS}': there are no images to compare" in one.notes
    assert one.scores()[MAJORITY].macro_recall == pytest.approx(0.1)


def test_sensor_data_sets_are_audited_as_far_as_they_go(synthetic_root: Path) -> None:
    index = get_dataset("synthetic").index(synthetic_root)
    (one,) = audit(index, "cross-subject").audits
    assert (one.facts.shared_subjects, one.facts.same_content) == ((), ())
    assert set(one.predictions) == {MAJORITY} and len(one.notes) == 2
    worn = [dataclasses.replace(r, streams={"accelerometer": r.stream("accelerometer")}) for r in index]
    (alone,) = audit(dataclasses.replace(index, recordings=tuple(worn)), "cross-subject").audits
    assert alone.notes == (), "nobody asks for pictures of a sensor"
    (mixed,) = audit(index, "subject-specific").audits
    assert mixed.facts.shared_subjects == ("1", "2", "3", "4")


def test_a_near_copy_on_the_other_side_is_found_and_no_copy_twice(synthetic_root: Path, tmp_path: Path) -> None:
    """A training recording without a row, under the name of a person who is tested; and one with all of its rows."""
    index = get_dataset("synthetic").index(synthetic_root)
    (clean,) = audit(index, "cross-subject").audits
    train, other, near, equal = (index.by_id()[i] for i in (*clean.split.train[:2], *clean.split.test[:2]))
    stream = train.stream("accelerometer")
    samples = loadmat(stream.path)[stream.variable]
    savemat(tmp_path / "near.mat", {stream.variable: np.delete(samples, len(samples) // 2, axis=0)})
    copied = {
        near.id: dataclasses.replace(stream, path=tmp_path / "near.mat"),
        equal.id: other.stream("accelerometer"),
    }
    changed = [
        dataclasses.replace(r, streams={**r.streams, "accelerometer": copied[r.id]}) if r.id in copied else r
        for r in index
    ]
    found = audit(dataclasses.replace(index, recordings=tuple(changed)), "cross-subject")
    assert {frozenset(pair) for pair in found.near_copies or ()} == {frozenset((train.id, near.id))}
    summary = audit_summary(found)
    assert summary["folds"][0]["near_copies"] == [[train.id, near.id]]
    assert summary["folds"][0]["same_content"] == ((other.id, equal.id),)
    assert audit_summary(audit(index, "cross-subject"))["near_copies"] == []


def test_a_folder_without_recordings_is_refused(leaky: Path) -> None:
    empty = Index(NAME, leaky, ("a",), ())
    with pytest.raises(DataError, match="no usable recordings"):
        audit_protocol(empty, load_protocol(NAME, "official"))


@pytest.fixture(scope="module")
def real(inattention_data: Path) -> Callable[[str], ProtocolAudit]:
    """Audits a protocol on the real images, which are read once for both tests."""
    index = frames(inattention_data)
    contents, pictures = content_hashes(index.recordings, "image"), thumbnails(index.recordings)

    def audited(name: str) -> ProtocolAudit:
        protocol = load_protocol(NAME, name)
        splits = [protocol.split(index, fold) for fold in protocol.fold_names(index) or (None,)]
        swap = list(range(6))
        audits = [audit_fold(index, s, contents=contents, pictures=pictures, label_swap=swap) for s in splits]
        return ProtocolAudit(index, tuple(audits), two_classes(index.recordings, contents))

    return audited


def test_the_leakage_of_the_published_division(real: Callable[[str], ProtocolAudit]) -> None:
    """Published: 85.8 % of the validation frames have a training frame beside them, 95.6 % within two.

    The nearest frame's label is right for 86.2 %, the nearest picture's (mirrored ones included) for 87.8 %, macro F1
    0.850. Those pixels were of 640 x 360; the images here may have half of that, hence half a percent point of slack.
    """
    summary = audit_summary(real("official"))
    (fold,) = summary["folds"]
    assert len(fold["shared_subjects"]) == 10 and len(fold["shared_clips"]) == 30
    assert fold["same_content"] == () and summary["same_content_two_classes"] == [] and fold["unreadable"] == {}
    assert fold["nearest_frame"]["within_1"] == pytest.approx(0.858, abs=5e-4)
    assert fold["nearest_frame"]["within_2"] == pytest.approx(0.956, abs=5e-4)
    assert fold["nearest_frame"]["same_frame"] == 0
    assert fold["baselines"][NEAREST_FRAME]["accuracy"] == pytest.approx(0.862, abs=5e-4)
    pixels = fold["baselines"][NEAREST_PIXELS]
    assert pixels["accuracy"] == pytest.approx(0.878, abs=0.005)
    assert pixels["macro_f1"] == pytest.approx(0.850, abs=0.01)


def test_the_honest_figure_of_the_same_pictures(real: Callable[[str], ProtocolAudit]) -> None:
    """Published, leaving one driver out: 52.05 %, macro F1 0.391, 26.5 to 64.9 % by driver, over all three parts.

    Without the part test (a tenth of the frames) and at half the resolution it is half a percent point less.
    """
    audited = real("leave-one-subject-out")
    pooled = audited.pooled()
    assert pooled[NEAREST_PIXELS].accuracy == pytest.approx(0.5205, abs=0.01)
    assert pooled[NEAREST_PIXELS].macro_f1 == pytest.approx(0.391, abs=0.01)
    assert pooled[MAJORITY].accuracy == pytest.approx(0.418, abs=0.005)
    by_driver = [a.scores()[NEAREST_PIXELS].accuracy for a in audited.audits]
    assert len(by_driver) == 10 and min(by_driver) < 0.3 and 0.6 < max(by_driver) < 0.7


def test_where_no_test_image_can_be_read_pixels_are_not_compared(leaky: Path) -> None:
    index = frames(leaky)
    for recording in index:
        if recording.part == "valid":
            recording.stream("image").path.write_bytes(b"\xff\xd8\xff")
    (one,) = audit(index, "official").audits
    assert (
        NEAREST_PIXELS not in one.predictions and f"no '{NEAREST_PIXELS}': there are no images to compare" in one.notes
    )


def test_baselines_are_pooled_where_they_apply_to_all_folds() -> None:
    def fold(predictions: dict[str, list[int]], labels: list[int]) -> FoldAudit:
        split = Split((), (), (), "mine", None, "", "")
        found = {name: np.array(one) for name, one in predictions.items()}
        return FoldAudit(split, None, np.array(labels), found, None, {}, ())  # type: ignore[arg-type]

    one = fold({MAJORITY: [0, 0, 0], NEAREST_FRAME: [0, 1, 2], NEAREST_PIXELS: [0, 1, 1]}, [0, 1, 2])
    two = fold({MAJORITY: [1], NEAREST_PIXELS: [2]}, [2])
    pooled = ProtocolAudit(Index(NAME, Path(), ("a",), ()), (one, two), ()).pooled()
    assert list(pooled) == [MAJORITY, NEAREST_PIXELS]
    assert (pooled[MAJORITY].accuracy, pooled[NEAREST_PIXELS].accuracy) == (0.25, 0.75)


def test_frames_of_a_clip_that_never_trained_have_no_distance(leaky: Path) -> None:
    (one,) = audit(frames(leaky), "official").audits
    assert one.nearest is not None and one.nearest.known.tolist().count(False) == 1
    assert one.facts.clips == 2 and one.unreadable == {}


def test_the_first_stream_by_name_is_compared_where_nothing_is_said() -> None:
    streams = {name: Stream(name, "sensor", Path("x"), 50.0, "g") for name in "hgfedcba"}
    index = Index("mine", Path("here"), ("a",), (Recording("r", "1", "1", 0, "1", streams),))
    assert protocol_audit._audited(index, None) == "a" and protocol_audit._audited(index, "g") == "g"
    with pytest.raises(DataError, match=r"Choose one of: a, b, c, d, e, f, g, h\."):
        protocol_audit._audited(index, "x")
    pictured = dataclasses.replace(index.recordings[0], streams={**streams, "image": streams["a"]})
    assert protocol_audit._audited(dataclasses.replace(index, recordings=(pictured,)), None) == "image"
