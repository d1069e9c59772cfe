"""The progress bar of a training: which run, and which of its epochs, counted from 1 as people do."""

from vskd.distillation.lightning_imports import RichProgressBar


class EpochBar(RichProgressBar):
    """Lightning's bar with another text: a teacher and its student are trained by one command, one after the other.

    Args:
        run: name of the run folder.
    """

    def __init__(self, run: str) -> None:
        super().__init__()
        self._run = run

    def _get_train_description(self, current_epoch: int) -> str:
        """What stands before the bar."""
        return f"{self._run}: epoch {current_epoch + 1} of {self.trainer.max_epochs}"

    def say(self, what: str) -> None:
        """Show what is being done while the bar stands still; the next epoch shows itself again."""
        if self.progress is not None and self.train_progress_bar_id is not None:
            self.progress.update(self.train_progress_bar_id, description=f"{self._run}: {what}")
