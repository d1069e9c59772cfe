"""What `vskd predict --stream` says of a recording: a line per decision, as soon as it is made."""

import json
from pathlib import Path

import click

from vskd.cli.firmware import read_settings


def show_stream(bundle: Path, recording: Path, settings: Path | None, as_json: bool) -> None:
    """Decide as the firmware does and print."""
    from vskd.bundle.bundle import load_bundle
    from vskd.bundle.stream.conditions import Condition
    from vskd.firmware_bridge.stream_file import stream_file

    for event in stream_file(load_bundle(bundle), recording, read_settings(settings)):
        if as_json:
            content = {"time_s": event.time_s, "status": event.status.name, "label": event.label or None}
            click.echo(json.dumps(content | {"confidence": event.confidence, "log_odds": event.log_odds}))
        elif event.status is Condition.OK:
            click.echo(f"{event.time_s:10.2f}  {event.label or 'unknown'}  {event.confidence:.3f}")
        else:
            click.echo(f"{event.time_s:10.2f}  {event.status.name}: {event.status.meaning}")
