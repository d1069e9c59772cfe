"""Near copies of training recordings in the parts that judge a training: they are told, and kept on record.

Equal samples are refused, see `Experiment.audit`. A near copy may be chance, or what the publisher meant; who trains
must know of it. They are looked for once in a store, whatever the protocol, and nothing is decoded for it.
"""

import logging
from typing import Any

from vskd.distillation.experiment import Experiment
from vskd.errors import first_few
from vskd.library_logs import SAID_ONCE

logger = logging.getLogger(__name__)

NAMED = 3
_said = set[str]()
"""Warnings of this process."""


def look_for_copies(experiment: Experiment) -> dict[str, Any] | None:
    """Test and validation recordings that hold a movement of the training part, and not the same samples.

    One warning says how many there are; it is not repeated by later trainings in one process, whose logs have it, too.

    Returns:
        For a run's record: `pairs` of a training recording and one that is tested or validated on, one for each of the
        latter; `skipped`, why they were not looked for. None of a student that sees no sensor: of others nothing is
        known but by looking at pictures, which `vskd datasets audit` does.
    """
    inputs = experiment.inputs
    found = inputs.near_copies
    if found is None:
        return None
    recipe, split = experiment.recipe, experiment.training_split(experiment.recipe.student.training)
    audit = (
        f"vskd datasets audit {recipe.dataset.name} --data {experiment.index.root} "
        f"--protocol {recipe.dataset.protocol} --stream {recipe.student.sees.streams[0]}"
    )
    if found.skipped:
        logger.info("near copies of recordings were not looked for (%s): %s", found.skipped, audit)
        return {"pairs": [], "skipped": found.skipped}
    train = set(split.train)
    both = [*found.pairs, *((other, one) for one, other in found.pairs)]
    of = {other: one for one, other in sorted(both, reverse=True) if one in train}
    counts = {name: sum(i in of for i in split.parts[name]) for name in ("test", "validation")}
    pairs = [[of[i], i] for i in (*split.test, *split.validation) if i in of]
    if pairs:
        _say(
            f"{' and '.join(f'{n} {name}' for name, n in counts.items() if n)} recording(s) nearly equal a training "
            f"one in {inputs.name} (cut, shifted, rounded, or with a little noise), so that figures on them are too "
            f"good: "
            f"{first_few([f'{one} = {other}' for one, other in pairs], NAMED, ', ')}. Leave one of each pair out; "
            f"all are named by: {audit} --json"
        )
    return {"pairs": pairs, "skipped": ""}


def _say(text: str) -> None:
    """A warning; where this process gave it before, a line of the log."""
    logger.log(logging.INFO if text in _said else logging.WARNING, "%s", text, extra={SAID_ONCE: True})
    _said.add(text)
