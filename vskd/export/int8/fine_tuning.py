"""Training a student of images on under simulated int8, on the batches that it was trained on."""

from collections.abc import Iterator

from torch import Tensor, nn

from vskd.bundle.contract import RangeEstimator
from vskd.export.candidates import FineTuning
from vskd.export.int8.qat import train_for_int8
from vskd.modalities.base import Inputs
from vskd.modalities.sampling import epoch_seed
from vskd.recipe import Recipe

LATER_EPOCHS = 1_000_000
"""Epochs of fine-tuning are numbered from here, so that their random changes are none of the first training's."""


def fine_tuning(recipe: Recipe, inputs: Inputs, train: tuple[str, ...]) -> FineTuning | None:
    """What the recipe wants to be tried where quantization alone loses too much.

    Args:
        recipe: of the run.
        inputs: what its student sees.
        train: training recordings.

    Returns:
        None where the recipe does not want it, or the student does not see images.
    """
    export, training = recipe.export, recipe.student.training
    if export.fine_tuning in (None, "never"):
        return None
    epochs, rate = export.fine_tuning_epochs or 0, export.fine_tuning_rate or 0.0

    def batches() -> Iterator[tuple[Tensor, Tensor]]:
        for epoch in range(epochs):
            seed = epoch_seed(recipe.seed, LATER_EPOCHS + epoch)
            for batch in inputs.batches(train, batch_size=training.batch_size, seed=seed, sampling=training.sampling):
                yield batch.inputs.permute(0, 2, 3, 1).contiguous(), batch.labels  # channels last, as deployed

    def tuned(module: nn.Module, estimator: RangeEstimator) -> nn.Module:
        return train_for_int8(
            module,
            batches(),
            steps=len(inputs.batches(train, batch_size=training.batch_size)) * epochs,
            learning_rate=rate,
            range_estimator=estimator,
        )

    return FineTuning(tuned, always=export.fine_tuning == "always")
