"""Near copies among a sensor's recordings: what hides no copy, what does, and what is none."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from vskd.datasets.catalog import get_dataset
from vskd.datasets.sensors import same_signals
from vskd.datasets.sensors.read import read_samples
from vskd.datasets.sensors.same_signals import LENGTH, near_copies

Signal = npt.NDArray[np.float32]


def movement(seed: int, samples: int = 200, channels: int = 3) -> Signal:
    """A person's own movement, with gravity."""
    generator, time = np.random.default_rng(seed), np.arange(samples) / 50
    size, pace, phase = (generator.uniform(low, high, (channels, 3, 1)) for low, high in ((0.2, 1), (0.5, 4), (0, 6)))
    waves = (size * np.sin(2 * np.pi * pace * time + phase)).sum(axis=1)
    return (waves + np.arange(channels)[:, None]).astype(np.float32)


OTHERS = {f"other{n}": movement(n) for n in range(1, 6)}
NOISE = np.random.default_rng(9)


def pairs_with(copy: Signal, original: Signal | None = None) -> tuple[tuple[str, str], ...]:
    return near_copies({"one": movement(0) if original is None else original, **OTHERS, "copy": copy})


@pytest.mark.parametrize(
    "change",
    [
        lambda x: np.delete(x, x.shape[1] // 2, axis=1),
        lambda x: np.delete(x, [20, 90, 150], axis=1),
        lambda x: x[:, 7:],
        lambda x: x[:, :-40],
        lambda x: x * (1 + 1e-6),
        lambda x: x + NOISE.normal(0, 1e-6, x.shape),
        lambda x: np.round(x, 3),
        lambda x: np.repeat(x, [2 if k == 60 else 1 for k in range(x.shape[1])], axis=1),
        lambda x: x[:, x.shape[1] // 3 :],
    ],
)
def test_cut_shifted_rounded_or_with_a_little_noise_it_is_a_copy(change: Callable[[Signal], Signal]) -> None:
    assert pairs_with(np.asarray(change(movement(0)), dtype=np.float32)) == (("one", "copy"),)


@pytest.mark.parametrize(
    "change",
    [
        lambda x: x + NOISE.normal(0, 0.05, x.shape),
        lambda x: 1.05 * x,
        lambda x: x[[1, 0, 2]],
        lambda x: -x,
        lambda x: x[:, ::2],
        lambda x: x[:, :LENGTH],  # shorter than two stretches
    ],
)
def test_what_it_cannot_find(change: Callable[[Signal], Signal]) -> None:
    """As the module says; whoever makes one of these findable changes its text."""
    assert pairs_with(np.asarray(change(movement(0)), dtype=np.float32)) == ()


def test_pieces_of_which_neither_holds_half_of_the_other_are_not_found() -> None:
    whole = movement(0, 600)
    assert pairs_with(whole[:, 250:550], whole[:, :300]) == ()
    assert pairs_with(whole[:, 100:400], whole[:, :300]) == (("one", "copy"),)


def test_sensors_that_lie_still_look_alike_and_are_no_copies() -> None:
    still = {str(n): np.ones((3, 200), np.float32) for n in range(3)}
    assert near_copies({**OTHERS, **still}) == ()
    assert near_copies(still) == ()
    moved = {name: np.concatenate([signal, movement(50 + int(name))], axis=1) for name, signal in still.items()}
    assert near_copies({**OTHERS, **moved}) == ()


@pytest.mark.parametrize("channels", [1, 3, 6])
def test_any_number_of_channels(channels: int) -> None:
    made = {str(n): movement(n, channels=channels) for n in range(4)}
    assert near_copies({**made, "copy": made["2"][:, 3:]}) == (("2", "copy"),)


def test_of_three_copies_each_pair_is_named_in_the_order_given() -> None:
    one = movement(0)
    assert near_copies({"c": one, **OTHERS, "b": one[:, 2:], "a": one[:, 5:]}) == (("c", "b"), ("c", "a"), ("b", "a"))


def test_few_or_short_recordings() -> None:
    assert near_copies({}) == () == near_copies({"one": movement(0)})
    assert near_copies({"one": movement(0), "short": movement(0)[:, : LENGTH - 1]}) == ()


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    given = {"one": movement(0), **OTHERS, "copy": movement(0)[:, 9:], "other copy": OTHERS["other3"][:, :150]}
    expected = near_copies(given)
    assert len(expected) == 2
    monkeypatch.setattr(same_signals, "_BLOCK", 5)
    assert near_copies(given) == expected


def test_of_long_recordings_the_others_are_not_held() -> None:
    """Each is taken out of the mapping one after another; of all together there is never room."""
    import tracemalloc
    from collections.abc import Mapping

    class Made(Mapping[str, Signal]):
        def __getitem__(self, name: str) -> Signal:
            return movement(int(name), 20_000)

        def __iter__(self):
            return iter(map(str, range(12)))

        def __len__(self) -> int:
            return 12

    def most(signals: Mapping[str, Signal]) -> int:
        tracemalloc.start()
        assert near_copies(signals) == ()
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return peak

    class Two(Made):
        def __iter__(self):
            return iter(("0", "1"))

    assert most(Made()) < 1.2 * most(Two())


def test_among_real_recordings_there_is_none_but_what_is_planted(utd_mhad_root: Path) -> None:
    """People repeat an action, and no two of these are alike."""
    index = get_dataset("utd-mhad").index(utd_mhad_root)
    signals = {r.id: read_samples(r.stream("accelerometer")) for r in index if r.subject in ("1", "2", "3")}
    assert len(signals) > 300 and near_copies(signals) == ()
    first = next(iter(signals))
    assert near_copies({**signals, "copy": np.delete(signals[first], 80, axis=1)}) == ((first, "copy"),)
