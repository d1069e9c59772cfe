"""What a few labelled recordings of the wearer give a shipped bundle, on real people.

Run: python -m vskd.study.personalised BUNDLE... --data DATA --out results/DATASET/COMPARISON

Of a protocol that sets recordings of its test people aside (as `enrolment` does), each test person in turn labels so
many recordings of each class, in their natural order; the bundle is personalised by these files as a user would do it,
and asked about that person's test recordings. The control is a bundle that the next test person's recordings made: more
labels, of somebody else.
"""

import argparse
import csv
import io
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from vskd.bundle.bundle import Bundle, load_bundle
from vskd.bundle.personalise import COLUMNS, personalise
from vskd.bundle.predict import Predictor, sensor_contract_of
from vskd.bundle.sensor_file import read_recording
from vskd.datasets.opened import OpenedDataset, open_dataset
from vskd.errors import ProtocolError, VskdError, natural_order
from vskd.evaluation.predictions import Predictions
from vskd.evaluation.statistics import difference_interval
from vskd.files import write_text
from vskd.progress import track

NONE, ANOTHER = "none", "1, by another person"
HEADER = ("labels of each class", "accuracy in %", "deviation", "over none", "low", "high")


class Answer(NamedTuple):
    """What a bundle said of a test recording, after so many recordings of each class were labelled."""

    labels: str
    bundle: str
    id: str
    subject: str
    label: str
    predicted: str


class People(NamedTuple):
    """The test people of a protocol.

    Attributes:
        offered: person -> class name -> recordings that they can label, in natural order.
        tested: person -> test recordings.
    """

    offered: Mapping[str, Mapping[str, Sequence[str]]]
    tested: Mapping[str, Sequence[str]]


def people_of(bundle: Bundle, data: OpenedDataset) -> People:
    """The test people of a bundle's protocol.

    Raises:
        ProtocolError: the protocol is another one than the bundle's, or sets nothing of its test people aside.
    """
    origin = bundle.manifest.provenance.protocol
    split = data.split(origin.name, origin.fold)
    if split.protocol_hash != origin.hash:
        raise ProtocolError(f"Protocol '{origin.name}' is not what {bundle.path} was made by", "Export the run again")
    tested: dict[str, list[str]] = defaultdict(list)
    for i in split.test:
        tested[data.recording(i).subject].append(i)
    offered: dict[str, dict[str, list[str]]] = {who: defaultdict(list) for who in tested}
    for i in natural_order(split.train):
        if data.recording(i).subject in offered:
            offered[data.recording(i).subject][data.class_names[data.recording(i).label]].append(i)
    lacking = [who for who, classes in offered.items() if not classes]
    if lacking:
        raise ProtocolError(
            f"Protocol '{origin.name}' sets no recordings of its test people aside: {', '.join(lacking)}",
            "Use bundles of a protocol that does, e.g. enrolment",
        )
    return People(offered, tested)


def answers_of(bundle: Bundle, data: OpenedDataset) -> Iterator[Answer]:
    """What a bundle says of the test recordings of each person, as it is and with their own labels."""
    people, stream = people_of(bundle, data), sensor_contract_of(bundle).stream
    names = natural_order(people.tested)
    most = max(len(ids) for classes in people.offered.values() for ids in classes.values())
    for place, who in enumerate(track(names, f"Persons of {bundle.path}")):
        another = names[(place + 1) % len(names)]
        own = [(str(n), {c: ids[:n] for c, ids in people.offered[who].items()}) for n in range(1, most + 1)]
        others = (ANOTHER, {c: ids[:1] for c, ids in people.offered[another].items()})
        for labels, chosen in ((NONE, {}), *own, others):
            with tempfile.TemporaryDirectory() as folder:
                asked = _personal(bundle, data, stream, chosen, Path(folder)) if chosen else bundle
                yield from _ask(asked, data, stream, people.tested[who], labels, str(bundle.path))


def _personal(
    bundle: Bundle, data: OpenedDataset, stream: str, chosen: Mapping[str, Sequence[str]], folder: Path
) -> Bundle:
    """The bundle that recordings make of it."""
    rows = [(data.recording(i).stream(stream).path.resolve(), label) for label, ids in chosen.items() for i in ids]
    write_text(folder / "labels.csv", _csv(COLUMNS, rows))
    return personalise(bundle.path, folder / "labels.csv", folder / "bundle").bundle


def _ask(
    bundle: Bundle, data: OpenedDataset, stream: str, ids: Sequence[str], labels: str, name: str
) -> Iterator[Answer]:
    predictor = Predictor(bundle)
    for i in ids:
        recording = data.recording(i)
        answer = predictor.predict(read_recording(recording.stream(stream).path, predictor.contract))
        yield Answer(labels, name, i, recording.subject, data.class_names[recording.label], answer.label)


def table_of(answers: Sequence[Answer]) -> list[tuple[object, ...]]:
    """Accuracy in % for each number of labels, mean and deviation over bundles, and what it is over none with its
    interval over people."""
    runs: dict[str, dict[str, list[Answer]]] = defaultdict(lambda: defaultdict(list))
    for one in answers:
        runs[one.labels][one.bundle].append(one)
    names = tuple(sorted({one.label for one in answers} | {one.predicted for one in answers}))
    said = {labels: [_predictions(own, names) for own in bundles.values()] for labels, bundles in runs.items()}
    rows: list[tuple[object, ...]] = []
    for labels, own in said.items():
        accuracy = 100 * np.array([one.correct.mean() for one in own])
        gain = accuracy.mean() - 100 * np.mean([one.correct.mean() for one in said[NONE]])
        interval = difference_interval(own, said[NONE], "accuracy", "subjects") if labels != NONE else None
        ends = ("", "") if interval is None else tuple(f"{100 * end:.1f}" for end in interval)
        deviation = f"{accuracy.std(ddof=1):.1f}" if len(own) > 1 else ""
        rows.append((labels, f"{accuracy.mean():.1f}", deviation, f"{gain:.1f}", *ends))
    return rows


def _predictions(answers: Sequence[Answer], names: tuple[str, ...]) -> Predictions:
    """The same, all confidence in the predicted class."""
    said = np.array([names.index(one.predicted) for one in answers])
    return Predictions(
        tuple(one.id for one in answers),
        tuple(one.subject for one in answers),
        np.array([names.index(one.label) for one in answers]),
        np.eye(len(names))[said],
        names,
    )


def _csv(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([header, *rows])
    return text.getvalue()


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("bundles", nargs="+", type=Path, help="folders that vskd export wrote, e.g. one of each seed")
    parser.add_argument("--data", required=True, type=Path, help="folder of the data set")
    parser.add_argument("--out", required=True, type=Path, help="folder for personalised.csv and its predictions")
    options = parser.parse_args(arguments)
    try:
        bundles = [load_bundle(path) for path in options.bundles]
        data = open_dataset(bundles[0].manifest.provenance.dataset, options.data)
        answers = [answer for bundle in bundles for answer in answers_of(bundle, data)]
        numbers = {str(bundle.path): str(number) for number, bundle in enumerate(bundles)}
        answers = [one._replace(bundle=numbers[one.bundle]) for one in answers]
        write_text(options.out / "personalised-predictions.csv", _csv(Answer._fields, answers))
        write_text(options.out / "personalised.csv", _csv(HEADER, table := table_of(answers)))
    except VskdError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    sys.stdout.write("".join(" | ".join(map(str, row)) + "\n" for row in (HEADER, *table)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
