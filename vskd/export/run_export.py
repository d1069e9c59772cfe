"""Export the student of a run folder: contract, calibration and validation recordings come from its recipe and data."""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from vskd.bundle.contract import (
    Contract,
    EncodingContract,
    ImageContract,
    ProtocolRecord,
    Provenance,
    SensorContract,
    SplitSizes,
)
from vskd.bundle.encoding import Sample, model_input
from vskd.datasets.catalog import get_dataset
from vskd.distillation.experiment import Experiment
from vskd.distillation.inputs import Inputs, student_inputs
from vskd.distillation.networks import load_student
from vskd.distillation.run import RunFolder
from vskd.distillation.student import ImageStudent, Student
from vskd.errors import RecipeError, RunError
from vskd.evaluation.evaluate import open_experiment
from vskd.export.candidates import Inspect
from vskd.export.int8.fine_tuning import fine_tuning
from vskd.export.int8.layer_error import layer_errors, render_layer_errors
from vskd.export.prune import prune_stem
from vskd.export.scoring import LabelledWindow
from vskd.export.ship import ExportReport, export_model
from vskd.files import write_text
from vskd.models.squeezenet_lw import SqueezeNetLW
from vskd.preprocessing.image.image_header import MIN_SIDE
from vskd.recipe.overrides import with_overrides
from vskd.recipe.schema import parse_recipe

logger = logging.getLogger(__name__)

LAYER_SAMPLES = 8
"""Samples on which the error of each operator is measured."""
LENGTH_MARGIN = 0.5
"""A recording may be this much shorter or longer than any that the model was trained on."""


def export_run(
    run: Path,
    out: Path,
    *,
    settings: Sequence[str] = (),
    layers: Path | None = None,
) -> ExportReport:
    """Write the bundle of a finished student run.

    Calibration uses training recordings only; accuracy and parity are measured on the validation recordings, or, where
    the run was trained without any, on training recordings outside the calibration, which the bundle says.

    Args:
        run: a finished student run.
        out: the bundle's folder.
        settings: `export.key=value`, in place of what the run's recipe says there.
        layers: Markdown file for the error of each operator of the int8 model, written even if the export is refused.

    Raises:
        RunError: not a finished student run.
        RecipeError: a setting is not one of export, or not allowed.
        BundleError: int8 loses more than the recipe's budget; nothing is written.
    """
    folder = RunFolder.open(run)
    if folder.kind != "student":
        raise RunError(f"{run} is a teacher's run; only students are exported", "Name the run folder of `vskd distill`")
    folder.require_complete()
    experiment = _with_settings(open_experiment(folder), settings)
    recipe, inputs = experiment.recipe, student_inputs(experiment)
    split = experiment.training_split(recipe.training)
    train = experiment.only(split.train, inputs.ids, inputs.stream)
    calibration, rest = _spread(train, recipe.export.calibration_recordings)
    validation = experiment.only(split.validation, inputs.ids, inputs.stream)
    checking = validation or rest or calibration
    by_id = experiment.recordings
    contract = CONTRACTS[recipe.student.input](experiment, train)
    samples = list(_samples(experiment, inputs, calibration))
    trained = load_student(run, len(experiment.index.labels), inputs.channels)
    return export_model(
        network=_pruned(trained, recipe.export.prune_stem),
        trained=trained,
        calibration=samples,
        validation=[LabelledWindow(i, x, by_id[i].label) for i, x in _samples(experiment, inputs, checking)],
        contract=contract,
        provenance=_provenance(experiment, folder, len(train), len(validation)),
        max_accuracy_drop=recipe.export.max_accuracy_drop,
        out=out,
        input_type=recipe.export.input_type,
        output_type=recipe.export.output_type,
        validation_split="validation" if validation else "train",
        fine_tuning=fine_tuning(recipe, inputs, train),
        inspect=None if layers is None else _layer_table(layers, samples, contract),
    )


def _with_settings(experiment: Experiment, settings: Sequence[str]) -> Experiment:
    """The experiment with other settings of export; all others were fixed when the run was trained."""
    for setting in settings:
        if not setting.strip().startswith("export."):
            raise RecipeError(
                f"--set {setting}: an export changes nothing of how the run was trained",
                "Set keys of export only, e.g. --set export.fine_tuning=always",
            )
    content = with_overrides(experiment.recipe.model_dump(mode="json"), settings)
    return replace(experiment, recipe=parse_recipe(content, source="--set"))


def _pruned(student: Student, threshold: float) -> Student:
    """The student without near-dead stem filters.

    Raises:
        RecipeError: its network is not SqueezeNet_LW.
    """
    if not threshold:
        return student
    if not isinstance(student.network, SqueezeNetLW):
        raise RecipeError("export.prune_stem fits the student network squeezenet-lw only", "Set it to 0")
    pruning = prune_stem(student.network, threshold=threshold)
    logger.info("removed %d stem filters, %d are left", len(pruning.removed), pruning.kept)
    return ImageStudent(pruning.network).eval()


def _layer_table(path: Path, samples: Sequence[tuple[str, Sample]], contract: Contract) -> Inspect:
    """Writes the error of each operator, measured on a few calibration samples."""

    def write(float_model: bytes, int8_model: bytes) -> None:
        chosen = [model_input(sample, contract) for _, sample in samples[:LAYER_SAMPLES]]
        write_text(path, render_layer_errors(layer_errors(float_model, int8_model, chosen)) + "\n")

    return write


def _spread(ids: Sequence[str], count: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """`count` of the sorted ids, evenly spread so that classes and people are all there; and the others."""
    positions = np.unique(np.linspace(0, len(ids) - 1, min(count, len(ids))).round().astype(int))
    chosen = {ids[p] for p in positions}
    return tuple(i for i in ids if i in chosen), tuple(i for i in ids if i not in chosen)


def _samples(experiment: Experiment, inputs: Inputs, ids: tuple[str, ...]) -> Iterator[tuple[str, Sample]]:
    """The windows of recordings, or their images as 8-bit pixels."""
    of_images = experiment.recipe.student.input == "image"
    for batch in inputs.batches(ids):
        samples = batch.inputs.numpy()
        yield from zip(batch.ids, np.rint(255 * samples).astype(np.uint8) if of_images else samples, strict=True)


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


def image_contract(experiment: Experiment, train: Sequence[str]) -> ImageContract:
    """What the model asks of an image."""
    dataset, images = experiment.recipe.dataset, experiment.recipe.images
    boxed = images.crop == "box"
    return ImageContract(
        stream=dataset.image,
        placement=get_dataset(dataset.name).placement,
        size=images.size,
        channels=1 if images.grey else 3,
        crop=images.crop,
        margin=images.margin if boxed else 0.0,
        box_of=f"as in {dataset.name}" if boxed else "",
        min_side=MIN_SIDE,
    )


CONTRACTS: Mapping[str, Callable[[Experiment, Sequence[str]], Contract]] = {
    "sensor": sensor_contract,
    "image": image_contract,
}


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
