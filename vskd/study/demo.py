"""Every step on the synthetic world: recordings, teacher, two students, comparison, int8 bundle, prediction."""

import time
from dataclasses import dataclass
from pathlib import Path

from vskd.bundle.bundle import verify_bundle
from vskd.bundle.predict import predict_file
from vskd.datasets.synthetic.write import write_world
from vskd.distillation.run import RunFolder
from vskd.recipe import load_recipe
from vskd.study.compare import compare
from vskd.study.comparison import Comparison
from vskd.study.comparison_tables import to_text
from vskd.study.controls import with_controls
from vskd.study.deploy import export_and_evaluate

RECIPE = "demo"
TRIALS = 8  # per subject and action; with four, the video teacher sees too few clips to learn from


@dataclass(frozen=True)
class DemoReport:
    """What the demo made and measured."""

    out: Path
    seconds: dict[str, float]
    comparison: Comparison
    bundle: Path
    predicted: str
    truth: str
    latency_ms: float

    def __str__(self) -> str:
        stages = ", ".join(f"{name} {seconds:.0f} s" for name, seconds in self.seconds.items())
        return "\n".join(
            [
                to_text(self.comparison),
                f"verified bundle:  {self.bundle}",
                f"one recording:  predicted '{self.predicted}', truth '{self.truth}', {self.latency_ms:.2f} ms (int8)",
                f"reports:          {self.out / 'comparison' / 'comparison.html'}",
                f"                  {self.bundle.parent / 'report.html'}",
                f"time:             {stages}",
            ]
        )


def run_demo(out: Path) -> DemoReport:
    """Run the demo in a folder; a second call finishes what an interrupted one left.

    Raises:
        VskdError: a stage fails, or the folder cannot be written.
    """
    seconds: dict[str, float] = {}
    world, started = out / "world", time.perf_counter()
    write_world(world, trials=TRIALS)
    seconds["world"] = time.perf_counter() - started
    started = time.perf_counter()
    recipe = load_recipe(RECIPE).updated(f"dataset.path={world}")
    recipes = with_controls([recipe], ["none"])
    comparison = compare(recipes, [0], out / "comparison", after_run=export_and_evaluate)
    seconds["teach, distil, evaluate, export"] = time.perf_counter() - started
    run = out / "comparison" / "runs" / RECIPE / "seed0"
    started = time.perf_counter()
    verify_bundle(run / "bundle")
    recording = _a_test_recording(run)
    prediction = predict_file(run / "bundle", recording.path)
    seconds["verify, predict"] = time.perf_counter() - started
    return DemoReport(
        out, seconds, comparison, run / "bundle", prediction.label, recording.label, prediction.latency_ms
    )


@dataclass(frozen=True)
class _Sample:
    path: Path
    label: str


def _a_test_recording(run: Path) -> _Sample:
    from vskd.evaluation.evaluate import open_experiment

    experiment = open_experiment(RunFolder.open(run))
    recording = experiment.recordings[experiment.split.test[0]]
    return _Sample(recording.stream("accelerometer").path, experiment.index.labels[recording.label])
