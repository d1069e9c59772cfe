from types import SimpleNamespace

from vskd.distillation.epoch_bar import EpochBar
from vskd.distillation.lightning_imports import RichProgressBar


def test_a_bar_says_which_run_and_counts_from_one() -> None:
    bar = EpochBar("RUN-teacher")
    bar._trainer = SimpleNamespace(max_epochs=3)  # type: ignore[assignment]  # as Lightning's setup sets it
    assert [bar._get_train_description(n) for n in (0, 2)] == ["RUN-teacher: epoch 1 of 3", "RUN-teacher: epoch 3 of 3"]


def test_it_is_lightning_that_asks_for_the_text() -> None:
    """The method has no public name: another Lightning may call it otherwise."""
    assert "_get_train_description" in RichProgressBar.on_train_epoch_start.__code__.co_names


def test_what_is_done_between_epochs_is_said() -> None:
    """A pass over all training samples, which no bar counts."""
    bar, shown = EpochBar("RUN"), []
    bar.say("before there is a bar")
    bar.progress = SimpleNamespace(update=lambda bar_id, description: shown.append((bar_id, description)))  # type: ignore[assignment]
    bar.train_progress_bar_id = 3  # type: ignore[assignment]
    bar.say("computing BatchNorm's statistics")
    assert shown == [(3, "RUN: computing BatchNorm's statistics")]
