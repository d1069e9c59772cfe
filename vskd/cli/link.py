"""`vskd link`: samples from a device, bundles to it."""

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from vskd.cli.options import FILE, FOLDER, VskdGroup, json_option, signature_option
from vskd.cli.output import print_fields, print_json
from vskd.errors import SettingError

if TYPE_CHECKING:
    from vskd.firmware_bridge.link.messages import Decided
    from vskd.firmware_bridge.link.wires import Wire

F = TypeVar("F", bound=Callable[..., Any])


def line_options(function: F) -> F:
    """Add `--port`, `--baud` and `--tcp`."""
    for option in (
        click.option("--tcp", metavar="HOST:PORT", help="A device at a port of this machine, e.g. 127.0.0.1:7878."),
        click.option(
            "--baud",
            type=click.IntRange(300, 4_000_000),
            default=115_200,
            show_default=True,
            metavar="N",
            help="Of the port.",
        ),
        click.option("--port", metavar="PORT", help="A device at a serial port, e.g. /dev/ttyACM0."),
    ):
        function = option(function)
    return function


def open_line(port: str | None, baud: int, tcp: str | None) -> "Wire":
    """The line to the device that the options name.

    Raises:
        SettingError: they name none, or two.
        LinkError: nobody is there.
    """
    from vskd.firmware_bridge.link.wires import SerialWire, connect

    if (port is None) == (tcp is None):
        raise SettingError("One line to a device is asked for", "Give --port PORT or --tcp HOST:PORT")
    return connect(tcp) if tcp is not None else SerialWire(str(port), baud)


@click.group(
    cls=VskdGroup,
    examples=(
        "vskd link record --port /dev/ttyACM0 --out recording.csv",
        "vskd link send BUNDLE --port /dev/ttyACM0",
        "vskd link simulate BUNDLE recording.csv --tcp 127.0.0.1:7878",
    ),
)
def link() -> None:
    """Record from a device, send it a bundle, or simulate one; see docs/link.md."""


@link.command(
    "record",
    examples=(
        "vskd link record --port /dev/ttyACM0 --out recording.csv",
        "vskd link record --tcp 127.0.0.1:7878 --out recording.csv --seconds 60",
        "vskd link record --tcp 127.0.0.1:7878 --out recording.csv --decide BUNDLE",
    ),
)
@line_options
@click.option("--out", type=FILE, required=True, metavar="FILE.csv", help="File to make; states sensor, unit and rate.")
@click.option("--seconds", type=click.FloatRange(min=0), metavar="N", help="Stop after that time of the device.")
@click.option("--decide", type=FOLDER, metavar="BUNDLE", help="Decide here with BUNDLE, and send the decisions down.")
@json_option
def record(
    port: str | None,
    baud: int,
    tcp: str | None,
    out: Path,
    seconds: float | None,
    decide: Path | None,
    as_json: bool,
) -> None:
    """Record what a device measures, until its sensor ends, the time is up or Ctrl-C; print each decision.

    The decisions are the device's own, or with --decide those of this machine. `vskd predict` reads the file.
    """
    from vskd.bundle.bundle import load_bundle
    from vskd.firmware_bridge.link.recorder import HostDecider
    from vskd.firmware_bridge.link.recorder import record as write
    from vskd.firmware_bridge.link.session import open_session

    bundle = None if decide is None else load_bundle(decide)
    with open_session(open_line(port, baud, tcp)) as session:
        host = None if bundle is None else HostDecider(bundle, session.about)
        done = write(session, out, seconds, host, _ignore if as_json else _show)
        about = session.about
    if as_json:
        print_json({"out": out, "unit": about.unit, "rate_hz": about.rate_hz, **asdict(done)})
        return
    print_fields(
        [
            ("recording", out),
            ("samples", f"{done.samples} of {', '.join(about.axes)} in {about.unit}, {about.rate_hz:g} Hz"),
            ("seconds", f"{done.seconds:.2f}"),
            ("lost", done.lost),
            ("decisions", done.decisions),
        ]
    )


@link.command(
    "send",
    examples=(
        "vskd link send BUNDLE --port /dev/ttyACM0",
        "vskd link send BUNDLE --tcp 127.0.0.1:7878 --require-signature id_ed25519.pub",
    ),
)
@click.argument("bundle", type=FOLDER)
@line_options
@signature_option
@json_option
def send(bundle: Path, port: str | None, baud: int, tcp: str | None, keys: Path | None, as_json: bool) -> None:
    """Send BUNDLE into the slot of a device that does not run; it is started next, and falls back if it fails.

    Hashes are checked here, and again by the device before it activates the bundle; a signature is checked here. A
    transfer that broke off goes on where it stopped.
    """
    from vskd.bundle.signature import load_signed
    from vskd.firmware_bridge.link.session import open_session
    from vskd.firmware_bridge.link.transfer import send_bundle

    opened = load_signed(bundle, keys)
    with open_session(open_line(port, baud, tcp)) as session:
        sent = send_bundle(session, opened)
    if as_json:
        print_json({"bundle": bundle, "digest": opened.digest, **asdict(sent)})
        return
    if sent.slot is None:
        click.echo(f"{bundle} is in the device already")
        return
    print_fields(
        [
            ("bundle", bundle),
            ("sent", f"{sent.bytes - sent.start:,} of {sent.bytes:,} bytes"),
            ("slot", "AB"[sent.slot]),
            ("starts", "when the device is started next"),
        ]
    )


@link.command(
    "simulate",
    examples=(
        "vskd link simulate BUNDLE recording.csv --tcp 127.0.0.1:7878",
        "vskd link simulate BUNDLE recording.csv --tcp 127.0.0.1:7878 --flash flash.bin",
    ),
)
@click.argument("bundle", type=FOLDER)
@click.argument("recording", type=FILE)
@click.option("--tcp", required=True, metavar="HOST:PORT", help="Where to listen on this machine; 0: a free port.")
@click.option("--flash", type=FILE, metavar="FILE", help="Keeps the slots of the device.")
def simulate(bundle: Path, recording: Path, tcp: str, flash: Path | None) -> None:
    """Be a device that replays RECORDING: the generated C of BUNDLE with link and slots, built by gcc.

    Each connection is a start of the device. Ctrl-C ends it.
    """
    from vskd.bundle.bundle import load_bundle
    from vskd.firmware_bridge.link.simulate import simulate as serve

    serve(load_bundle(bundle), recording, tcp, flash=flash, on_ready=lambda where: click.echo(f"listening at {where}"))


def _ignore(_: "Decided") -> None:
    pass


def _show(decision: "Decided") -> None:
    from vskd.bundle.stream.conditions import Condition

    known = decision.status in set(Condition)
    said = decision.text or "unknown" if not decision.status else Condition(decision.status).name if known else "?"
    click.echo(f"{decision.time_us / 1e6:.2f}  {said}")
