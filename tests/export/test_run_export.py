"""From a finished run to its bundle: who calibrates, what the contract says, and what is refused."""

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from vskd.bundle.budget import Needs
from vskd.bundle.bundle import load_bundle, verify_bundle
from vskd.bundle.encoding import model_input
from vskd.datasets.recording import UNLABELLED
from vskd.datasets.synthetic.dataset import index
from vskd.distillation.experiment import Experiment
from vskd.distillation.model import Model
from vskd.distillation.run import RunFolder
from vskd.errors import BundleError, RecipeError, RunError
from vskd.evaluation.evaluate import open_experiment
from vskd.export import run_export
from vskd.export.run_export import _pruned, _spread, export_run
from vskd.export.scoring import Checker
from vskd.files import sha256_file
from vskd.models.squeezenet_lw import SqueezeNetLW
from vskd.preprocessing.stores.window_store import WindowStore


def test_calibration_knows_training_recordings_only(finished_comparison, synthetic_root: Path) -> None:
    manifest = load_bundle(finished_comparison.bundle).manifest
    training = json.loads((finished_comparison.student / "training.json").read_text(encoding="utf-8"))
    odd = {r.id for r in index(synthetic_root) if int(r.subject) % 2 == 1}
    calibration = set(manifest.quantization.calibration_ids)
    assert calibration and calibration <= odd - set(training["validation"])
    assert manifest.accuracy.split == "validation"
    assert manifest.accuracy.recordings == len(training["validation"])


def test_the_contract_is_read_off_the_data(finished_comparison) -> None:
    contract = load_bundle(finished_comparison.bundle).manifest.contract
    assert (contract.stream, contract.unit, contract.rate_hz) == ("accelerometer", "g", 50.0)
    assert (contract.window_mode, contract.length) == ("whole", 128)
    assert (contract.encoding.method, contract.encoding.image_size) == ("gasf+gadf", 16)
    assert contract.range_limit >= contract.encoding.limit


def test_the_bundle_says_where_it_comes_from(finished_comparison, synthetic_root: Path) -> None:
    origin = load_bundle(finished_comparison.bundle).manifest.provenance
    facts = json.loads((finished_comparison.student / "environment.json").read_text(encoding="utf-8"))
    assert (origin.recipe, origin.dataset, origin.seed) == ("demo", "synthetic", 0)
    assert (origin.protocol.name, origin.protocol.hash) == (facts["protocol"], facts["protocol_hash"])
    assert origin.labels == index(synthetic_root).labels
    assert origin.split_sizes.test == 12


def test_the_bundle_verifies(finished_comparison) -> None:
    assert verify_bundle(finished_comparison.bundle).golden_vectors > 0


def test_the_bundle_says_what_it_learned_from(finished_comparison, synthetic_root: Path) -> None:
    """Training and validation, by hashes of the files and of the samples in the store; nobody who is tested."""
    bundle = load_bundle(finished_comparison.bundle)
    learned = bundle.learned()
    assert learned is not None and learned.recordings == 12
    (path,) = (finished_comparison.out / "cache").glob("window-*.h5")
    samples = WindowStore(path).contents
    files = {r.id: sha256_file(r.stream("accelerometer").path) for r in index(synthetic_root)}
    trained = [r.id for r in index(synthetic_root) if int(r.subject) % 2 == 1]
    assert learned.fingerprints() == {hashes[i][:16] for hashes in (samples, files) for i in trained}
    assert (bundle.path / "learned.json").stat().st_size < 350


def test_of_teachers_of_the_same_streams_too(finished_images) -> None:
    """What the teacher saw is what it has handed on."""
    experiment = open_experiment(RunFolder(finished_images.student))
    folder = SimpleNamespace(teacher_runs=lambda: (finished_images.teacher,), learned=lambda: None)
    taught = RunFolder(finished_images.teacher).learned()
    assert taught is not None and taught.contents
    assert run_export._learned(experiment, folder, ()).fingerprints() == set(taught.contents)
    folder.teacher_runs = lambda: ()
    assert run_export._learned(experiment, folder, ()).fingerprints() == set()
    folder.learned = lambda: taught  # as it stands on the student's own record, with whom its teachers learned from
    assert run_export._learned(experiment, folder, ()).fingerprints() == set(taught.contents)


def test_a_teacher_is_not_exported(finished_comparison, tmp_path: Path) -> None:
    with pytest.raises(RunError, match="is a teacher's run"):
        export_run(finished_comparison.teacher, tmp_path / "bundle")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("converted")
def test_over_budget_leaves_nothing(comparison_copy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A network that is said to be perfect, and a budget of nothing."""
    before = sorted(tmp_path.rglob("*"))
    ship = run_export.export_model
    monkeypatch.setattr(Checker, "accuracy", 1.0)
    monkeypatch.setattr(run_export, "export_model", lambda **given: ship(**{**given, "max_accuracy_drop": 0.0}))
    with pytest.raises(BundleError, match="nothing was written"):
        export_run(comparison_copy.student, tmp_path / "bundle")
    assert sorted(tmp_path.rglob("*")) == before


NEEDS = Needs(*[1000] * 7)


@pytest.mark.usefixtures("converted")
def test_what_does_not_fit_its_hardware_leaves_nothing(comparison_copy, tmp_path: Path) -> None:
    run, out, settings = comparison_copy.student, tmp_path / "bundle", ["export.budget.macs=999"]
    seen: list[tuple[Any, ...]] = []

    def measure(*given: Any) -> Needs:
        seen.append(given)
        return NEEDS

    with pytest.raises(BundleError, match=r"multiply-accumulates: 1,000 of 999, 1 too many; nothing was written"):
        export_run(run, out, settings=settings, measure=measure)
    assert not out.exists()
    ((content, contract),) = seen
    assert content == (comparison_copy.bundle / "model.tflite").read_bytes()
    assert contract.length == 128
    with pytest.raises(RecipeError, match=r"hardware budget \(export.budget\).*Export with `vskd export`"):
        export_run(run, out, settings=settings)
    export_run(run, out, settings=["export.budget.macs=1000"], measure=measure)
    assert verify_bundle(out).golden_vectors > 0


def test_only_squeezenet_lw_has_a_stem_to_prune(finished_comparison, tiny_student: Model, tmp_path: Path) -> None:
    assert _pruned(tiny_student, 0.0) is tiny_student
    assert _pruned(tiny_student, None) is tiny_student
    with pytest.raises(RecipeError, match=r"prune_stem does nothing here: it counts only where .* squeezenet-lw"):
        export_run(finished_comparison.student, tmp_path / "bundle", settings=["export.prune_stem=1e-3"])
    assert list(tmp_path.iterdir()) == []


def test_spread_is_even_and_loses_nobody() -> None:
    ids = tuple(f"r{i}" for i in range(10))
    assert _spread(ids, 4) == (("r0", "r3", "r6", "r9"), ("r1", "r2", "r4", "r5", "r7", "r8"))
    assert _spread(ids, 99) == (ids, ())


def handed_on(finished_comparison, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *settings: str) -> dict[str, Any]:
    """What the export of a finished run hands on, which is not made."""
    given: dict[str, Any] = {}

    def record(**arguments: Any) -> str:
        given.update(arguments)
        return "report"

    monkeypatch.setattr(run_export, "export_model", record)
    assert export_run(finished_comparison.student, tmp_path / "bundle", settings=settings) == "report"
    return given


def test_settings_of_export_are_heard(finished_comparison, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = handed_on(finished_comparison, tmp_path, monkeypatch)
    assert (plain["input_type"], plain["output_type"]) == ("int8", "int8")
    assert (plain["validation_split"], plain["inspect"], plain["fine_tuning"]) == ("validation", None, None)
    assert plain["model"] is plain["trained"] and plain["out"] == tmp_path / "bundle"
    assert not plain["contract"].encoding_inside
    changed = handed_on(
        finished_comparison,
        tmp_path,
        monkeypatch,
        "export.input_type=float32",
        "export.output_type=float32",
        "export.max_accuracy_drop=0.37",
        "export.calibration_recordings=3",
        "export.encoding_inside=true",
    )
    assert (changed["input_type"], changed["output_type"]) == ("float32", "float32")
    assert changed["max_accuracy_drop"] == 0.37 != plain["max_accuracy_drop"]
    assert len(changed["calibration"]) == 3 < len(plain["calibration"])
    assert changed["contract"].encoding_inside
    origin = plain["provenance"]
    training = json.loads((finished_comparison.student / "training.json").read_text(encoding="utf-8"))
    assert origin.split_sizes.train == len(plain["calibration"]) == training["train"]
    assert origin.split_sizes.validation == len(plain["validation"]) == len(training["validation"])
    assert [w.id for w in plain["validation"]] == list(training["validation"])


def test_settings_of_training_are_not_for_an_export(finished_comparison, tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"--set student\.training\.epochs=3: an export changes nothing of how"):
        export_run(finished_comparison.student, tmp_path / "bundle", settings=["student.training.epochs=3"])


def test_without_validation_recordings_labelled_training_ones_are_checked(
    finished_comparison, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those outside the calibration; where too few are, all. Hidden labels are not looked at."""
    opened = run_export.open_experiment

    def without(folder: RunFolder, hidden: tuple[str, ...] = ()) -> Experiment:
        experiment = opened(folder)
        split = experiment.training_split(experiment.recipe.student.training)
        whole = replace(split, train=(*split.train, *split.validation), validation=())
        monkeypatch.setattr(type(experiment), "training_split", lambda *_: whole)
        monkeypatch.setattr(type(experiment), "unlabelled", property(lambda _: frozenset(hidden)))
        return experiment

    monkeypatch.setattr(run_export, "open_experiment", without)
    monkeypatch.setattr(run_export, "FEWEST_OUTSIDE", 5)
    given = handed_on(finished_comparison, tmp_path, monkeypatch, "export.calibration_recordings=4")
    calibrating, checked = {i for i, _ in given["calibration"]}, {w.id for w in given["validation"]}
    assert given["validation_split"] == "train" and len(calibrating) == 4 and len(checked) == 8
    assert not calibrating & checked
    hidden = tuple(sorted(checked))[:3]
    monkeypatch.setattr(run_export, "open_experiment", lambda folder: without(folder, hidden))
    again = handed_on(finished_comparison, tmp_path, monkeypatch, "export.calibration_recordings=4")
    assert {w.id for w in again["validation"]} == checked - set(hidden)
    everything = handed_on(finished_comparison, tmp_path, monkeypatch)
    assert {w.id for w in everything["validation"]} == {i for i, _ in everything["calibration"]} - set(hidden)
    monkeypatch.setattr(run_export, "FEWEST_OUTSIDE", 6)  # one more than are outside with a label
    few = handed_on(finished_comparison, tmp_path, monkeypatch, "export.calibration_recordings=4")
    assert {w.id for w in few["validation"]} == (calibrating | checked) - set(hidden)


def test_the_table_of_layers_is_of_a_few_samples(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    monkeypatch.setattr(run_export, "model_input", lambda sample, contract: (sample, contract))
    monkeypatch.setattr(run_export, "layer_errors", lambda *given: asked.append(given) or ["row"])
    monkeypatch.setattr(run_export, "render_layer_errors", lambda rows: f"table of {rows}")
    samples = [(f"r{n}", n) for n in range(20)]
    run_export._layer_table(tmp_path / "layers.md", samples, "contract")(b"float", b"int8")  # type: ignore[arg-type]
    assert asked == [(b"float", b"int8", [(n, "contract") for n in range(8)])]
    assert (tmp_path / "layers.md").read_text() == "table of ['row']\n"


def experiment_of(timelines: dict[str, object], labels: dict[str, list[int]]) -> Any:
    """Recordings of class 7 whose windows show these classes; batches of two windows."""
    asked: list[tuple[Any, ...]] = []

    def batches(ids: tuple[str, ...], *, batch_size: int) -> list[Any]:
        asked.append((ids, batch_size))
        rows = [(i, n, label) for i in ids for n, label in enumerate(labels[i])]
        parts = [rows[k : k + 2] for k in range(0, len(rows), 2)]
        return [
            SimpleNamespace(
                ids=tuple(i for i, _, _ in part),
                inputs=[f"{i}{n}" for i, n, _ in part],
                labels=torch.tensor([label for _, _, label in part]),
            )
            for part in parts
        ]

    inputs = SimpleNamespace(batches=batches, deployed=lambda given: [f"deployed {x}" for x in given], asked=asked)
    recordings = {i: SimpleNamespace(timeline=timelines.get(i), label=7) for i in labels}
    training = SimpleNamespace(batch_size=64)
    recipe = SimpleNamespace(student=SimpleNamespace(training=training))
    return SimpleNamespace(inputs=inputs, recordings=recordings, recipe=recipe)


def test_a_window_of_a_long_recording_counts_by_itself_and_without_a_label_not_at_all() -> None:
    experiment = experiment_of({"long": "a day"}, {"short": [7, 7], "long": [1, UNLABELLED, 2]})
    found = run_export._labelled_windows(experiment, ("short", "long"))
    assert [(w.id, w.window, w.label) for w in found] == [
        ("short", "deployed short0", 7),
        ("short", "deployed short1", 7),
        ("long#2", "deployed long0", 1),
        ("long#3", "deployed long2", 2),
    ]
    assert experiment.inputs.asked == [(("short", "long"), 64)]


def test_calibration_has_every_window_with_the_recording_it_is_of() -> None:
    experiment = experiment_of({}, {"a": [7, 7], "b": [7]})
    assert list(run_export._samples(experiment, ("a", "b"))) == [
        ("a", "deployed a0"),
        ("a", "deployed a1"),
        ("b", "deployed b0"),
    ]


def test_what_a_teacher_of_other_streams_saw_was_not_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def of(streams: tuple[str, ...]) -> Any:
        return SimpleNamespace(student=SimpleNamespace(sees=SimpleNamespace(streams=streams)))

    teachers = {
        "same": (of(("wrist",)), {"t1": "x"}),
        "other": (of(("rgb",)), {"t2": "x"}),
        "silent": (of(("wrist",)), None),
    }

    class Folder:
        def __init__(self, path: str) -> None:
            self._recipe, self._contents = teachers[path]

        def learned(self) -> Any:
            return None if self._contents is None else SimpleNamespace(contents=self._contents)

        def recipe(self) -> Any:
            return self._recipe

    monkeypatch.setattr(run_export, "RunFolder", Folder)
    monkeypatch.setattr(run_export, "learned_from", lambda found, count: (sorted(found), count))
    inputs = SimpleNamespace(fingerprints=lambda ids: {f"own {i}": i for i in ids})
    experiment: Any = SimpleNamespace(inputs=inputs, recipe=of(("wrist",)))
    folder: Any = SimpleNamespace(teacher_runs=lambda: tuple(teachers), learned=lambda: None)
    assert run_export._learned(experiment, folder, ("a", "b")) == (["own a", "own b", "t1"], 2)


@pytest.mark.parametrize(
    ("count", "chosen"), [(1, "a"), (2, "ag"), (3, "adg"), (6, "abcefg"), (7, "abcdefg"), (8, "abcdefg")]
)
def test_those_who_calibrate_are_spread_from_the_first_to_the_last(count: int, chosen: str) -> None:
    found, others = _spread(tuple("abcdefg"), count)
    assert found[0] == "a" and (count == 1 or found[-1] == "g")
    assert sorted((*found, *others)) == list("abcdefg") and len(found) == len(chosen)
    assert count == 6 or "".join(found) == chosen


def test_a_run_that_is_not_complete_is_not_exported(
    finished_comparison, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(RunFolder, "complete", False)
    monkeypatch.setattr(run_export, "_export", lambda *_: "report")
    with pytest.raises(RunError, match="training has not finished"):
        export_run(finished_comparison.student, tmp_path / "bundle")


def test_the_table_of_layers_is_written_where_it_is_asked_for(
    finished_comparison, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the samples that calibrate, as the contract has them."""
    given: dict[str, Any] = {}
    monkeypatch.setattr(run_export, "export_model", lambda **arguments: given.update(arguments))
    asked: list[tuple[Any, ...]] = []
    monkeypatch.setattr(run_export, "layer_errors", lambda *models: asked.append(models) or [])
    monkeypatch.setattr(run_export, "fine_tuning", lambda *handed: handed)
    export_run(finished_comparison.student, tmp_path / "bundle", layers=tmp_path / "layers.md")
    given["inspect"](b"float", b"int8")
    assert (tmp_path / "layers.md").read_text(encoding="utf-8").startswith("| # | operator")
    ((float_model, int8_model, samples),) = asked
    assert (float_model, int8_model) == (b"float", b"int8") and len(samples) == min(8, len(given["calibration"]))
    expected = model_input(given["calibration"][0][1], given["contract"])
    np.testing.assert_array_equal(samples[0], expected)
    recipe, inputs, train = given["fine_tuning"]
    assert (recipe.name, inputs.name) == ("demo", "accelerometer")
    assert set(train) == {i for i, _ in given["calibration"]}
    assert given["fits"] is None and given["learned"].recordings == 12
    assert {*given["provenance"].labels} and given["provenance"].protocol.fold is None


def test_a_fold_is_named(finished_comparison) -> None:
    experiment = open_experiment(RunFolder(finished_comparison.student))
    found = run_export._provenance(replace(experiment, split=replace(experiment.split, fold="3")), 5, 6)
    assert (found.protocol.fold, found.split_sizes.train, found.split_sizes.validation) == ("3", 5, 6)
    assert found.split_sizes.test == len(experiment.split.test)


def test_settings_of_export_may_stand_behind_blanks(finished_comparison, tmp_path: Path, monkeypatch) -> None:
    given = handed_on(finished_comparison, tmp_path, monkeypatch, " export.max_accuracy_drop=0.5")
    assert given["max_accuracy_drop"] == 0.5
    with pytest.raises(RecipeError, match=r"--set exports\.x=1"):
        handed_on(finished_comparison, tmp_path, monkeypatch, "export.max_accuracy_drop=0.5", "exports.x=1")


def test_filters_up_to_the_threshold_of_the_recipe_go_and_the_front_stays() -> None:
    torch.manual_seed(0)
    network = SqueezeNetLW(1, 4)
    with torch.no_grad():
        network.initial_conv.weight[[3, 8]] *= 0.01
    model = Model(nn.Identity(), network).train()
    assert _pruned(model, 0.0) is model and _pruned(model, None) is model
    pruned = _pruned(model, 0.1)
    assert pruned.network.initial_conv.out_channels == 94 and network.initial_conv.out_channels == 96
    assert pruned.front is model.front and not pruned.training
    assert _pruned(model, 1e-4).network.initial_conv.out_channels == 96
