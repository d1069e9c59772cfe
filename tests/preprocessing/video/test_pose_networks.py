"""The real networks on real clips against MediaPipe's own answers, and files that are not the models.

`fixtures/mediapipe_pose.json` holds what MediaPipe 0.10.21 itself (static_image_mode, no smoothing) says of one frame
of each clip. Over all frames of the three clips both found a person in the same 292 of 595; joints differed by 0.011 to
0.021 pixels (median) and 0.09 to 0.19 (95 %).
"""

import hashlib
import json
import sys
import zipfile
from itertools import islice
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from vskd.errors import DataError, MissingExtraError
from vskd.preprocessing.video import pose_networks as module
from vskd.preprocessing.video.frames import read_frames
from vskd.preprocessing.video.pose import bodies
from vskd.preprocessing.video.pose_detector import ANCHORS, anchors
from vskd.preprocessing.video.pose_geometry import ROOM, Picture, Square
from vskd.preprocessing.video.pose_networks import DETECTOR, LANDMARKS, LiteRTPose, read_models

REFERENCE = json.loads((Path(__file__).parents[1] / "fixtures" / "mediapipe_pose.json").read_text())
CLIPS = {
    "demo": "video-fixtures/demo.mp4",
    "test": "video-fixtures/test.avi",
    "ucf": "ucf11-sample/UCF11_updated_mpg/biking/v_biking_01/v_biking_01_01.mpg",
}


@pytest.fixture(scope="module")
def networks(pose_model: Path) -> LiteRTPose:
    return LiteRTPose(read_models(pose_model))


def frame_of(clip: Path, number: int) -> Picture:
    if not clip.is_file():
        pytest.skip(f"needs {clip}")
    return next(islice(read_frames(clip, size=None), number, None))


@pytest.mark.parametrize("name", sorted(CLIPS))
def test_one_frame_as_mediapipe_sees_it(networks: LiteRTPose, shared_data: Path, name: str) -> None:
    expected = np.array(REFERENCE[name]["joints"])
    frame = frame_of(shared_data / CLIPS[name], REFERENCE[name]["frame"])
    body = networks.look(frame, networks.find(frame)[0])
    assert body is not None
    pixels = np.linalg.norm(body.joints[:, :2] - expected[:, :2], axis=1)
    assert np.median(pixels) < 0.05 and pixels.max() < 0.3
    assert np.abs(body.joints[:, 2] - expected[:, 2]).max() < 0.5
    assert np.abs(body.metres - expected[:, 3:6]).max() < 0.002
    assert np.abs(body.visibility - expected[:, 6]).max() < 0.002


def test_a_rider_is_followed(networks: LiteRTPose, shared_data: Path) -> None:
    """Frames 4 to 19 show a child that rides a bicycle towards the left: head above hips, hips above ankles."""
    clip = shared_data / CLIPS["ucf"]
    if not clip.is_file():
        pytest.skip(f"needs {clip}")
    found = list(bodies(islice(read_frames(clip, size=None), 4, 20), networks, rate_hz=30.0))
    seen = [body for body in found if body is not None]
    assert len(seen) == 16
    for body in seen:
        nose, hips, ankles = body.joints[0, 1], body.joints[23:25, 1].mean(), body.joints[27:29, 1].mean()
        assert nose < hips < ankles
    heads = np.array([body.joints[0, :2] for body in seen])
    assert np.linalg.norm(np.diff(heads, axis=0), axis=1).max() < 15


def test_nobody_is_in_an_empty_picture(networks: LiteRTPose) -> None:
    grey = np.full((120, 160, 3), 90, np.uint8)
    assert networks.find(grey) == []


def test_a_folder_gives_the_same_models_as_the_wheel(pose_model: Path, tmp_path: Path) -> None:
    models = read_models(pose_model)
    (tmp_path / "deep").mkdir()
    for name, content in models.items():
        (tmp_path / "deep" / name).write_bytes(content)
    assert read_models(tmp_path) == models


def wheel(path: Path, **files: bytes) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(f"mediapipe/modules/x/{name}", content)
    return path


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ({}, f"holds no {DETECTOR}"),
        ({DETECTOR: b"x"}, rf"its {DETECTOR} is not that of MediaPipe 0.10.21 \(SHA-256 2d711642b726b044\.\.\.\)"),
        ({LANDMARKS: b"x"}, f"holds no {DETECTOR}"),
    ],
)
def test_other_models_are_refused(tmp_path: Path, files: dict[str, bytes], told: str) -> None:
    with pytest.raises(DataError, match=told) as caught:
        read_models(wheel(tmp_path / "other.whl", **files))
    assert "pip download mediapipe==0.10.21 --no-deps" in caught.value.action


def test_what_is_no_wheel_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.whl").write_bytes(b"no archive")
    for path in (tmp_path / "a.whl", tmp_path / "absent.whl"):
        with pytest.raises(DataError, match="is no wheel that can be read"):
            read_models(path)


def test_outputs_are_told_apart_by_their_shapes(monkeypatch: pytest.MonkeyPatch) -> None:
    """With stand-ins for the networks, where the models are not here: five numbers of a joint, and three in metres."""
    made: list[tuple[object, int]] = []
    monkeypatch.setattr(module, "_interpreter", lambda content, threads: made.append((content, threads)) or content)
    landmarks, metres, heat = np.arange(195.0), np.arange(117.0), np.zeros((64, 64, 39))
    seen: list[Picture] = []

    def run(interpreter: object, pixels: Picture) -> dict[tuple[int, ...], np.ndarray]:
        assert interpreter == b"landmarks"
        seen.append(pixels)
        outputs = (landmarks, metres, np.array([0.75]), np.zeros((256, 256, 1)), heat)
        return {output.shape: output for output in outputs}

    monkeypatch.setattr(module, "_run", run)
    monkeypatch.setattr(module.pose_landmarks, "body", lambda *words: words)
    networks = LiteRTPose({DETECTOR: b"detector", LANDMARKS: b"landmarks"}, threads=3)
    square = Square(60.0, 50.0, 40.0)
    body = networks.look(np.full((100, 120, 3), 51, np.uint8), square)
    assert body is not None and made == [(b"detector", 3), (b"landmarks", 3)]
    np.testing.assert_array_equal(body[0], landmarks.reshape(39, 5))
    np.testing.assert_array_equal(body[1], metres.reshape(39, 3))
    assert body[2] is heat and body[3:] == (0.75, square)
    np.testing.assert_allclose(seen[0], 0.2)


def test_a_folder_or_a_wheel_is_searched_for_both_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With stand-ins for their contents; what else lies there is not read."""
    contents = {DETECTOR: b"one", LANDMARKS: b"two"}
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
    monkeypatch.setattr(module, "MODELS", digests)
    assert read_models(wheel(tmp_path / "a.whl", other=b"x", **contents)) == contents
    for name, content in contents.items():
        (tmp_path / "deep" / name).parent.mkdir(exist_ok=True)
        (tmp_path / "deep" / name).write_bytes(content)
        if name == DETECTOR:
            with pytest.raises(DataError, match=f"holds no {LANDMARKS}"):
                read_models(tmp_path)
    (tmp_path / "deep" / "other").write_bytes(b"x")
    assert read_models(tmp_path) == contents
    (tmp_path / "deep" / LANDMARKS).write_bytes(b"three")
    with pytest.raises(DataError, match=f"its {LANDMARKS} is not that of MediaPipe"):
        read_models(tmp_path)


class Interpreter:
    """Stands in for LiteRT's: two inputs, of which the first is the picture, and outputs with a batch of one."""

    def __init__(self, *outputs: np.ndarray) -> None:
        self.outputs, self.told, self.ran = outputs, dict[int, np.ndarray](), 0

    def get_input_details(self) -> list[dict[str, int]]:
        return [{"index": 7}, {"index": 8}]

    def get_output_details(self) -> list[dict[str, int]]:
        return [{"index": number} for number in range(len(self.outputs))]

    def set_tensor(self, index: int, value: np.ndarray) -> None:
        self.told[index] = value

    def invoke(self) -> None:
        self.ran += 1

    def get_tensor(self, index: int) -> np.ndarray:
        assert self.ran == 1
        return self.outputs[index][None]


def test_a_person_is_found_by_the_detector_s_points(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two answers: hips and reach of the surer one first; one whose points are one is nobody."""
    boxes, logits = np.zeros((ANCHORS, 12), np.float32), np.full((ANCHORS, 1), -9.0, np.float32)
    for anchor, logit, up in ((0, 1.0, 22.4), (1500, 3.0, 11.2), (1000, 2.0, 0.0)):
        boxes[anchor, 2:8], logits[anchor] = [20, 20, 0, 0, 0, -up], logit
    detector = Interpreter(logits, boxes)
    monkeypatch.setattr(module, "_interpreter", lambda content, threads: detector)
    networks = LiteRTPose({DETECTOR: b"", LANDMARKS: b""})
    picture = np.full((200, 400, 3), 255, np.uint8)
    found = networks.find(picture)
    ((index, told),) = detector.told.items()
    assert index == 7 and told.shape == (1, 224, 224, 3) and told.dtype == np.float32
    assert told[0, 112, 112, 0] == 1 and told[0, 0, 112, 0] == -1, "the whole picture, with black above and below"
    places = anchors()[[1500, 0]] * 400 + [0, -100]
    for square, place, distance in zip(found, places, (20, 40), strict=True):
        np.testing.assert_allclose([square.x, square.y, square.edge], [*place, 2 * ROOM * distance], rtol=1e-5)
        assert square.angle == 0


def test_each_network_has_its_threads_and_its_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[tuple[bytes, int, bool]] = []

    class Interpreter:
        def __init__(self, *, model_content: bytes, num_threads: int) -> None:
            self.told = model_content, num_threads

        def allocate_tensors(self) -> None:
            made.append((*self.told, True))

    library = ModuleType("ai_edge_litert.interpreter")
    library.Interpreter = Interpreter  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "ai_edge_litert", ModuleType("ai_edge_litert"))
    monkeypatch.setitem(sys.modules, "ai_edge_litert.interpreter", library)
    LiteRTPose({DETECTOR: b"d", LANDMARKS: b"l"}, 4)
    LiteRTPose({DETECTOR: b"d", LANDMARKS: b"l"})
    assert made == [(b"d", 4, True), (b"l", 4, True), (b"d", 1, True), (b"l", 1, True)]
    monkeypatch.setitem(sys.modules, "ai_edge_litert.interpreter", None)
    with pytest.raises(MissingExtraError, match=r"vskd\[export\]"):
        LiteRTPose({DETECTOR: b"d", LANDMARKS: b"l"})
