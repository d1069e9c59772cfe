"""What an audit looks for in clips: copies, in equal files or not, and what a random division would score."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vskd.datasets.images.image_baselines import labels_of
from vskd.datasets.recording import Recording, Stream
from vskd.datasets.splits.contents import of_files
from vskd.datasets.splits.split import UNKNOWN, Split
from vskd.datasets.video.lookalikes import SameClip, same_clips
from vskd.datasets.video.random_division import RandomDivision, random_division
from vskd.datasets.video.tiny_clips import TinyClips
from vskd.files import sha256_json


@dataclass(frozen=True)
class ClipFindings:
    """What was found in the clips of a data set, whatever the protocol.

    Attributes:
        stream: the video.
        same: clips that are there more than once.
        group, label: of each recording in `same`; labels by name.
        division: what a random division would score; None of a single clip.
    """

    stream: str
    same: tuple[SameClip, ...]
    group: Mapping[str, str]
    label: Mapping[str, str]
    division: RandomDivision | None

    def shared(self, split: Split) -> tuple[tuple[str, str], ...]:
        """(training id, test id) of clips that look the same in different files; equal ones are told by their bytes."""
        train, test = set(split.train), set(split.test)
        found = []
        for clip in self.same:
            trained = [i for i in clip.ids if i in train]
            if trained and not clip.same_bytes:
                found += [(trained[0], i) for i in clip.ids if i in test]
        return tuple(found)

    def astray(self) -> tuple[SameClip, ...]:
        """Clips that are there more than once in several groups or classes; in one group they may just look alike."""
        return tuple(clip for clip in self.same if len({self.label[i] for i in clip.ids}) > 1 or self._unbound(clip))

    def _unbound(self, clip: SameClip) -> bool:
        """Whether nothing keeps its recordings in one part: they are of several groups, or of unknown ones."""
        groups = {self.group[i] for i in clip.ids}
        return len(groups) > 1 or groups == {UNKNOWN}

    def summary(self) -> dict[str, Any]:
        """As plain numbers and names; JSON-serialisable."""
        astray = self.astray()
        same = [
            {
                **dataclasses.asdict(clip),
                "groups": sorted({self.group[i] for i in clip.ids}),
                "labels": sorted({self.label[i] for i in clip.ids}),
            }
            for clip in astray
        ]
        return {
            "stream": self.stream,
            "same_clip": same,
            "alike_within_a_group": sum(len(clip.ids) for clip in self.same if clip not in astray),
            "random_division": dataclasses.asdict(self.division) if self.division else None,
        }


def examine_clips(
    recordings: Sequence[Recording],
    labels: Sequence[str],
    stream: str,
    clips: TinyClips,
    contents: Mapping[str, str],
    label_swap: Sequence[int] | None = None,
) -> ClipFindings:
    """Look for copies, and divide at random.

    Args:
        recordings: that have the stream.
        labels: class names.
        stream: the video.
        clips: of the recordings.
        contents: see `clip_contents`.
        label_swap: see `random_division`.
    """
    readable = [r for r in recordings if r.id in clips.ids]
    same = same_clips([r.id for r in readable], clips.of(readable), contents)
    twice = {i for clip in same for i in clip.ids}
    return ClipFindings(
        stream=stream,
        same=same,
        group={r.id: r.group for r in recordings if r.id in twice},
        label={r.id: labels[n] for r, n in zip(recordings, labels_of(recordings), strict=True) if r.id in twice},
        division=random_division(readable, clips, label_swap),
    )


def clip_contents(streams: Mapping[str, Stream], cache: Path) -> dict[str, str]:
    """Hash of each video's file, or of the part of it that a recording is; nothing is decoded.

    Args:
        streams: videos, by recording.
        cache: see `vskd.preprocessing.file_hashes`.
    """
    files = of_files(streams, cache)
    cuts = {i: dataclasses.astuple(s.cut) for i, s in streams.items() if s.cut}
    return {i: sha256_json([content, cuts[i]]) if i in cuts else content for i, content in files.items()}
