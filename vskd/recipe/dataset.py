"""Which recordings, and how they are split."""

from vskd.schema import BelowOne, Strict


class Dataset(Strict):
    """The data set of a recipe.

    Attributes:
        name: of the data set; see `vskd datasets list`.
        path: its folder on this machine; not part of any hash.
        protocol: how its recordings are split.
        fold: of a protocol with folds.
        leave_out: subjects of the training part whose recordings are not learned from; for `cross_fit` of teachers.
        max_bad_fraction: a run stops where more of the recordings than this are unreadable.
    """

    name: str
    path: str | None = None
    protocol: str
    fold: str | None = None
    leave_out: tuple[str, ...] | None = None
    max_bad_fraction: BelowOne = 0.02
