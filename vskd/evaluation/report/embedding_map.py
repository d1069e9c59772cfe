"""The embedding map: recordings as dots in a plane, near each other where the network finds them alike."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from matplotlib.patheffects import withStroke

from vskd.evaluation.report.plots import PALETTE
from vskd.modalities.figures import INK, MUTED, new_figure, short_name, to_png
from vskd.modalities.timeline_figure import class_colour

PERPLEXITY = 30.0


def embedding_positions(embeddings: npt.NDArray[np.floating], seed: int = 0) -> npt.NDArray[np.float64]:
    """Positions in the plane by t-SNE (van der Maaten & Hinton, JMLR 2008), seeded and started from the principal
    components.

    Args:
        embeddings: (n, width), n >= 3.
        seed: the same seed gives the same positions.

    Returns:
        float64 (n, 2). Distances between far groups mean nothing; who is whose neighbour does.
    """
    from sklearn.manifold import TSNE  # a second of imports, for this picture alone

    perplexity = min(PERPLEXITY, (len(embeddings) - 1) / 3)
    method = TSNE(n_components=2, perplexity=perplexity, init="pca", learning_rate="auto", random_state=seed)
    return np.asarray(method.fit_transform(np.asarray(embeddings, dtype=np.float64)), dtype=np.float64)


def embedding_map(
    positions: npt.NDArray[np.float64],
    labels: npt.NDArray[np.int64],
    correct: npt.NDArray[np.bool_],
    class_names: Sequence[str],
) -> bytes:
    """PNG: a dot for each recording in its true class's colour, a cross where the answer is wrong.

    Of more classes than there are colours that everyone can tell apart, each has its number in its middle, too.

    Args:
        positions: (n, 2).
        labels: (n,), true classes.
        correct: (n,), whether the network's answer is right.
        class_names: of all classes.
    """
    numbered = len(class_names) > len(PALETTE)
    figure, (ax,) = new_figure(6.6, max(4.6, 0.2 * len(class_names) + 0.4))
    handles = []
    for k, name in enumerate(map(short_name, class_names)):
        own = labels == k
        if not own.any():
            continue
        colour, name = (class_colour(k), f"{k + 1}  {name}") if numbered else (PALETTE[k], name)
        right, wrong = positions[own & correct], positions[own & ~correct]
        handles.append(ax.scatter(right[:, 0], right[:, 1], s=9, color=colour, alpha=0.7, linewidths=0, label=name))
        ax.scatter(wrong[:, 0], wrong[:, 1], s=26, color=colour, marker="x", linewidths=1.4)
        if numbered:
            x, y = np.median(positions[own], axis=0)
            ax.text(x, y, str(k + 1), ha="center", va="center", fontsize=9, color=INK,
                    weight="bold", path_effects=[withStroke(linewidth=2.5, foreground="white")])  # fmt: skip
    ax.set_xticks([])
    ax.set_yticks([])
    ax.set_xlabel("cross: wrong answer", color=MUTED, fontsize=9)
    figure.legend(  # told which: by itself it leaves out names that begin with _
        handles=handles, loc="outside right upper", frameon=False, fontsize=8.5, labelcolor=INK, markerscale=2
    )
    return to_png(figure)
