"""Few labels, many pairs without, in minutes: recordings, teacher, two students, comparison, int8 bundle, predictions.

Of the training people one has labels; of the others there are pairs of skeleton and wrist, which nobody labelled. A
skeleton teacher annotates them for the student. Its twin without a teacher has the labels alone.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np

from vskd.bundle.bundle import verify_bundle
from vskd.bundle.predict import predict_file
from vskd.datasets.recording import Recording
from vskd.datasets.synthetic.write import write_world
from vskd.distillation.run import RunFolder
from vskd.recipe import Recipe, load_recipe
from vskd.study.compare import compare
from vskd.study.comparison import Comparison
from vskd.study.comparison_tables import to_text
from vskd.study.controls import with_controls
from vskd.study.deploy import export_and_evaluate

RECIPE = "few-labels"
TRIALS = 6  # per subject and action
SHOWN = 8
"""Recordings that are predicted one by one: each of another class, where there are so many."""
SHOWN_SEED = 0


@dataclass(frozen=True)
class Shown:
    """One test recording: what the int8 bundle says of it, and what it is."""

    recording: str
    predicted: str
    truth: str

    def __str__(self) -> str:
        verdict = "right" if self.predicted == self.truth else f"wrong, it is '{self.truth}'"
        return f"{self.recording}: '{self.predicted}' ({verdict})"


@dataclass(frozen=True)
class DemoReport:
    """What the demo made and measured.

    Attributes:
        labelled, unlabelled: training recordings with a label, and pairs without.
        latency_ms: of the int8 model, median over the recordings that are shown.
    """

    out: Path
    seconds: dict[str, float]
    comparison: Comparison
    bundle: Path
    labelled: int
    unlabelled: int
    shown: tuple[Shown, ...]
    latency_ms: float

    def __str__(self) -> str:
        stages = ", ".join(f"{name} {seconds:.0f} s" for name, seconds in self.seconds.items())
        right = sum(one.predicted == one.truth for one in self.shown)
        count = f"{right} of {len(self.shown)} right, drawn one a class"
        return "\n".join(
            [
                f"training:         {self.labelled} recordings with labels, {self.unlabelled} pairs without",
                "",
                to_text(self.comparison),
                f"verified bundle:  {self.bundle}",
                f"predicted:        {count}; {self.latency_ms:.2f} ms each (int8)",
                *(f"                  {one}" for one in self.shown),
                f"reports:          {self.out / 'comparison' / 'comparison.html'}",
                f"                  {self.bundle.parent / 'report.html'}",
                f"time:             {stages}",
            ]
        )


def run_demo(out: Path, data: Path | None = None) -> DemoReport:
    """Run the demo in a folder; a second call finishes what an interrupted one left.

    Args:
        out: folder for everything.
        data: UTD-MHAD; without it a synthetic world is written.

    Raises:
        VskdError: a stage fails, or the folder cannot be written.
    """
    seconds: dict[str, float] = {}
    started = time.perf_counter()
    recipe = _recipe(out, data)
    seconds["world"] = time.perf_counter() - started
    started = time.perf_counter()
    comparison = compare(with_controls([recipe], ["none"]), [0], out / "comparison", after_run=export_and_evaluate)
    seconds["teach, distil, evaluate, export"] = time.perf_counter() - started
    run = out / "comparison" / "runs" / RECIPE / "seed0"
    started = time.perf_counter()
    verify_bundle(run / "bundle")
    shown, latency_ms = _shown(run)
    seconds["verify, predict"] = time.perf_counter() - started
    facts = RunFolder.open(run).facts()
    return DemoReport(
        out, seconds, comparison, run / "bundle", facts["labelled"], facts["unlabelled"], shown, latency_ms
    )


def _recipe(out: Path, data: Path | None) -> Recipe:
    """The recipe on UTD-MHAD, or on a world that is written now."""
    if data is not None:
        return load_recipe(RECIPE, ["dataset.name=utd-mhad", f"dataset.path={data}"])
    world = out / "world"
    write_world(world, trials=TRIALS, skeletons=True)
    return load_recipe(RECIPE).updated(f"dataset.path={world}")


def drawn(recordings: Sequence[Recording], count: int, seed: int) -> tuple[Recording, ...]:
    """Recordings at random, each of another class: which classes, where there are more than `count`, is drawn too."""
    random = np.random.default_rng(seed)
    classes = sorted({recording.label for recording in recordings})
    chosen = sorted(random.permutation(classes)[:count])
    return tuple(random.choice([r for r in recordings if r.label == label]) for label in chosen)  # type: ignore[arg-type]


def _shown(run: Path) -> tuple[tuple[Shown, ...], float]:
    """What the bundle says of test recordings, right and wrong as it comes; and how long it takes."""
    from vskd.evaluation.evaluate import open_experiment

    experiment = open_experiment(RunFolder.open(run))
    tested = [experiment.recordings[i] for i in experiment.split.test]
    shown, times = [], []
    for recording in drawn(tested, SHOWN, SHOWN_SEED):
        said = predict_file(run / "bundle", recording.stream("accelerometer").path)
        shown.append(Shown(recording.id, said.label, experiment.index.labels[recording.label]))
        times.append(said.latency_ms)
    return tuple(shown), median(times)
