"""Skeletons: trajectories of the joints, and their motion."""

import math
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Annotated, Literal

import numpy as np
import torch
from pydantic import Field, model_validator
from torch import Tensor

from vskd.errors import SettingError
from vskd.files import sha256_json
from vskd.modalities.base import Inputs, Sees
from vskd.modalities.batches import EpochBatches
from vskd.modalities.sampling import Sampling
from vskd.network import TensorKind
from vskd.preprocessing.sensor.augment import WindowAugmentation
from vskd.preprocessing.sensor.joints import has_confidence, joints_shape
from vskd.preprocessing.stores.joint_store import JointSource, JointStore, build_joint_store
from vskd.schema import BelowOne, NonNegative, Strict

SHOWN_FRAMES = 5


class SkeletonAugmentation(Strict):
    """Random changes of training skeletons; a field at zero switches its change off.

    Attributes:
        turn_deg: standard deviation of a turn about the vertical axis (y): the person stands otherwise to the camera.
        scale, jitter, time_warp, crop: as of windows, in units of the body's size.
    """

    turn_deg: NonNegative = 0.0
    scale: NonNegative = 0.0
    jitter: NonNegative = 0.0
    time_warp: BelowOne = 0.0
    crop: BelowOne = 0.0

    @property
    def active(self) -> bool:
        """Whether anything is changed."""
        return any(self.model_dump().values())

    def __call__(self, joints: Tensor, generator: torch.Generator) -> Tensor:
        """Change trajectories, (batch, joints * 3, frames) -> the same shape."""
        if self.turn_deg:
            by_joint = joints.view(len(joints), -1, 3, joints.shape[2])  # (batch, joints, 3, frames)
            turned = turns(len(joints), math.radians(self.turn_deg), generator).unsqueeze(1) @ by_joint
            joints = turned.view_as(joints)
        others = WindowAugmentation(scale=self.scale, jitter=self.jitter, time_warp=self.time_warp, crop=self.crop)
        return others(joints, generator)


def turns(count: int, std_rad: float, generator: torch.Generator) -> Tensor:
    """Rotations (count, 3, 3) about the axis y, angles normal with `std_rad`."""
    angle = std_rad * torch.randn(count, generator=generator)
    sine, cosine, zero, one = angle.sin(), angle.cos(), torch.zeros(count), torch.ones(count)
    return torch.stack([cosine, zero, sine, zero, one, zero, -sine, zero, cosine], dim=1).view(-1, 3, 3)


class SkeletonSees(Sees):
    """Trajectories of the joints of one skeleton stream.

    Attributes:
        length: frames that a recording is resampled to.
        least_confidence: joints of a pose that the pose network is less sure of are missing, as are those of frames in
            which nobody was found: they move in straight lines between the times at which they are seen. Skeletons of
            a depth camera say no confidence.
        positions: where the joints are. They tell much of a person's build: networks that are to know new people from
            recordings of one are better without.
        motion: the change from frame to frame, in units of the body's size per twentieth of the recording.
        augmentation: random changes of training skeletons.
    """

    modality: Literal["skeleton"] = "skeleton"
    length: Annotated[int, Field(ge=8, le=1024)] = 64
    least_confidence: BelowOne = 0.0
    positions: bool = True
    motion: bool = True
    augmentation: SkeletonAugmentation = SkeletonAugmentation()

    @model_validator(mode="after")
    def _something_is_seen(self) -> "SkeletonSees":
        if not (self.positions or self.motion):
            raise ValueError("positions and motion are both false: set one to true")
        return self

    def of(self, joints: Tensor) -> Tensor:
        """What is seen of trajectories: (batch, channels, frames) -> the same, or twice as many channels."""
        if not self.motion:
            return joints
        return with_motion(joints) if self.positions else movement(joints)


def movement(joints: Tensor) -> Tensor:
    """Central differences over frames, (batch, channels, frames) -> the same shape."""
    (change,) = torch.gradient(joints, dim=2)
    return change * (joints.shape[2] / 20)


def with_motion(joints: Tensor) -> Tensor:
    """(batch, channels, frames) -> (batch, 2 * channels, frames): positions, then central differences."""
    return torch.cat([joints, movement(joints)], dim=1)


class SkeletonBatches(EpochBatches[torch.Generator]):
    """Trajectories, float32 (batch, channels, frames).

    Args:
        store: where trajectories are read.
        ids, labels, batch_size, seed, sampling: see `EpochBatches`.
        sees: what is seen of a trajectory; its augmentation is used only with a seed.
    """

    def __init__(
        self,
        store: JointStore,
        ids: Sequence[str],
        labels: Sequence[int],
        *,
        batch_size: int,
        sees: SkeletonSees,
        seed: int | None = None,
        sampling: Sampling = "natural",
    ) -> None:
        super().__init__(ids, labels, batch_size=batch_size, seed=seed, sampling=sampling)
        self._store, self._sees = store, sees

    def _random(self) -> torch.Generator:
        return torch.Generator().manual_seed(self.seed or 0)

    def _read(self, positions: list[int], labels: Tensor, random: torch.Generator) -> tuple[Tensor, Tensor]:
        joints = torch.from_numpy(np.stack([self._store.joints(self._ids[p]) for p in positions]))
        if self.seed is not None:
            joints = self._sees.augmentation(joints, random)
        return self._sees.of(joints), labels


class SkeletonInputs(Inputs):
    """Trajectories of one skeleton stream."""

    reads = "skeleton"
    # motion is computed from what is stored; a confidence counts where one is asked for, see `store_hash`
    unstored = frozenset({"augmentation", "positions", "motion", "least_confidence"})
    sees: SkeletonSees

    @cached_property
    def store_hash(self) -> str:
        """Hash of the data and of the settings that decide what the store holds."""
        least = self.sees.least_confidence
        stored = super().store_hash
        return sha256_json([stored, least]) if least else stored

    @cached_property
    def store(self) -> JointStore:
        """The store of trajectories, built on first use."""
        build_joint_store(
            [
                JointSource(i, s.path, s.variable, (s.cut, s.rate_hz) if s.cut else None)
                for i, s in self.streams().items()
            ],
            self.store_file,
            length=self.sees.length,
            least_confidence=self.sees.least_confidence,
            max_bad_fraction=self.source.max_bad_fraction,
            overwrite=True,
        )
        return JointStore(self.store_file)

    @property
    def hash(self) -> str:
        """Hash of data, stored trajectories and what is seen of them."""
        seen = [self.sees.motion] if self.sees.positions else [self.sees.motion, self.sees.positions]
        return sha256_json([self.store_hash, *seen])

    @cached_property
    def shape(self) -> tuple[int, int]:
        """(channels, frames)."""
        joints, axes = self._joints
        return joints * axes * (self.sees.positions + self.sees.motion), self.sees.length

    @cached_property
    def _joints(self) -> tuple[int, int]:
        """Joints and their axes, read from the head of one file."""
        stream = next(iter(self.streams().values()))
        return joints_shape(stream.path, stream.variable)

    @property
    def kind(self) -> TensorKind:
        """A series."""
        return "series"

    @property
    def augmented(self) -> bool:
        """Whether training changes skeletons at random."""
        return self.sees.augmentation.active

    def batches(
        self, ids: Sequence[str], *, batch_size: int, seed: int | None = None, sampling: Sampling = "natural"
    ) -> SkeletonBatches:
        """Trajectories of `ids`.

        Raises:
            SettingError: joints in a plane are to be turned about the vertical axis, or a confidence is asked of
                joints that have none.
        """
        self._check_settings()
        return SkeletonBatches(
            self.store,
            ids,
            self.source.labels_of(ids),
            batch_size=batch_size,
            sees=self.sees,
            seed=seed,
            sampling=sampling,
        )

    def _check_settings(self) -> None:
        if self.sees.augmentation.turn_deg and self._joints[1] != 3:
            raise SettingError(
                f"the joints of '{self.stream}' have no depth, so that nobody can turn",
                "Set augmentation.turn_deg to 0",
            )
        least = self.sees.least_confidence
        if least and not any(has_confidence(stream.path) for stream in self.streams().values()):
            raise SettingError(
                f"least_confidence is {least}, and the joints of '{self.stream}' have no confidence",
                "Leave it out, or name a pose stream",
            )

    def pictures(self, captions: Mapping[str, str], who: str) -> dict[str, bytes]:
        """The joints of a few frames of each recording, from the front."""
        from vskd.modalities.figures import new_figure, to_png

        shown = {caption: i for i, caption in captions.items() if i in self.ids}
        if not shown:
            return {}
        figure, axes = new_figure(1.4 * SHOWN_FRAMES, 1.6 * len(shown), len(shown), SHOWN_FRAMES)
        for row, (caption, recording) in enumerate(shown.items()):
            joints = self.store.joints(recording).reshape(-1, self._joints[1], self.sees.length)
            path = self.source.recordings[recording].stream(self.stream).path
            sign = -1 if has_confidence(path) else 1  # y of a picture points down
            for column, frame in enumerate(np.linspace(0, self.sees.length - 1, SHOWN_FRAMES).astype(int)):
                ax = axes[row * SHOWN_FRAMES + column]
                ax.scatter(joints[:, 0, frame], sign * joints[:, 1, frame], s=6)
                ax.set_aspect("equal")
                ax.set_axis_off()
            axes[row * SHOWN_FRAMES].set_title(caption, fontsize=7, loc="left")
        return {f"What the {who} sees (joints of {SHOWN_FRAMES} frames)": to_png(figure)}
