"""What `vskd predict` says of an image, a folder of images or a video of them."""

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vskd.bundle.file_reading import FileReading
from vskd.cli.output import SHOWN, print_fields, print_json, print_table

if TYPE_CHECKING:
    from vskd.bundle.predict_images import ImagesPrediction


def show_images(bundle: Path, path: Path, reading: FileReading, as_json: bool) -> None:
    """Predict and print."""
    from vskd.bundle.predict_images import predict_images

    print_images(predict_images(bundle, path, reading), as_json)


def print_images(answer: "ImagesPrediction", as_json: bool) -> None:
    """All answers of a folder; of an image and a video the mean, and how many frames got each label."""
    if as_json:
        print_json(
            {
                "kind": answer.kind,
                "label": next(iter(answer.mean), None),
                "probabilities": answer.mean,
                "latency_ms": answer.latency_ms,
                "answers": [
                    {"source": one.source, "label": one.label, "probabilities": one.probabilities}
                    for one in answer.answers
                ],
                "left_out": [{"source": source, "problem": problem} for source, problem in answer.left_out],
            }
        )
        return
    if answer.kind == "folder":
        rows = [(one.source, one.label, f"{one.probabilities[one.label]:.3f}") for one in answer.answers]
        print_table(("image", "label", "probability"), rows)
    else:
        print_fields([("label", next(iter(answer.mean))), ("latency", f"{answer.latency_ms:.2f} ms an image")])
        click.echo("probabilities" if answer.kind == "image" else "mean probabilities, and frames of each label")
        frames = Counter(one.label for one in answer.answers)
        counted = answer.kind == "video"
        print_fields(
            [
                (f"  {name}", f"{value:.3f}" + (f"  {frames[name]} of {len(answer.answers)}" if counted else ""))
                for name, value in list(answer.mean.items())[:SHOWN]
            ]
        )
    for source, problem in answer.left_out:
        click.echo(f"left out: {source}: {problem}", err=True)
