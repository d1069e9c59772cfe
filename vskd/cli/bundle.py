"""`vskd bundle`: look into a bundle, sign it, or make it one person's."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vskd.bundle.file_reading import FileReading
from vskd.cli.options import FILE, FOLDER, VskdGroup, json_option, signature_option
from vskd.cli.output import print_fields, print_json, print_next
from vskd.cli.reading import reading_options

if TYPE_CHECKING:
    from vskd.bundle.budget import PartName

PARTS_SHOWN = ("cortex-m4-256k", "cortex-m33", "cortex-m55", "wear-os")
"""Those of `vskd.bundle.parts`, which a help page need not load; a test compares."""


@click.group(
    cls=VskdGroup,
    examples=(
        "vskd bundle verify BUNDLE",
        "vskd bundle sign BUNDLE --key id_ed25519",
        "vskd bundle personalise BUNDLE --recordings mine.csv --out MINE",
        "vskd bundle show BUNDLE",
    ),
)
def bundle() -> None:
    """Verify, sign, show or personalise a bundle."""


@bundle.command(
    "verify",
    examples=(
        "vskd bundle verify BUNDLE",
        "vskd bundle verify BUNDLE --require-signature id_ed25519.pub",
        "vskd bundle verify BUNDLE --json",
    ),
)
@click.argument("path", type=FOLDER, metavar="BUNDLE")
@signature_option
@json_option
def verify(path: Path, keys: Path | None, as_json: bool) -> None:
    """Check the hash of every file, then the contract, then that the golden vectors come out bit for bit.

    With --require-signature also that one of the named keys has signed it; whoever can write a folder can make its
    hashes fit, and no signature.
    """
    from vskd.bundle.bundle import verify_bundle
    from vskd.bundle.signature import verify_signature

    signer = None if keys is None else verify_signature(path, keys)
    report = verify_bundle(path)
    if as_json:
        print_json(asdict(report) | {"signed_by": signer and signer.name})
    else:
        golden = f"{report.golden_vectors} golden vectors"
        if report.golden_decisions:
            golden += f" and {report.golden_decisions} decisions of a golden stream"
        click.echo(f"{path}: {len(report.files)} files unchanged, {golden} reproduced")
        click.echo(f"sha256 of the manifest: {report.digest}")
        if signer is not None:
            click.echo(f"signed by: {signer.name}")


@bundle.command("sign", examples=("vskd bundle sign BUNDLE --key id_ed25519",))
@click.argument("path", type=FOLDER, metavar="BUNDLE")
@click.option("--key", type=FILE, required=True, metavar="KEY", help="Private Ed25519 key of OpenSSH.")
def sign(path: Path, key: Path) -> None:
    """Sign a bundle with an Ed25519 key, after its hashes are checked.

    The signature is manifest.json.sig in the bundle, in OpenSSH's own format; ssh-keygen makes it, so an agent may hold
    the key.
    """
    from vskd.bundle.signature import sign_bundle

    click.echo(f"signed: {sign_bundle(path, key)}")


@bundle.command(
    "personalise",
    examples=(
        "vskd bundle personalise BUNDLE --recordings mine.csv --out MINE",
        "vskd bundle personalise BUNDLE --recordings mine.csv --rate 50 --unit g --out MINE",
    ),
)
@click.argument("path", type=FOLDER, metavar="BUNDLE")
@click.option(
    "--recordings",
    type=FILE,
    required=True,
    metavar="TABLE",
    help="CSV with the columns file,label: a recording, image or video of one person on each line.",
)
@click.option("--out", type=FOLDER, required=True, help="Folder of the new bundle; what is there stays.")
@reading_options
@click.option(
    "--strength",
    type=click.FloatRange(0, min_open=True),
    default=0.05,
    show_default=True,
    metavar="N",
    help="How much the shipped classifier counts against the recordings.",
)
@json_option
def personalise(
    path: Path,
    recordings: Path,
    out: Path,
    reading: FileReading,
    strength: float,
    as_json: bool,
) -> None:
    """Make a bundle for one person from a few labelled recordings of theirs, in seconds and without training.

    One recording of each class is enough; of classes with several it says how many would be known had the recording
    itself not been there. A bundle of images takes images or videos (a box in the columns x1,y1,x2,y2 of the table, or
    one for all with --box), one of clips videos. The classifier alone changes, in both models. For other people the new
    bundle may be worse.
    """
    from vskd.bundle.personalise import personalise as make

    made = make(path, recordings, out, strength=strength, reading=reading)
    figures = {"recordings": made.recordings, "known before": made.known}
    if made.repeated:
        figures |= {
            "of classes with several": made.repeated,
            "of these known before": made.repeated_known,
            "of these known now, each left out in turn": made.repeated_known_after,
        }
    if as_json:
        print_json({"bundle": out, "digest": made.bundle.digest, "notes": made.notes} | figures)
        return
    print_fields([("bundle", out), *figures.items(), *(("note", note) for note in made.notes)])
    if made.repeated_known_after < made.repeated_known:
        click.echo(
            "WARNING: it would know fewer than before: check the labels, or record each class more than once", err=True
        )
    print_next("predict", out, "RECORDING")


@bundle.command(
    "show",
    examples=(
        "vskd bundle show BUNDLE",
        "vskd bundle show BUNDLE --json",
        "vskd bundle show BUNDLE --part cortex-m33 --battery-mah 40",
    ),
)
@click.argument("path", type=FOLDER, metavar="BUNDLE")
@click.option(
    "--part",
    type=click.Choice(PARTS_SHOWN),
    default="cortex-m4-256k",
    show_default=True,
    help="The part whose flash, RAM, clock and current the figures of the device are for.",
)
@click.option(
    "--battery-mah",
    type=click.FloatRange(min=0, min_open=True),
    default=100.0,
    show_default=True,
    metavar="MAH",
    help="Charge of a battery of 3.7 V.",
)
@click.option(
    "--decisions-per-hour",
    type=click.FloatRange(min=0, min_open=True),
    metavar="N",
    help="How often the model runs.  [default: once for every window of the stream]",
)
@json_option
def show(
    path: Path,
    part: "PartName",
    battery_mah: float,
    decisions_per_hour: float | None,
    as_json: bool,
) -> None:
    """Print what a bundle is: sensor contract, labels, accuracy and where it comes from. Hashes are checked first.

    Below stands what it needs on a device: RAM as planned, flash, multiply-accumulates, time and energy (estimates;
    see docs/firmware.md), and the estimate of Arm's Vela where the extra 'npu' is installed.
    """
    from vskd.bundle.bundle import load_bundle
    from vskd.firmware_bridge.device_report import device_report

    opened = load_bundle(path)
    manifest = opened.manifest.model_dump(mode="json")
    device = device_report(opened, part, battery_mah=battery_mah, decisions_per_hour=decisions_per_hour)
    if as_json:
        print_json({"path": path, "digest": opened.digest, "manifest": manifest, "device": device})
    else:
        fields = [*_flat(manifest), *_flat(device, "device.")]
        print_fields([("bundle", path), ("sha256 of the manifest", opened.digest), *fields])


def _flat(content: dict[str, Any], prefix: str = "") -> list[tuple[str, object]]:
    """`a.b.c` and value for every leaf; lists on one line, long ones by their length."""
    lines: list[tuple[str, object]] = []
    for key, value in content.items():
        if isinstance(value, dict):
            lines += _flat(value, f"{prefix}{key}.")
        elif isinstance(value, list) and len(value) > 40:
            lines.append((f"{prefix}{key}", f"{len(value)} entries (all of them: --json)"))
        elif isinstance(value, list):
            lines.append((f"{prefix}{key}", ", ".join(map(str, value))))
        else:
            shown = f"{value:.4g}" if isinstance(value, float) and prefix.startswith("device.") else value
            lines.append((f"{prefix}{key}", "-" if value is None else shown))
    return lines
