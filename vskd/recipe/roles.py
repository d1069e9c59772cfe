"""Roles: what a network sees, which network it is, and how it is trained. Students and teachers alike."""

from typing import Literal

from vskd.modalities.catalog import AnySees
from vskd.models.catalog import AnyNetwork
from vskd.models.head import HeadSettings
from vskd.recipe.labels import Labels
from vskd.recipe.training import Training
from vskd.schema import Count, Seed, Strict


class Role(Strict):
    """A network that is trained.

    Attributes:
        sees: a modality of one or more streams.
        network: from the catalog of networks, with its own settings.
        head: a projector and a classifier in place of the network's own classifier; None leaves that. Of a student that
            is to take over its teacher's classifier (loss `simkd`); without such a teacher the classifier is trained.
        weights: to start from: file of pretrained weights, see `vskd weights import`; or folder of a finished run of
            the same network, to go on from.
        training: budget and optimizer.
    """

    sees: AnySees
    network: AnyNetwork
    head: HeadSettings | None = None
    weights: str | None = None
    training: Training = Training()


class Teacher(Role):
    """A network that teaches; it is trained as a student without a distiller.

    Attributes:
        seed: of its training; None follows the recipe's seed, a number shares one teacher among all student seeds.
        labels: which training recordings carry labels for it; None follows the recipe. One that knows labels that the
            recipe hides is refused.
        cross_fit: what it says of a training subject comes from one that was trained in the same way without that
            subject; they are trained beside it.
        views: how many views of each recording it is shown: the first is unchanged, the others are changed at random as
            in its training; it says of one each epoch, in turn.
    """

    seed: Seed | None = None
    labels: Labels | None = None
    cross_fit: Literal["subject"] | None = None
    views: Count = 1
