"""Roles: what a network sees, which network it is, and how it is trained. Students and teachers alike."""

from vskd.modalities.catalog import AnySees
from vskd.models.catalog import AnyNetwork
from vskd.recipe.labels import Labels
from vskd.recipe.training import Training
from vskd.schema import Seed, Strict


class Role(Strict):
    """A network that is trained.

    Attributes:
        sees: a modality of one or more streams.
        network: from the catalog of networks, with its own settings.
        weights: file of pretrained weights to start from, see `vskd weights import`.
        training: budget and optimizer.
    """

    sees: AnySees
    network: AnyNetwork
    weights: str | None = None
    training: Training = Training()


class Teacher(Role):
    """A network that teaches; it is trained as a student without a distiller.

    Attributes:
        seed: of its training; None follows the recipe's seed, a number shares one teacher among all student seeds.
        labels: which training recordings carry labels for it; None follows the recipe. One that knows labels that the
            recipe hides is refused.
    """

    seed: Seed | None = None
    labels: Labels | None = None
