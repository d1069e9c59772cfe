"""A block of a long text file, checked against the sensor contract as a whole file is."""

import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np

from vskd.bundle.contract import SensorContract
from vskd.bundle.recorded import Recorded, stacked
from vskd.bundle.sensor_columns import Chosen, choose_columns, is_whole, read_stamps, without_lost_rows
from vskd.bundle.sensor_file import read_columns
from vskd.preprocessing.sensor.samples import Samples, TextSamples
from vskd.preprocessing.sensor.units import conversion


def read_block(
    file: Path,
    samples: TextSamples,
    contract: SensorContract,
    own: int,
    *,
    rate_hz: float | None = None,
    unit: str | None = None,
    columns: tuple[int, ...] = (),
    time_column: int | None = None,
) -> tuple[Recorded, str, str, int]:
    """A block of a long text file; see `read_columns`.

    Args:
        file, contract, rate_hz, unit, columns, time_column: see `read_recording`.
        samples: the block, and behind it some rows of the next one.
        own: rows of the block itself.

    Returns:
        Its samples; the time stamp of the first one, as it is written, and what it counts (`in ms`); and how many
        samples are the block's own: rows with empty cells or NaN are left out.
    """
    views, named, every = _chosen_of_all(file, samples, contract, columns, time_column)
    whole, _ = without_lost_rows(samples, every)
    lost = len(samples.table.rows) - len(whole.table.rows)
    kept = own - sum(not is_whole(row, every) for row in samples.table.rows[:own]) if lost else own
    parts = [
        read_columns(
            file,
            whole,
            view,
            rate_hz=rate_hz,
            unit=unit if len(views) == 1 or (unit and conversion(unit, view.unit) is not None) else None,
            columns=names,
            time_column=time_column,
            block=True,
        )
        for view, names in zip(views, named, strict=True)
    ]
    first, *_ = parts
    recorded = first if not contract.streams else stacked(parts, contract)
    return recorded, *_stamp_of(file, whole, every), kept


def block_stamp(
    file: Path, samples: TextSamples, contract: SensorContract, columns: tuple[int, ...], time_column: int | None = None
) -> str:
    """The time stamp of a block's first sample, as it is written; empty without a clock. Raises as `read_block`."""
    _, _, every = _chosen_of_all(file, samples, contract, columns, time_column)
    whole, _ = without_lost_rows(samples, every)
    stamp, _ = _stamp_of(file, whole, every)
    return stamp


def _chosen_of_all(
    file: Path, samples: Samples, contract: SensorContract, columns: tuple[int, ...], time_column: int | None
) -> tuple[tuple[SensorContract, ...], list[tuple[int, ...]], Chosen]:
    """The contract of each stream, the columns named for it, and the columns of all of them."""
    views = contract.of_streams()
    bounds = np.cumsum([0, *(len(view.axes) for view in views)])
    named = [columns[a:b] for a, b in itertools.pairwise(bounds)]
    chosen = [choose_columns(file, samples, view, own, time_column) for view, own in zip(views, named, strict=True)]
    first, *_ = chosen
    return views, named, replace(first, columns=tuple(c for one in chosen for c in one.columns))


def _stamp_of(file: Path, samples: TextSamples, chosen: Chosen) -> tuple[str, str]:
    _, said, _, stamps, clock = read_stamps(file, samples, chosen)
    return samples.table.rows[0][clock] if stamps is not None else "", said.rpartition(", ")[2]
