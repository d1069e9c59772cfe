"""Export the student of a run folder: contract, calibration and validation recordings come from its recipe and data."""

import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from vskd.datasets.catalog import get_dataset
from vskd.distillation.experiment import Experiment
from vskd.distillation.run import RunFolder
from vskd.distillation.train import load_student
from vskd.errors import RunError
from vskd.evaluation.evaluate import open_experiment
from vskd.export.contract import EncodingContract, ProtocolRecord, Provenance, SensorContract, SplitSizes
from vskd.export.scoring import LabelledWindow
from vskd.export.ship import ExportReport, TensorKind, export_model
from vskd.preprocessing.window_store import WindowStore

logger = logging.getLogger(__name__)

LENGTH_MARGIN = 0.5
"""A recording may be this much shorter or longer than any that the model was trained on."""


def export_run(
    run: Path, out: Path, *, input_type: TensorKind | None = None, output_type: TensorKind | None = None
) -> ExportReport:
    """Write the bundle of a finished student run.

    Calibration uses training recordings only; accuracy and parity are measured on the validation recordings, or, where
    the run was trained without any, on training recordings outside the calibration, which the bundle says.

    Args:
        run: a finished student run.
        out: the bundle's folder.
        input_type, output_type: types of the int8 model's ends; the recipe's by default.

    Raises:
        RunError: not a finished student run.
        BundleError: int8 loses more than the recipe's budget; nothing is written.
    """
    folder = RunFolder.open(run)
    if folder.kind != "student":
        raise RunError(f"{run} is a teacher's run; only students are exported", "Name the run folder of `vskd distill`")
    folder.require_complete()
    experiment = open_experiment(folder)
    recipe, store = experiment.recipe, experiment.window_store
    split = experiment.training_split(recipe.training)
    train = experiment.only(split.train, store.ids, recipe.dataset.sensor)
    calibration, rest = _spread(train, recipe.export.calibration_recordings)
    validation = experiment.only(split.validation, store.ids, recipe.dataset.sensor)
    checking = validation or rest or calibration
    return export_model(
        network=load_student(run, len(experiment.index.labels), store.channels),
        calibration=[(i, window) for i in calibration for window in store.windows(i)],
        validation=_labelled(experiment, store, checking),
        contract=sensor_contract(experiment, train),
        provenance=_provenance(experiment, folder, len(train), len(validation)),
        max_accuracy_drop=recipe.export.max_accuracy_drop,
        out=out,
        input_type=input_type or recipe.export.input_type,
        output_type=output_type or recipe.export.output_type,
        validation_split="validation" if validation else "train",
    )


def _spread(ids: Sequence[str], count: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """`count` of the sorted ids, evenly spread so that classes and people are all there; and the others."""
    positions = np.unique(np.linspace(0, len(ids) - 1, min(count, len(ids))).round().astype(int))
    chosen = {ids[p] for p in positions}
    return tuple(i for i in ids if i in chosen), tuple(i for i in ids if i not in chosen)


def _labelled(experiment: Experiment, store: WindowStore, ids: Sequence[str]) -> list[LabelledWindow]:
    by_id = experiment.recordings
    return [LabelledWindow(i, window, by_id[i].label) for i in ids for window in store.windows(i)]


def sensor_contract(experiment: Experiment, train: Sequence[str]) -> SensorContract:
    """What the model asks of a recording, read off the training recordings."""
    recipe, store = experiment.recipe, experiment.window_store
    stream = experiment.recordings[train[0]].stream(recipe.dataset.sensor)
    lengths = [store.num_samples(i) for i in train]
    sliding = recipe.sensor.window == "sliding"
    return SensorContract(
        stream=stream.name,
        placement=get_dataset(recipe.dataset.name).placement,
        unit=stream.unit,
        axes=stream.axes,
        rate_hz=stream.rate_hz,
        window_mode=recipe.sensor.window,
        length=recipe.sensor.length,
        stride=recipe.sensor.stride if sliding else None,
        window_rate_hz=recipe.sensor.rate_hz if sliding else None,
        min_samples=max(2, int(min(lengths) * (1 - LENGTH_MARGIN))),
        max_samples=int(max(lengths) * (1 + LENGTH_MARGIN)) if not sliding else 10**9,
        range_limit=max(recipe.encoding.limit, float(store.largest(train))),
        encoding=EncodingContract(
            method=recipe.encoding.method,
            scaling=recipe.encoding.scaling,
            limit=recipe.encoding.limit,
            image_size=recipe.encoding.image_size,
        ),
        encoding_inside=recipe.export.encoding_inside,
        mat_variable=stream.variable,
        mat_columns=stream.columns,
    )


def _provenance(experiment: Experiment, folder: RunFolder, train: int, validation: int) -> Provenance:
    recipe, split = experiment.recipe, experiment.split
    return Provenance(
        recipe=recipe.name,
        dataset=recipe.dataset.name,
        protocol=ProtocolRecord(name=split.protocol, hash=split.protocol_hash, fold=split.fold),
        split_sizes=SplitSizes(train=train, validation=validation, test=len(split.test)),
        labels=experiment.index.labels,
        seed=recipe.seed,
    )
