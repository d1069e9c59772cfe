"""What `vskd predict` says of a whole recording: one answer, and as what the file was understood."""

from pathlib import Path

import click

from vskd.bundle.file_reading import FileReading
from vskd.cli.output import SHOWN, print_fields, print_json, print_probabilities


def show_recording(bundle: Path, file: Path, reading: FileReading, as_json: bool) -> None:
    """Predict and print; of the classes the most probable ones."""
    from vskd.bundle.predict import predict_file

    answer = predict_file(bundle, file, reading)
    if as_json:
        print_json(
            {
                "label": answer.label,
                "probabilities": answer.probabilities,
                "latency_ms": answer.latency_ms,
                "windows": answer.windows,
                "notes": answer.notes,
                "understood": dict(answer.understood),
            }
        )
        return
    print_fields([("label", answer.label), ("latency", f"{answer.latency_ms:.2f} ms"), ("windows", answer.windows)])
    print_probabilities(answer.probabilities)
    if len(answer.probabilities) > SHOWN:
        click.echo(f"  and {len(answer.probabilities) - SHOWN} less probable (all of them: --json)")
    print_fields(list(answer.understood))
    for note in answer.notes:
        click.echo(f"note: {note}", err=True)
