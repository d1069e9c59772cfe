"""Which training recordings carry labels; the others are unlabelled pairs, which only a teacher can speak of."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence

import numpy as np

from vskd.datasets.recording import Recording
from vskd.errors import SettingError, first_few, natural_order


def labelled_fraction(recordings: Sequence[Recording], fraction: float, seed: int) -> frozenset[str]:
    """Ids of a share of the recordings, drawn at random within every class and, as far as it goes, subject.

    Of every class the nearest whole number is drawn, at least one; its subjects take turns in an order drawn anew for
    each class.

    Args:
        recordings: of the training part.
        fraction: 0 < fraction <= 1.
        seed: of the draw.
    """
    generator = np.random.default_rng(seed)
    by_class: dict[int, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for recording in sorted(recordings, key=lambda r: r.id):
        by_class[recording.label][recording.subject].append(recording.id)
    chosen: set[str] = set()
    for label in sorted(by_class):
        members = by_class[label]
        wanted = max(1, round(fraction * sum(map(len, members.values()))))
        chosen |= set(_in_turns(members, generator)[:wanted])
    return frozenset(chosen)


def _in_turns(members: dict[str, list[str]], generator: np.random.Generator) -> list[str]:
    """All ids of a class: first one of each subject, then a second one of each, and so on."""
    subjects = [natural_order(members)[k] for k in generator.permutation(len(members))]
    shuffled = {s: [members[s][k] for k in generator.permutation(len(members[s]))] for s in subjects}
    rounds = max(map(len, shuffled.values()))
    return [shuffled[s][turn] for turn in range(rounds) for s in subjects if turn < len(shuffled[s])]


def labelled_where(
    recordings: Iterable[Recording], field: str, values: Collection[str], value_of: Callable[[Recording], str]
) -> frozenset[str]:
    """Ids of the recordings whose value is one of `values`.

    Args:
        recordings: of the training part.
        field: what the value is called: `subject`, `trial`, `class`, `id`.
        values: those that carry labels.
        value_of: a recording's.

    Raises:
        SettingError: a value that no training recording has; it is named.
    """
    found = {r.id: value_of(r) for r in recordings}
    absent = natural_order(set(values) - set(found.values()))
    if absent:
        raise SettingError(
            f"no training recording has the {field} {first_few(absent, 5, ', ')}",
            f"Name some of the training part: {first_few(natural_order(found.values()), 8, ', ')}",
        )
    return frozenset(i for i, value in found.items() if value in values)
