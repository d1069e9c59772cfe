"""Contact sheets: what the networks look at, encoded windows and sampled video frames."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes

from vskd.errors import DataError
from vskd.modalities.figures import INK, MUTED, new_figure, to_png


def gaf_tiles(images: Mapping[str, npt.NDArray[np.float32]], channel_names: tuple[str, ...] = ()) -> bytes:
    """Encoded windows, one row per entry and one column per channel.

    An entry is caption -> (channels, height, width), values in [-1, 1].

    Raises:
        DataError: no images, or an image that is not three-dimensional or has another number of channels.
    """
    channels = _common(images, 3, 0)
    names = channel_names or tuple(f"channel {c}" for c in range(channels))
    figure, axes = new_figure(1.35 * channels + 1.6, 1.35 * len(images) + 0.35, len(images), channels)
    for row, (caption, image) in enumerate(images.items()):
        for channel in range(channels):
            ax = axes[row * channels + channel]
            ax.imshow(image[channel], cmap="cividis", vmin=-1, vmax=1, interpolation="nearest")
            _bare(ax)
            if row == 0:
                ax.set_title(names[channel], fontsize=8.5, color=MUTED)
        _row_caption(axes[row * channels], caption)
    return to_png(figure)


def frame_tiles(frames: Mapping[str, npt.NDArray[np.uint8]]) -> bytes:
    """Sampled frames, one row per entry: caption -> (frames, height, width, channels) uint8, 1 or 3 channels.

    Raises:
        DataError: no frames, or an entry that is not four-dimensional or has another number of frames.
    """
    count = _common(frames, 4, 0)
    height, width = next(iter(frames.values())).shape[1:3]
    figure, axes = new_figure(
        1.25 * count + 1.6, (1.25 * height / width + 0.05) * len(frames) + 0.3, len(frames), count
    )
    for row, (caption, clip) in enumerate(frames.items()):
        for index in range(count):
            ax = axes[row * count + index]
            ax.imshow(clip[index], cmap="gray", vmin=0, vmax=255)  # of one channel it is grey
            _bare(ax)
            if row == 0:
                ax.set_title(f"segment {index + 1}", fontsize=8.5, color=MUTED)
        _row_caption(axes[row * count], caption)
    return to_png(figure)


def heat_tiles(
    images: npt.NDArray[np.float32], heat: npt.NDArray[np.float32], captions: Sequence[str], columns: int = 6
) -> bytes:
    """Images, each with its heat map laid over it, and its caption above.

    Args:
        images: (n, height, width, 1 or 3), 0..1.
        heat: (n, height, width), 0..1.
        captions: n of them.
        columns: tiles in a row.

    Raises:
        DataError: no images, or the three do not fit together.
    """
    if not len(images) or heat.shape != images.shape[:3] or len(captions) != len(images):
        raise DataError(
            f"Heat maps of shape {heat.shape} and {len(captions)} captions do not fit images of shape {images.shape}",
            "Pass one heat map and one caption for each image",
        )
    columns = min(columns, len(images))
    rows = -(-len(images) // columns)
    figure, axes = new_figure(1.55 * columns, 1.95 * rows, rows, columns)
    for ax in axes:
        _bare(ax)
    for ax, image, over, caption in zip(axes, images, heat, captions, strict=False):
        ax.imshow(image, cmap="gray", vmin=0, vmax=1)
        ax.imshow(over, cmap="inferno", vmin=0, vmax=1, alpha=0.7 * over)  # nothing hides where nothing speaks
        ax.set_title(caption, fontsize=7.5, color=INK)
    return to_png(figure)


def _common(arrays: Mapping[str, npt.NDArray[np.generic]], dimensions: int, axis: int) -> int:
    sizes = {array.shape[axis] if array.ndim == dimensions else -1 for array in arrays.values()}
    if len(sizes) != 1 or min(sizes) < 1:
        shapes = ", ".join(str(array.shape) for array in arrays.values()) or "none"
        raise DataError(
            f"Tiles need arrays of {dimensions} dimensions and equal first size, found: {shapes}",
            "Pass samples of one encoding or one video stream",
        )
    return sizes.pop()


def _bare(ax: Axes) -> None:
    ax.set_xticks([])
    ax.set_yticks([])
    ax.spines[:].set_visible(False)


def _row_caption(ax: Axes, caption: str) -> None:
    ax.set_ylabel(caption.replace(" · ", "\n"), fontsize=8.5, color=INK, rotation=0, ha="right", va="center")
