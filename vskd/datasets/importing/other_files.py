"""Files in a folder that hold samples, perhaps, and that vskd does not read: what to do with them."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

_UNPACK = "unpack them"
_AS_CSV = "save them as CSV with the program that wrote them"
_TO_CSV = "turn them into CSV or Parquet, e.g. with pandas"
_ACTIONS = {
    **dict.fromkeys((".gz", ".bz2", ".xz", ".zst", ".zip", ".7z", ".rar", ".tar", ".tgz"), _UNPACK),
    **dict.fromkeys((".xlsx", ".xls", ".xlsm", ".ods", ".numbers", ".edf", ".bdf", ".c3d", ".xml", ".fit"), _AS_CSV),
    **dict.fromkeys(
        (".json", ".jsonl", ".ndjson", ".feather", ".arrow", ".pkl", ".pickle", ".rds", ".sqlite"), _TO_CSV
    ),
}


def other_files(paths: Iterable[Path]) -> tuple[str, str]:
    """How many files of which kinds vskd does not read though they may hold samples, and what to do; empty for none.

    >>> other_files([Path("a.csv.gz"), Path("b.XLSX"), Path("c.xlsx"), Path("d.csv"), Path("README")])
    ('2 .xlsx, 1 .gz', '.xlsx: save them as CSV with the program that wrote them; .gz: unpack them')
    """
    counts = Counter(ending for path in paths if (ending := path.suffix.lower()) in _ACTIONS).most_common()
    return (
        ", ".join(f"{count} {ending}" for ending, count in counts),
        "; ".join(f"{ending}: {_ACTIONS[ending]}" for ending, _ in counts),
    )
