"""What a training learned from in the end: its own recordings, and those of all that it learned from itself.

A student whose teacher saw a person knows something of that person; one that goes on from another run's weights holds
what these were trained on. Without that on record, a second run between would wash everybody out who is tested later.
"""

from collections.abc import Iterable

from vskd.distillation.experiment import Experiment
from vskd.distillation.run import Learned, RunFolder
from vskd.errors import natural_order


def learned_with(experiment: Experiment, before: Iterable[RunFolder]) -> Learned:
    """What decides the weights of a training, for its record.

    Args:
        experiment: what is trained.
        before: finished runs that it learns from: its teachers, and the run that it goes on from. What they learned
            from is on their own records; one without a record adds nothing.
    """
    learned = experiment.learned()
    for folder in before:
        theirs = folder.learned()
        if theirs is None:
            continue
        alike = folder.recipe().student.sees.streams == experiment.recipe.student.sees.streams
        learned = Learned(
            train=tuple(sorted({*learned.train, *theirs.train})),
            subjects=natural_order({*learned.subjects, *theirs.subjects}),
            labels=tuple(sorted({*learned.labels, *theirs.labels})),
            # the content of other streams is never compared with what this training sees
            contents={**(theirs.contents if alike else {}), **learned.contents},
        )
    return learned
