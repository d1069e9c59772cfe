"""A bundle as a library user holds it: opened once, asked about arrays."""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from vskd.bundle import bundle as files
from vskd.bundle.contract import ClipContract, Contract, ImageContract
from vskd.bundle.image_input import Whole, picture_of, refuse_small, region_of
from vskd.bundle.predict import Prediction, Predictor, predict_samples
from vskd.bundle.predict_clips import ClipPredictor
from vskd.bundle.predict_images import ImagePredictor
from vskd.bundle.sensor_array import recorded_array
from vskd.bundle.signature import load_signed
from vskd.errors import BundleError
from vskd.preprocessing.image.image_header import Box, ImageSize

NAME = "the array"


class OpenedBundle:
    """A bundle whose files were all checked, ready for many arrays; not thread-safe.

    Args:
        bundle: opened with `vskd.bundle.bundle.load_bundle`.
        threads: CPU threads of the model.

    Attributes:
        bundle: path, manifest and digest.
    """

    def __init__(self, bundle: files.Bundle, threads: int = 1) -> None:
        self.bundle = bundle
        self._predictor = _predictor(bundle, threads)

    def __repr__(self) -> str:
        return f"OpenedBundle({str(self.bundle.path)!r})"

    @property
    def contract(self) -> Contract:
        """What the model asks of its input: rate, unit, axes and length of a recording, or size of an image."""
        return self.bundle.manifest.contract

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes, in order of class number."""
        return self.bundle.manifest.provenance.labels

    def verify(self) -> files.VerifyReport:
        """Check hashes, then that the golden vectors come out bit for bit.

        Raises:
            BundleError: names the file and what is wrong with it.
        """
        return files.verify_bundle(self.bundle.path)

    def predict(
        self, array: npt.ArrayLike, rate_hz: float | None = None, *, box: Box | Whole | None = None
    ) -> Prediction:
        """Classify a recording of a sensor, or images.

        Args:
            array: (samples, axes) in the contract's unit; or uint8 (height, width, 3), (height, width) of a grey image,
                or several images of one size, (images, height, width, 3); of a model of clips the frames of one clip,
                uint8 (length, height, width, 3).
            rate_hz: samples per second of a recording; None assumes the contract's.
            box: what to cut out of every image, x1, y1, x2, y2 in pixels, where the contract asks for one; `whole`
                where the images are cut already.

        Returns:
            The answer for all of the array, and the probabilities of each window or image.

        Raises:
            BundleError: the array is not what the contract asks for; the message says what is.
            DataError: values that are no numbers or not finite, or a box outside the image.
            MissingExtraError: an image must be cut, scaled or converted, and Pillow is not installed; or a whole
                recording must be resampled, and scipy is not.

        Examples:
            >>> import numpy as np
            >>> from vskd import load_bundle
            >>> bundle = load_bundle("bundle")
            >>> bundle.contract.unit, bundle.contract.axes, bundle.contract.rate_hz
            ('g', ('x', 'y', 'z'), 50.0)
            >>> lying_still = np.random.default_rng(0).normal([0.0, 0.0, 1.0], 0.01, (100, 3))
            >>> answer = bundle.predict(lying_still, rate_hz=50)
            >>> answer.label in bundle.classes, answer.windows, answer.per_window.shape
            (True, 1, (1, 3))
        """
        if isinstance(self._predictor, ImagePredictor):
            if rate_hz is not None:
                raise BundleError("A rate was given, and the model takes images", "Leave out rate_hz")
            pictures = [_picture(image, self._predictor.contract, box) for image in _images(np.asarray(array))]
            return predict_samples(self._predictor.logits, pictures, self.classes)
        if isinstance(self._predictor, ClipPredictor):
            if rate_hz is not None or box is not None:
                raise BundleError("A rate or a box was given, and the model takes clips", "Leave out rate_hz and box")
            return predict_samples(self._predictor.logits, [self._predictor.clip_of(np.asarray(array))], self.classes)
        if box is not None:
            raise BundleError("A box was given, and the model takes recordings of a sensor", "Leave out box")
        return self._predictor.predict(recorded_array(array, self._predictor.contract, rate_hz))


def _predictor(bundle: files.Bundle, threads: int) -> ImagePredictor | ClipPredictor | Predictor:
    contract = bundle.manifest.contract
    if isinstance(contract, ImageContract):
        return ImagePredictor(bundle, threads)
    return ClipPredictor(bundle, threads) if isinstance(contract, ClipContract) else Predictor(bundle, threads)


def _images(array: npt.NDArray[np.generic]) -> list[npt.NDArray[np.uint8]]:
    """The images of an array."""
    if array.dtype != np.uint8:
        raise BundleError(f"{NAME}: holds {array.dtype}; the model asks for pixel values 0..255", "Convert it to uint8")
    fits = array.size and (array.ndim == 2 or (array.ndim in (3, 4) and array.shape[-1] == 3))
    if not fits:
        raise BundleError(
            f"{NAME}: has shape {array.shape}; the model asks for images",
            "Give (height, width, 3), (height, width) or (images, height, width, 3)",
        )
    return [np.asarray(image, dtype=np.uint8) for image in (array if array.ndim == 4 else [array])]


def _picture(image: npt.NDArray[np.uint8], contract: ImageContract, box: Box | Whole | None) -> npt.NDArray[np.uint8]:
    region = region_of(contract, box)
    refuse_small(NAME, ImageSize(image.shape[1], image.shape[0]), contract, region, Path(NAME))
    return picture_of(image, contract, region, Path(NAME))


def load_bundle(path: Path | str, *, threads: int = 1, signed_by: Path | str | None = None) -> OpenedBundle:
    """Open a bundle; all hashes are checked before anything is parsed. Needs no torch.

    Args:
        path: folder that `vskd export` wrote.
        threads: CPU threads of the model.
        signed_by: keys of which one must have signed it, see `vskd.bundle.signature.verify_signature`; None asks for no
            signature.

    Raises:
        BundleError: it is no bundle, a file is missing, extra or changed, or nobody named has signed it.

    Examples:
        >>> from vskd import load_bundle
        >>> load_bundle("bundle").classes
        ('swipe left', 'swipe right', 'wave')
    """
    return OpenedBundle(load_signed(Path(path), None if signed_by is None else Path(signed_by)), threads)
