"""What is done with the runs of a study: export, with the recipe's hardware budget, and evaluation of the int8 model.

The export knows no firmware and the firmware no recipe; here they meet.
"""

from pathlib import Path

from vskd.export import evaluate
from vskd.firmware_bridge.footprint import measure_needs


def export_and_evaluate(run: Path) -> Path:
    """`vskd.export.evaluate.export_and_evaluate`, which asks the firmware's planner what the model needs."""
    return evaluate.export_and_evaluate(run, measure=measure_needs)
