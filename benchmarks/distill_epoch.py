"""What the teacher cache saves: seconds of a student's epoch without a teacher, with its cache, and with it online.

Run: python benchmarks/distill_epoch.py
Student, losses, batch size and frames are those of recipe vskd-utd-mhad; recordings are synthetic, weights random. The
three epochs take turns, and the median of several rounds is printed. Target: with the cache at most 1.15x without.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch

from vskd.datasets.synthetic.write import write_world
from vskd.distillation.data import ClipBatches
from vskd.distillation.experiment import Experiment, prepare
from vskd.distillation.guidance import Widths, new_distiller
from vskd.distillation.inputs import student_inputs
from vskd.distillation.networks import new_student, new_teacher
from vskd.distillation.optimizer import build_optimizer
from vskd.distillation.teacher.cache import TeacherCache, TeacherKey, write_teacher_cache
from vskd.distillation.teacher.pairing import check_paired
from vskd.models.trn import MultiScaleTRN
from vskd.network import Outputs
from vskd.recipe import Recipe, load_recipe

TARGET = 1.15
Teacher = Callable[[tuple[str, ...]], Outputs]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--subjects", type=int, default=4, help="people in the synthetic world (odd ones train)")
    parser.add_argument("--actions", type=int, default=8)
    parser.add_argument("--trials", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=5, help="measured epochs of each kind")
    parser.add_argument(
        "--set", dest="overrides", action="append", default=[], metavar="KEY=VALUE", help="of the recipe"
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        world = Path(folder) / "world"
        write_world(world, subjects=options.subjects, actions=options.actions, trials=options.trials, seed=0)
        data = ["dataset.name=synthetic", "dataset.video=rgb", f"dataset.path={world}"]
        recipe = load_recipe("vskd-utd-mhad", [*data, "frames.fit=centre-crop", *options.overrides])
        report(measure(recipe, Path(folder) / "cache", options.rounds), options.rounds)


def measure(recipe: Recipe, cache: Path, rounds: int) -> dict[str, float]:
    """Median seconds of an epoch of each kind."""
    experiment = prepare(recipe, cache, needs_teacher=True)
    width = recipe.teacher.feature_size
    torch.manual_seed(0)
    network = new_teacher(recipe, len(experiment.index.labels)).eval()
    epochs = {
        "student alone (none)": student_epoch(experiment, "none", None, width),
        "DASK, teacher cache": student_epoch(experiment, "dask", cached(experiment, network, cache), width),
        "DASK, teacher online": student_epoch(experiment, "dask", online(experiment, network), width),
    }
    seconds: dict[str, list[float]] = {name: [] for name in epochs}
    for epoch in range(rounds + 1):
        for name, run in epochs.items():
            started = time.perf_counter()
            run(epoch)
            if epoch:  # the first round warms up
                seconds[name].append(time.perf_counter() - started)
    return {name: statistics.median(values) for name, values in seconds.items()}


def student_epoch(
    experiment: Experiment, distiller_name: str, teacher: Teacher | None, teacher_width: int
) -> Callable[[int], None]:
    """A function that trains one epoch, as `DistillationTask` does."""
    recipe = experiment.recipe
    student = new_student(recipe, len(experiment.index.labels), experiment.window_store.channels).train()
    distiller = new_distiller(
        recipe.updated(f"distiller.name={distiller_name}"), Widths(recipe.student.embedding_size), Widths(teacher_width)
    )
    inputs = student_inputs(experiment)
    optimizer = build_optimizer([*student.parameters(), *distiller.parameters()], recipe.training)

    def run(epoch: int) -> None:
        for batch in inputs.batches(experiment.split.train, epoch):
            said = teacher(batch.ids) if teacher else None
            loss = torch.stack(
                list(distiller(student(batch.inputs), said, batch.labels, batch.positions).values())
            ).sum()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()

    return run


def cached(experiment: Experiment, network: MultiScaleTRN, folder: Path) -> Teacher:
    """The teacher's outputs from its cache, their pairing checked, as in training."""
    key, path = TeacherKey("benchmark", "benchmark"), folder / "teacher.h5"
    ids = experiment.split.train
    write_teacher_cache(path, network, clips(experiment, ids), key)
    outputs = TeacherCache(path, key)

    def say(wanted: tuple[str, ...]) -> Outputs:
        said, found, _ = outputs.outputs(wanted)
        check_paired(wanted, found)
        return said

    return say


def online(experiment: Experiment, network: MultiScaleTRN) -> Teacher:
    """The teacher's outputs from its network; frames come decoded from the store, so decoding is not even counted."""

    def say(wanted: tuple[str, ...]) -> Outputs:
        with torch.no_grad():
            (batch,) = clips(experiment, wanted, batch_size=len(wanted))
            outputs: Outputs = network(batch.inputs)
            return outputs

    return say


def clips(experiment: Experiment, ids: tuple[str, ...], batch_size: int = 8) -> ClipBatches:
    segments = experiment.recipe.teacher.segments
    labels = experiment.labels_of(ids)
    return ClipBatches(experiment.frame_store, ids, labels, batch_size=batch_size, segments=segments)


def report(seconds: dict[str, float], rounds: int) -> None:
    plain = seconds["student alone (none)"]
    print(f"one epoch, median of {rounds}, {torch.get_num_threads()} thread(s)")
    print(f"{'epoch':24}{'seconds':>10}{'ratio':>8}")
    for name, value in seconds.items():
        ratio = value / plain
        verdict = "" if "cache" not in name else f"   target <= {TARGET}: {'met' if ratio <= TARGET else 'MISSED'}"
        print(f"{name:24}{value:10.2f}{ratio:8.2f}{verdict}")


if __name__ == "__main__":
    main()
