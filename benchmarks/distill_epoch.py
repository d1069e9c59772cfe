"""What the teacher cache saves: seconds of a student's epoch without a teacher, with its cache, and with it online.

Run: python benchmarks/distill_epoch.py
Student, losses, batch size and frames are those of recipe vskd; recordings are synthetic, weights random. The three
epochs take turns, and the median of several rounds is printed. Target: with the cache at most 1.15x without.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch

from vskd.datasets.synthetic.write import write_world
from vskd.distillation.experiment import Experiment, prepare
from vskd.distillation.model import Model, new_model
from vskd.distillation.optimizer import build_optimizer
from vskd.distillation.teacher.cache import Shapes, TeacherCache, TeacherKey, write_teacher_cache
from vskd.distillation.teacher.outputs import CachedTeacher, tapped
from vskd.distillation.teacher.pairing import check_paired
from vskd.distillation.train import new_distiller
from vskd.losses.term import TermContext
from vskd.modalities.base import Batch
from vskd.network import Outputs
from vskd.recipe import Recipe, load_recipe

TARGET = 1.15
CLIPS = 8
"""Clips of a batch of the teacher."""
Teacher = Callable[[Batch], Outputs]


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
        recipe = load_recipe("vskd", ["dataset.name=synthetic", f"dataset.path={world}", *options.overrides])
        report(measure(recipe, Path(folder) / "cache", options.rounds), options.rounds)


def measure(recipe: Recipe, cache: Path, rounds: int) -> dict[str, float]:
    """Median seconds of an epoch of each kind."""
    experiment = prepare(recipe, cache, with_teachers=True)
    seen_by_teacher = experiment.of_teacher(recipe.of_teacher())
    torch.manual_seed(0)
    network = new_model(recipe.teachers[0], seen_by_teacher.inputs, experiment.classes).eval()
    shapes, _ = tapped(network, seen_by_teacher.inputs, ())
    epochs = {
        "student alone (none)": student_epoch(experiment, "none", None, {}),
        "DASK, teacher cache": student_epoch(experiment, "dask", cached(seen_by_teacher, network, cache), shapes),
        "DASK, teacher online": student_epoch(experiment, "dask", online(seen_by_teacher, network), shapes),
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
    experiment: Experiment, preset: str, teacher: Teacher | None, teacher_shapes: Shapes
) -> Callable[[int], None]:
    """A function that trains one epoch, as `DistillationTask` does."""
    recipe, inputs, train = experiment.recipe, experiment.inputs, experiment.split.train
    student = new_model(recipe.student, inputs, experiment.classes).train()
    shapes, _ = tapped(student, inputs, ())
    training = recipe.student.training
    smoothing = training.label_smoothing
    context = TermContext(student=shapes, teacher=teacher_shapes, samples=len(train), label_smoothing=smoothing)
    distiller = new_distiller(recipe.updated(f"distiller={preset}"), context)
    optimizer = build_optimizer([*student.parameters(), *distiller.parameters()], training)

    def run(epoch: int) -> None:
        for batch in inputs.batches(train, batch_size=training.batch_size, seed=epoch):
            said = teacher(batch) if teacher else None
            terms = distiller(student(batch.inputs), said, batch.labels, batch.positions)
            optimizer.zero_grad()
            torch.stack(list(terms.values())).sum().backward()
            optimizer.step()

    return run


def cached(experiment: Experiment, network: Model, folder: Path) -> Teacher:
    """The teacher's outputs from its cache, their pairing checked, as in training."""
    key, path = TeacherKey("benchmark", "benchmark"), folder / "teacher.h5"
    write_teacher_cache(path, network, experiment.inputs.batches(experiment.split.train, batch_size=CLIPS), key)
    source = CachedTeacher(TeacherCache(path, key))

    def say(batch: Batch) -> Outputs:
        said, ids, _ = source.outputs(batch)
        check_paired(batch.ids, ids)
        return said

    return say


def online(experiment: Experiment, network: Model) -> Teacher:
    """The teacher's outputs from its network; frames come decoded from the store, so decoding is not even counted."""

    def say(batch: Batch) -> Outputs:
        with torch.no_grad():
            (clips,) = experiment.inputs.batches(batch.ids, batch_size=len(batch.ids))
            outputs: Outputs = network(clips.inputs)
            return outputs

    return say


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
