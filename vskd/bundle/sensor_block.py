"""A block of a long text file, checked against the sensor contract as a whole file is."""

from dataclasses import replace
from pathlib import Path

from vskd.bundle.contract import SensorContract
from vskd.bundle.file_reading import AS_IS, FileReading
from vskd.bundle.recorded import Recorded, stacked
from vskd.bundle.sensor_columns import Chosen, choose_columns, is_whole, read_stamps, without_lost_rows
from vskd.bundle.sensor_file import by_stream, read_columns
from vskd.preprocessing.sensor.samples import Samples, TextSamples


def read_block(
    file: Path,
    samples: TextSamples,
    contract: SensorContract,
    own: int,
    reading: FileReading = AS_IS,
) -> tuple[Recorded, str, str, int]:
    """A block of a long text file; see `read_columns`.

    Args:
        file, contract, reading: see `read_recording`.
        samples: the block, and behind it some rows of the next one.
        own: rows of the block itself.

    Returns:
        Its samples; the time stamp of the first one, as it is written, and what it counts (`in ms`); and how many
        samples are the block's own: rows with empty cells or NaN are left out.
    """
    views, every = _chosen_of_all(file, samples, contract, reading)
    whole, _ = without_lost_rows(samples, every)
    lost = len(samples.table.rows) - len(whole.table.rows)
    kept = own - sum(not is_whole(row, every) for row in samples.table.rows[:own]) if lost else own
    parts = [read_columns(file, whole, view, said, block=True) for view, said in views]
    first, *_ = parts
    recorded = first if not contract.streams else stacked(parts, contract)
    return recorded, *_stamp_of(file, whole, every), kept


def block_stamp(file: Path, samples: TextSamples, contract: SensorContract, reading: FileReading = AS_IS) -> str:
    """The time stamp of a block's first sample, as it is written; empty without a clock. Raises as `read_block`."""
    _, every = _chosen_of_all(file, samples, contract, reading)
    whole, _ = without_lost_rows(samples, every)
    stamp, _ = _stamp_of(file, whole, every)
    return stamp


def _chosen_of_all(
    file: Path, samples: Samples, contract: SensorContract, reading: FileReading
) -> tuple[list[tuple[SensorContract, FileReading]], Chosen]:
    """The contract of each stream and what is said of it, and the columns of all of them."""
    views = by_stream(contract, reading)
    chosen = [choose_columns(file, samples, view, said) for view, said in views]
    first, *_ = chosen
    return views, replace(first, columns=tuple(c for one in chosen for c in one.columns))


def _stamp_of(file: Path, samples: TextSamples, chosen: Chosen) -> tuple[str, str]:
    _, said, _, stamps, clock = read_stamps(file, samples, chosen)
    return samples.table.rows[0][clock] if stamps is not None else "", said.rpartition(", ")[2]
