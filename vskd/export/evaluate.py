"""Evaluate a bundle on a data set's protocol: the figures of the int8 model itself, run by LiteRT."""

import logging
import time
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from vskd.bundle.budget import Measure
from vskd.bundle.bundle import FLOAT_MODEL, MODEL, Bundle, load_bundle
from vskd.bundle.contract import Contract, ImageContract, SensorContract
from vskd.bundle.encoding import model_input
from vskd.bundle.latency import compare_latency
from vskd.bundle.runtime import LiteRTModel
from vskd.distillation.experiment import Experiment, prepare
from vskd.distillation.renewal import renewing
from vskd.distillation.run import RunFolder
from vskd.errors import BundleError, first_few
from vskd.evaluation.evaluate import (
    SamplesToLogits,
    data_stamp,
    labels_stamp,
    left_out,
    open_experiment,
    over_time,
    predict_answers,
    stamp,
    teacher_beside,
    trained_model,
    write_answers,
)
from vskd.evaluation.finished import PREDICTIONS, REPORT, RESULTS, evaluated, evaluating, refuse_run_or_bundle
from vskd.evaluation.predictions import Predictions
from vskd.evaluation.report.image_pictures import image_pictures
from vskd.evaluation.report.pictures import run_pictures
from vskd.evaluation.report.report import write_report
from vskd.evaluation.report.timeline_pictures import timeline_pictures
from vskd.evaluation.results import LabelsStamp, LatencyRow, Results, TeacherFigures, build_results, write_results
from vskd.export.run_export import export_run
from vskd.locks import LOCK, only_writer
from vskd.modalities.base import Inputs
from vskd.modalities.catalog import asked_by
from vskd.models.catalog import NETWORKS
from vskd.recipe import Recipe, parse_recipe

logger = logging.getLogger(__name__)

MakePictures = Callable[[Predictions], dict[str, bytes]]
"""What the int8 model answered -> caption -> PNG."""
NAMED = 5
OF_FLOAT = "The pictures look into the run's float student; the answers in them are those of the int8 model."


def bundle_model(bundle: Bundle, inputs: Inputs) -> SamplesToLogits:
    """The bundle's int8 model as a function of the samples that a student takes."""
    model, contract = LiteRTModel(bundle.read(MODEL)), bundle.manifest.contract

    def logits(samples: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        asked = inputs.deployed(torch.from_numpy(samples))
        return np.concatenate([model.predict(model_input(sample, contract)[np.newaxis]) for sample in asked])

    return logits


def bundle_recipe(bundle: Bundle, data: Path, dataset: str | None, protocol: str | None, fold: str | None) -> Recipe:
    """A recipe that reads a data set the way the bundle's contract asks."""
    origin, contract = bundle.manifest.provenance, bundle.manifest.contract
    own = protocol in (None, origin.protocol.name)  # a fold is one of its protocol
    source = {
        "name": dataset or origin.dataset,
        "path": str(data),
        "protocol": protocol or origin.protocol.name,
        "fold": fold or (origin.protocol.fold if own else None),
    }
    # The network is the bundle's own and is not built; any that exists fills its place in the recipe.
    student = {"sees": asked_by(contract), "network": {"name": next(iter(NETWORKS))}}
    content = {"name": origin.recipe, "seed": origin.seed, "dataset": source, "student": student, "distiller": "none"}
    return parse_recipe(content, source=f"bundle {bundle.path}")


def evaluate_bundle(
    bundle: Path,
    data: Path,
    dataset: str | None = None,
    protocol: str | None = None,
    fold: str | None = None,
    out: Path | None = None,
) -> Results:
    """Predict the test recordings of a protocol with a bundle, and write predictions.csv, results.json and report.html.

    Args:
        bundle: the bundle's folder; its hashes are checked first.
        data: folder of the data set.
        dataset, protocol, fold: what to evaluate on; what the bundle was made from by default.
        out: folder of the results; `<bundle>-results` beside the bundle by default.

    Raises:
        WriteError: `out` is the folder of a run or of a bundle.
        BundleError: the bundle was changed, or the data set has other classes, another unit or rate; or the test part
            holds recordings that the bundle's model learned from, or may hold them.
    """
    loaded = load_bundle(bundle)
    place = out or bundle.with_name(f"{bundle.name}-results")
    recipe = bundle_recipe(loaded, data, dataset, protocol, fold)

    def work() -> Results:
        experiment = prepare(recipe, place.parent / "cache")
        pictures = partial(_pictures_in_run, loaded, experiment)
        return _evaluate(loaded, experiment, place, pictures, teacher=None, distiller=None, network="", labels=None)

    refuse_run_or_bundle(place)
    with only_writer(place / LOCK, place):
        return renewing(work)


def export_and_evaluate(run: Path, measure: Measure | None = None) -> Path:
    """Export a finished student run to `run`/bundle and evaluate its int8 model on the run's own test recordings.

    Args:
        run: its folder.
        measure: see `export_run`.

    Returns:
        Folder of the int8 results, `run`/int8.
    """
    out, bundle = run / "int8", run / "bundle"
    if not (bundle / "manifest.json").is_file():
        export_run(run, bundle, measure=measure)
    folder = RunFolder.open(run)
    if not evaluated(out, recorded=folder.sealed):
        with folder.writing():
            renewing(lambda: _evaluate_of_run(folder, bundle, out))
    return out


def _evaluate_of_run(folder: RunFolder, bundle: Path, out: Path) -> None:
    experiment = open_experiment(folder)
    recipe = experiment.recipe
    teacher = teacher_beside(experiment, folder, experiment.split.test)
    model = trained_model(experiment, folder)
    _evaluate(
        load_bundle(bundle),
        experiment,
        out,
        partial(run_pictures, experiment, folder, model=model),
        teacher=teacher,
        distiller=recipe.distiller.title,
        network=recipe.student.network.name,
        labels=labels_stamp(experiment),
    )


def _evaluate(
    bundle: Bundle,
    experiment: Experiment,
    out: Path,
    pictures: MakePictures,
    *,
    teacher: TeacherFigures | None,
    distiller: str | None,
    network: str,
    labels: LabelsStamp | None,
) -> Results:
    _check_fits(bundle, experiment)
    started = time.perf_counter()
    inputs, ids = experiment.inputs, experiment.split.test
    answers = predict_answers(experiment, ids, bundle_model(bundle, inputs), "Evaluating int8")
    predictions = answers.predictions
    seconds = time.perf_counter() - started
    manifest = bundle.manifest
    shown = pictures(predictions)
    over = timeline_pictures(experiment, answers.windows)
    note = f"int8 model of bundle {bundle.digest[:12]}, run by LiteRT, one recording at a time."
    results = build_results(
        predictions,
        over_time=over_time(answers, experiment),
        kind="bundle",
        recipe=manifest.provenance.recipe,
        dataset=experiment.recipe.dataset.name,
        network=network or f"int8 {_input_name(manifest.contract)}",
        distiller=distiller,
        protocol=stamp(experiment),
        data=data_stamp(experiment),
        labels=labels,
        split="test",
        seed=manifest.provenance.seed,
        teacher=teacher,
        timings={"evaluate": round(seconds, 2)},
        model_bytes=len(bundle.read(MODEL)),
        environment={"vskd": manifest.vskd_version, "runtime": "LiteRT"},
        latency=_latency(bundle),
        left_out=left_out(inputs, ids),
        notes=[note] + [OF_FLOAT] * bool(shown),
    )
    with evaluating(out):
        write_answers(answers, out / PREDICTIONS, experiment)
        write_results(results, out / RESULTS)
        write_report(out / REPORT, results, predictions, pictures=over | shown)
    return results


def _pictures_in_run(bundle: Bundle, experiment: Experiment, predictions: Predictions) -> dict[str, bytes]:
    """Pictures of the float student where a bundle of images lies in the folder of its run; elsewhere none."""
    manifest, folder = bundle.manifest, RunFolder(bundle.path.resolve().parent)
    if not (isinstance(manifest.contract, ImageContract) and folder.complete and folder.recipe_file.is_file()):
        return {}
    recipe = folder.recipe()
    if (recipe.name, recipe.seed) != (manifest.provenance.recipe, manifest.provenance.seed):
        return {}
    return image_pictures(trained_model(experiment, folder), experiment.inputs, predictions)


def _latency(bundle: Bundle) -> list[LatencyRow]:
    """The int8 model beside the float one, on one thread."""
    models = {"int8": bundle.read(MODEL), "float32": bundle.read(FLOAT_MODEL)}
    return [LatencyRow(model=name, **asdict(found)) for name, found in compare_latency(models).items()]


def _input_name(contract: Contract) -> str:
    return contract.encoding.method if isinstance(contract, SensorContract) else contract.stream


def _check_fits(bundle: Bundle, experiment: Experiment) -> None:
    """The data set must have the bundle's classes, unit and rate, and its test part must be new to the bundle."""
    contract, origin = bundle.manifest.contract, bundle.manifest.provenance
    if experiment.index.labels != origin.labels:
        raise BundleError(
            f"{bundle.path} knows {len(origin.labels)} classes of {origin.dataset}; "
            f"{experiment.index.dataset} has others",
            "Evaluate it on a data set with the same classes",
        )
    if isinstance(contract, SensorContract):
        recording = next(iter(experiment.index))
        pairs = [(view, recording.stream(view.stream)) for view in contract.of_streams()]
        facts = [("unit", view.unit, stream.unit) for view, stream in pairs]
        if not contract.streams:  # several are resampled to one rate
            facts.append(("rate", f"{contract.rate_hz:g}", f"{pairs[0][1].rate_hz:g}"))
        for what, asks, has in facts:
            if asks != has:
                raise BundleError(
                    f"{bundle.path} asks for {what} {asks}, the data set has {has}", "Use a matching data set"
                )
    seen = set(bundle.manifest.quantization.calibration_ids) & set(experiment.split.test)
    same_data = experiment.index.dataset == origin.dataset
    if same_data and (seen or experiment.split.protocol_hash != origin.protocol.hash):
        raise BundleError(
            f"{bundle.path} was trained by protocol '{origin.protocol.name}'"
            + (f" fold {origin.protocol.fold}" if origin.protocol.fold else "")
            + f"; the test part of '{experiment.split.protocol}' may hold recordings it was trained on",
            "Evaluate it on its own protocol and fold, or on another data set",
        )
    _check_contents(bundle, experiment)


def _check_contents(bundle: Bundle, experiment: Experiment) -> None:
    """What the model learned from is not tested on, whatever the files are called and however they are split now."""
    learned, inputs = bundle.learned(), experiment.inputs
    if learned is None:
        logger.warning(
            "%s does not say what it learned from (it was made by an earlier version): nobody can tell whether its "
            "training recordings are among those that it is tested on now",
            bundle.path,
        )
        return
    known, tested = learned.fingerprints(), inputs.fingerprints(experiment.split.test)
    seen = sorted({i for content, i in tested.items() if content in known})
    if seen:
        raise BundleError(
            f"{bundle.path} was trained on {len(seen)} of the {len(experiment.split.test)} test recordings of "
            f"{experiment.index.root}, or its epoch was selected by them: {first_few(seen, NAMED, ', ')}",
            "Test it on recordings that are new to it, e.g. the test part of the folder that it was made from",
        )
