"""From a recipe to what training needs: the index, the honest split, and what each network sees."""

import dataclasses
import logging
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from vskd.datasets.catalog import get_dataset
from vskd.datasets.recording import Index, Recording
from vskd.datasets.splits.audit import audit_split, check_problems, content_leaks, refuse_leaks
from vskd.datasets.splits.contents import of_files_in
from vskd.datasets.splits.protocol import load_protocol
from vskd.datasets.splits.split import Split, carve_validation
from vskd.datasets.splits.unlabelled import beside_validation, with_unlabelled
from vskd.distillation.label_setting import LabelSetting
from vskd.distillation.run import Learned
from vskd.errors import DataError, RecipeError, natural_order
from vskd.files import sha256_json
from vskd.modalities.base import Inputs, Rows, Source, data_parts, data_rows
from vskd.modalities.catalog import inputs_of
from vskd.recipe import Recipe, Training

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Experiment:
    """The data of one recipe, before any training.

    Attributes:
        recipe: what was asked for.
        index: the usable recordings (those that have every stream in use).
        split: the protocol's split, without a carved validation part.
        cache: folder of the stores, shared between runs.
        streams: names of the streams in use.
        pool: recordings of the protocol's training part, usable or not: what `labels` of the recipe chooses from, so
            that students and teachers of different streams agree.
    """

    recipe: Recipe
    index: Index
    split: Split
    cache: Path
    streams: tuple[str, ...]
    pool: tuple[Recording, ...]

    @cached_property
    def recordings(self) -> dict[str, Recording]:
        """Recordings by id."""
        return self.index.by_id()

    @cached_property
    def source(self) -> Source:
        """What a modality has to know of the recordings."""
        entry = get_dataset(self.recipe.dataset.name)
        return Source(
            dataset=entry.name,
            recordings=self.recordings,
            class_names=self.index.labels,
            label_swap=entry.label_swap,
            placement=entry.placement,
            cache=self.cache,
            max_bad_fraction=self.recipe.dataset.max_bad_fraction,
            hidden=self.unlabelled,
        )

    @cached_property
    def setting(self) -> LabelSetting:
        """Which recordings of the training part carry labels."""
        part = self.training_split(self.recipe.student.training)
        tested = {self.recordings[i].subject for i in self.split.test}
        chosen = self.recipe.labels.labelled(self.pool, self.index.labels, tested)
        return LabelSetting(self.recipe.labels.title, chosen, part.train, part.validation)

    @property
    def labelled(self) -> frozenset[str]:
        """Recordings of the training part whose labels training sees."""
        return self.setting.labelled

    @property
    def unlabelled(self) -> frozenset[str]:
        """Recordings of the training part whose labels are taken away: pairs that only a teacher can speak of."""
        return self.setting.unlabelled

    @cached_property
    def inputs(self) -> Inputs:
        """What the student sees."""
        return inputs_of(self.source, self.recipe.student.sees)

    @property
    def classes(self) -> int:
        """Number of classes."""
        return len(self.index.labels)

    def of_teacher(self, recipe: Recipe) -> "Experiment":
        """The same recordings and split, as a teacher's own recipe sees them."""
        return dataclasses.replace(self, recipe=recipe)

    def labels_of(self, ids: tuple[str, ...]) -> list[int]:
        """Class numbers of recordings as training sees them; of those that show several classes, of their windows."""
        return self.inputs.sample_labels(ids)

    @cached_property
    def data_rows(self) -> Rows:
        """What is on disk of the streams in use, of each recording of the split; no decoding, no absolute path."""
        used = {i for ids in self.split.parts.values() for i in ids}
        return {i: row for i, row in data_rows(self.source, self.streams).items() if i in used}

    @cached_property
    def data(self) -> dict[str, str]:
        """Hashes of the labels and of each stream in use; see `data_rows`."""
        return data_parts(self.data_rows, self.index.labels)

    @property
    def data_hash(self) -> str:
        """Hash of all of `data`."""
        return sha256_json([self.index.dataset, self.data])

    def facts(self) -> dict[str, Any]:
        """What a run stamps on its results."""
        return {
            "seed": self.recipe.seed,
            "dataset": self.index.dataset,
            "classes": list(self.index.labels),
            "data": self.data,
            "data_hash": self.data_hash,
            "protocol": self.split.protocol,
            "protocol_hash": self.split.protocol_hash,
            "split_hash": self.split.split_hash,
            "fold": self.split.fold,
            **self.setting.facts(),
            "problems_in_data": [dataclasses.asdict(p) for p in self.index.problems],
        }

    def learned(self) -> Learned:
        """Which recordings a training by the recipe learns from."""
        setting = self.setting
        subjects = natural_order({self.recordings[i].subject for i in setting.train})
        return Learned(setting.train, subjects, tuple(sorted(setting.used)), self.inputs.fingerprints(setting.train))

    def training_split(self, training: Training) -> Split:
        """The split with a validation part, where `training` wants one: carved from the training subjects or trials,
        never from test."""
        if self.split.validation or training.validation == "none":
            return self._without_left_out(self.split)
        bare = tuple(i for i in self.split.train if self.recordings[i].unlabelled)
        known = dataclasses.replace(self.split, train=tuple(i for i in self.split.train if i not in bare))
        carved = carve_validation(known, self.index)
        return self._without_left_out(beside_validation(carved, bare, self.recordings) if bare else carved)

    def _without_left_out(self, split: Split) -> Split:
        """The split without the training recordings of subjects that the recipe leaves out.

        Raises:
            RecipeError: one is nobody of the training part, or nobody is left.
        """
        left_out = self.recipe.dataset.leave_out
        if left_out is None:
            return split
        people = {self.recordings[i].subject for i in split.train}
        strange = sorted(set(left_out) - people)
        if strange or people <= set(left_out):
            problem = f"{', '.join(strange)} is nobody of the training part" if strange else "nobody would be left"
            raise RecipeError(f"dataset.leave_out: {problem}", f"Name some of: {', '.join(natural_order(people))}")
        train = tuple(i for i in split.train if self.recordings[i].subject not in left_out)
        return dataclasses.replace(split, train=train)

    def audit(self) -> None:
        """Refuse recordings of different parts, a carved validation part among them, that hold the same samples.

        Of the student's streams, as they are decoded into the store that training reads from.

        Raises:
            ProtocolError: there are some; they are named.
        """
        split = self.training_split(self.recipe.student.training)
        leaks = content_leaks(split, self.inputs.store.contents, self.inputs.name)
        refuse_leaks(split, self.index.root, leaks)

    def only(self, ids: tuple[str, ...], stored: frozenset[str], what: str) -> tuple[str, ...]:
        """`ids` without those whose sample was corrupt and so is not in the store; each is logged by name."""
        lost = [i for i in ids if i not in stored]
        if lost:
            logger.warning("%d recording(s) have no usable %s and are left out: %s", len(lost), what, ", ".join(lost))
        return tuple(i for i in ids if i in stored)


def streams_in_use(recipe: Recipe, *, with_teachers: bool) -> tuple[str, ...]:
    """Names of the streams that the recipe's networks see, the student's first."""
    roles = (recipe.student, *(recipe.teachers if with_teachers else ()))
    return tuple(dict.fromkeys(stream for role in roles for stream in role.sees.streams))


def read_index(recipe: Recipe) -> Index:
    """Index the recipe's data set.

    Raises:
        RecipeError: no data path, or an unknown data set.
        DataError: nothing usable in the folder.
    """
    if recipe.dataset.path is None:
        raise RecipeError("dataset.path is not set", "Say where the data set is with --data PATH")
    return get_dataset(recipe.dataset.name).index(Path(recipe.dataset.path))


class DataOnce:
    """`read_index` and `prepare` for many recipes within one look at the data: what several share is done once.

    Nothing that changes in the folders meanwhile is seen but the content of files, which each run compares anew. So it
    is made for one look, and no training that begins later is given it.
    """

    def __init__(self) -> None:
        self._indexes: dict[tuple[str, str | None], Index] = {}
        self._experiments: dict[tuple[str, Path, tuple[str, ...]], Experiment] = {}

    def index(self, recipe: Recipe) -> Index:
        """See `read_index`."""
        key = recipe.dataset.name, recipe.dataset.path
        if key not in self._indexes:
            self._indexes[key] = read_index(recipe)
        return self._indexes[key]

    def prepare(self, recipe: Recipe, cache: Path, *, with_teachers: bool = False) -> Experiment:
        """See `prepare`."""
        section = recipe.dataset.model_dump_json(exclude={"leave_out"})  # who is left out is split as all others are
        key = section, cache, streams_in_use(recipe, with_teachers=with_teachers)
        if key not in self._experiments:
            index = self.index(recipe)
            self._experiments[key] = prepare(recipe, cache, with_teachers=with_teachers, index=index)
        return dataclasses.replace(self._experiments[key], recipe=recipe)


def prepare(recipe: Recipe, cache: Path, *, with_teachers: bool = False, index: Index | None = None) -> Experiment:
    """Index the recipe's data set and split it by its protocol, refusing leaks.

    Args:
        recipe: names data set, protocol and streams.
        cache: folder of the stores.
        with_teachers: whether a recording must have the teachers' streams too to be used.
        index: of the data set, where it was just made.

    Raises:
        RecipeError: no data path, or an unknown data set.
        DataError: nothing usable in the folder.
        ProtocolError: the protocol does not fit, or a leak was found.
    """
    index = index or read_index(recipe)
    wanted = streams_in_use(recipe, with_teachers=with_teachers)
    if len(wanted) == 1:
        # what lacks another modality is whole for one network alone; what is not listed at all lacks its label
        listed = index.by_id()
        kept = tuple(p for p in index.problems if p.kind != "unpaired" or p.recording not in listed)
        index = dataclasses.replace(index, problems=kept)
    check_problems(index.everything, recipe.dataset.max_bad_fraction)
    usable = index.with_recordings(index.everything.with_streams(wanted))
    if not len(usable):
        raise DataError(
            f"{index.root}: no recording has the stream(s) {', '.join(wanted)}",
            "Run `vskd datasets index` to see which streams are there, and set `streams` of student and teachers",
        )
    counts = [len(one.everything) for one in (usable, index)]
    if counts[0] < counts[1]:
        lacking = counts[1] - counts[0]
        logger.warning("%d of %d recordings lack %s and are left out", lacking, counts[1], " or ".join(wanted))
    everything, index = index, usable
    protocol = load_protocol(recipe.dataset.name, recipe.dataset.protocol)
    split = protocol.split(index, fold=recipe.dataset.fold)
    if index.unlabelled:
        index, split = with_unlabelled(index, split, protocol.parts_of(index.everything, recipe.dataset.fold)["train"])
    # by the bytes of files; what was saved again is found once it is decoded, see `Experiment.audit`
    audit_split(split, index, streams=wanted, contents=of_files_in(cache))
    by_id = everything.by_id()
    pool = tuple(by_id[i] for i in protocol.parts_of(everything, recipe.dataset.fold)["train"])
    return Experiment(recipe, index, split, cache, wanted, pool)
