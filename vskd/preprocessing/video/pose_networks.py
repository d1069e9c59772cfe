"""The two networks of BlazePose, run by LiteRT. They are MediaPipe's and are not shipped: the user names a file.

MediaPipe itself is no dependency, because it needs numpy below 2. Its wheel of version 0.10.21 (Apache-2.0) holds both
models, `pip download mediapipe==0.10.21 --no-deps` fetches it, and nothing else of it is used.
"""

import hashlib
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from vskd.errors import DataError, MissingExtraError
from vskd.preprocessing.folders import files_below
from vskd.preprocessing.video import pose_detector, pose_landmarks
from vskd.preprocessing.video.pose_geometry import Picture, Square, about_person, cut, whole
from vskd.preprocessing.video.pose_landmarks import Body

DETECTOR, LANDMARKS = "pose_detection.tflite", "pose_landmark_full.tflite"
MODELS: Mapping[str, str] = {
    DETECTOR: "9ba9dd3d42efaaba86b4ff0122b06f29c4122e756b329d89dca1e297fd8f866c",
    LANDMARKS: "e9a5c5cb17f736fafd4c2ec1da3b3d331d6edbe8a0d32395855aeb2cdfd64b9f",
}
"""Name -> SHA-256 of the models in MediaPipe 0.10.21."""
_OBTAIN = "Name the wheel of MediaPipe 0.10.21: `pip download mediapipe==0.10.21 --no-deps` fetches it"


def read_models(path: Path) -> dict[str, bytes]:
    """The content of both models.

    Args:
        path: the wheel, or a folder that holds the two files at any depth.

    Raises:
        DataError: it holds them not, or others.
    """
    found = _in_folder(path) if path.is_dir() else _in_wheel(path)
    for name, digest in MODELS.items():
        if name not in found:
            raise DataError(f"{path}: holds no {name}", _OBTAIN)
        own = hashlib.sha256(found[name]).hexdigest()
        if own != digest:
            raise DataError(f"{path}: its {name} is not that of MediaPipe 0.10.21 (SHA-256 {own[:16]}...)", _OBTAIN)
    return found


def _in_folder(path: Path) -> dict[str, bytes]:
    try:
        return {file.name: file.read_bytes() for file in files_below(path) if file.name in MODELS}
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror or error})", "Check its permissions") from error


def _in_wheel(path: Path) -> dict[str, bytes]:
    try:
        with zipfile.ZipFile(path) as wheel:
            names = {Path(name).name: name for name in wheel.namelist()}
            return {name: wheel.read(names[name]) for name in MODELS if name in names}
    except (OSError, zipfile.BadZipFile) as error:
        raise DataError(f"{path}: is no wheel that can be read ({error})", _OBTAIN) from error


class LiteRTPose:
    """Both networks.

    Args:
        models: their content; see `read_models`.
        threads: of the processor, for each.

    Raises:
        MissingExtraError: LiteRT is not installed.
    """

    def __init__(self, models: Mapping[str, bytes], threads: int = 1) -> None:
        self._detector = _interpreter(models[DETECTOR], threads)
        self._landmarks = _interpreter(models[LANDMARKS], threads)

    def find(self, picture: Picture) -> list[Square]:
        """A square about each person of a picture, the surest first."""
        view = whole(picture)
        pixels = cut(picture, view, pose_detector.INPUT, "black") / 127.5 - 1
        by_shape = _run(self._detector, pixels)
        boxes, logits = by_shape[pose_detector.ANCHORS, 12], by_shape[pose_detector.ANCHORS, 1]
        found = pose_detector.people(boxes, logits[:, 0])
        points = [view.to_picture(person.points) for person in found]
        return [square for hips, reach, *_ in points if (square := about_person(hips, reach)) is not None]

    def look(self, picture: Picture, square: Square) -> Body | None:
        """The person in a square; None where there is none."""
        by_shape = _run(self._landmarks, cut(picture, square, pose_landmarks.INPUT, "edge") / 255)
        count = pose_landmarks.OUTPUTS
        heat = next(array for shape, array in by_shape.items() if len(shape) == 3 and shape[-1] == count)
        landmarks, metres = by_shape[(count * 5,)].reshape(count, 5), by_shape[(count * 3,)].reshape(count, 3)
        return pose_landmarks.body(landmarks, metres, heat, float(by_shape[(1,)][0]), square)


def _interpreter(content: bytes, threads: int) -> Any:
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ImportError as error:
        raise MissingExtraError("ai-edge-litert", "export") from error
    interpreter = Interpreter(model_content=content, num_threads=threads)
    interpreter.allocate_tensors()
    return interpreter


def _run(interpreter: Any, pixels: npt.NDArray[Any]) -> dict[tuple[int, ...], npt.NDArray[np.float32]]:
    """Outputs of one picture by their shape, which tells them apart."""
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], pixels[np.newaxis].astype(np.float32))
    interpreter.invoke()
    outputs = [interpreter.get_tensor(output["index"])[0] for output in interpreter.get_output_details()]
    return {output.shape: output for output in outputs}
