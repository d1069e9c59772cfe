"""Videos whose lengths grow at another rate than those of their sensors."""

from collections.abc import Iterator
from typing import ClassVar

from vskd.datasets.doctor.finding import Check, Finding
from vskd.datasets.doctor.survey import Survey
from vskd.datasets.sync.lengths import length_ratio


class VideoRate(Check):
    """See `reason`."""

    name: ClassVar[str] = "video-rate"
    severity: ClassVar[float] = 0.3
    reason: ClassVar[str] = (
        "The stated frame rate is wrong: whoever puts frames and samples side by side by their times pairs different "
        "moments. Whole recordings, which begin and end together, are not touched."
    )

    def find(self, survey: Survey) -> Iterator[Finding]:
        """See `Check`."""
        if survey.sync:  # lengths are cut already
            return
        for name, recordings in list(survey.sensors.items())[:1]:
            ids = [i for i in recordings if i in survey.video_seconds]
            sensor = [recordings[i].signal.seconds for i in ids]
            ratio = length_ratio(sensor, [survey.video_seconds[i] for i in ids])
            if ratio is None:
                continue
            video = next(s for s in survey.by_id[ids[0]].streams.values() if s.kind == "video")
            what = (
                f"{video.name}: states {video.rate_hz:g} frames per second, and by the lengths of {len(ids)} "
                f"recordings ({name}) it has about {video.rate_hz / ratio:.1f}"
            )
            rate = f"--video-rate {video.rate_hz / ratio:.1f}"
            yield self.finding(survey, what, ids, f"vskd datasets sync {survey.name} {rate} --median subject")
