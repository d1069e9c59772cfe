"""Contents that two parts of a protocol share; shared people and groups make a protocol unusable, see `protocol`."""

from collections.abc import Iterator
from typing import ClassVar

from vskd.datasets.doctor.finding import Check, Finding
from vskd.datasets.doctor.survey import Survey
from vskd.datasets.splits.audit import content_leaks, overlap_leaks
from vskd.datasets.splits.split import Split


class Leaks(Check):
    """See `reason`."""

    name: ClassVar[str] = "leaks"
    severity: ClassVar[float] = 1.0
    reason: ClassVar[str] = "The test part holds what training has seen: the figure measures memory."
    untrustworthy: ClassVar[bool] = True

    def find(self, survey: Survey) -> Iterator[Finding]:
        """See `Check`."""
        for split in survey.splits:
            where = f"protocol {split.protocol}" + (f", fold {split.fold}" if split.fold else "")
            audit = f"vskd datasets audit {survey.name} --protocol {split.protocol}"
            for leak in content_leaks(split, survey.contents, "stored"):
                ids = _in_both(split, leak.parts, survey)
                yield self.finding(survey, f"{where}: {leak.detail}", ids, audit)
            used = [survey.by_id[i] for ids in split.parts.values() for i in ids]
            for name in survey.sensors:
                streams = {r.id: r.streams[name] for r in used if name in r.streams}
                for leak in overlap_leaks(split, streams, name):
                    touched = [i for part in leak.parts for i in split.parts[part] if f"{i} " in f"{leak.detail} "]
                    yield self.finding(survey, f"{where}: {leak.detail}", touched, audit)


def _in_both(split: Split, parts: tuple[str, str], survey: Survey) -> list[str]:
    """Recordings whose content is in both parts."""
    one, other = ({survey.contents.get(i) for i in split.parts[part]} for part in parts)
    shared = (one & other) - {None}
    return [i for part in parts for i in split.parts[part] if survey.contents.get(i) in shared]
