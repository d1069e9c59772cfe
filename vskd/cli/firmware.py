"""`vskd firmware`: bundle -> C99, and the proof that it gives the same answers."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from vskd.cli.options import FILE, FOLDER, VskdGroup, check_signature, json_option, signature_option
from vskd.cli.output import print_fields, print_json, print_table

if TYPE_CHECKING:
    from vskd.bundle.stream.stream_settings import StreamSettings

settings_option = click.option(
    "--stream-settings",
    type=FILE,
    metavar="FILE.yaml",
    help="Settings of the device's sensor and of the decision; see docs/firmware.md.",
)


def read_settings(path: Path | None) -> "StreamSettings | None":
    """Settings of a stream, if a file is given."""
    from vskd.bundle.stream.stream_settings import read_stream_settings

    return None if path is None else read_stream_settings(path)


@click.group(
    cls=VskdGroup,
    examples=(
        "vskd firmware generate BUNDLE --out firmware",
        "vskd firmware page BUNDLE --out page",
        "vskd firmware test BUNDLE",
    ),
)
def firmware() -> None:
    """Turn a bundle into C99, and check that it answers alike everywhere."""


@firmware.command(
    "generate",
    examples=(
        "vskd firmware generate BUNDLE --out firmware",
        "vskd firmware generate BUNDLE --out firmware --stream-settings watch.yaml",
        "vskd firmware generate BUNDLE --out firmware --weights in-place --json",
    ),
)
@click.argument("bundle", type=FOLDER)
@click.option("--out", type=FOLDER, required=True, metavar="DIR", help="Folder of the sources; an earlier one goes.")
@click.option(
    "--weights",
    type=click.Choice(["auto", "array", "in-place"]),
    default="auto",
    show_default=True,
    help="Weights as an array of C, or read in model.tflite; auto: by size.",
)
@settings_option
@signature_option
@json_option
def generate(
    bundle: Path,
    out: Path,
    weights: Literal["auto", "array", "in-place"],
    stream_settings: Path | None,
    keys: Path | None,
    as_json: bool,
) -> None:
    """Write the C99 sources of BUNDLE: model, stream, contract, example, CMakeLists.txt and a test.

    An operator that the firmware lacks is refused by name. The sources need no library but sqrt, and no heap.
    """
    from vskd.firmware_bridge.generate import generate as write

    check_signature(bundle, keys)
    report = write(bundle, out, read_settings(stream_settings), weights)
    if as_json:
        print_json(asdict(report))
        return
    where = "read in model.tflite" if report.in_place else "an array in vskd_weights.c"
    fields: list[tuple[str, object]] = [
        ("firmware", report.out),
        ("files", ", ".join(report.files)),
        ("operators", report.operators),
        ("RAM of the model", f"{report.arena_bytes:,} bytes"),
        ("weights", f"{report.weight_bytes:,} bytes, {where}"),
        ("multiply-accumulates", f"{report.macs:,}"),
    ]
    if report.delay_samples is not None:
        fields.append(("delay of a decision", f"{report.delay_samples} samples of the device"))
    print_fields(fields)


@firmware.command(
    "image",
    examples=("vskd firmware image BUNDLE --out model.bin --key key.pem --version 1.2.0 --slot-bytes 262144",),
)
@click.argument("bundle", type=FOLDER)
@click.option("--out", type=FILE, required=True, metavar="FILE", help="The image to write; what is there stays.")
@click.option("--key", type=FILE, required=True, metavar="KEY.pem", help="Private Ed25519 key in PEM.")
@click.option("--version", required=True, metavar="VERSION", help="Of the image, e.g. 1.2.0; MCUboot compares it.")
@click.option(
    "--slot-bytes",
    type=click.IntRange(min=1),
    required=True,
    metavar="N",
    help="Size of the slot that must hold the image.",
)
@signature_option
@json_option
def image(bundle: Path, out: Path, key: Path, version: str, slot_bytes: int, keys: Path | None, as_json: bool) -> None:
    """Sign the int8 model of BUNDLE as an image for the bootloader MCUboot, by its imgtool.

    Firmware that was generated with --weights in-place reads the model behind the header, in the slot. Needs the extra
    'mcuboot'.
    """
    from vskd.firmware_bridge.mcuboot import make_image

    check_signature(bundle, keys)
    made = make_image(bundle, out, key, version, slot_bytes)
    if as_json:
        print_json(asdict(made))
        return
    print_fields(
        [
            ("image", made.path),
            ("size", f"{made.image_bytes:,} bytes"),
            ("model", f"{made.model_bytes:,} bytes, from byte {made.model_offset}"),
            ("version", made.version),
        ]
    )


@firmware.command(
    "page",
    examples=(
        "vskd firmware page BUNDLE --out page",
        "vskd firmware page BUNDLE --out page --stream-settings watch.yaml --json",
    ),
)
@click.argument("bundle", type=FOLDER)
@click.option("--out", type=FOLDER, required=True, metavar="DIR", help="Folder of the page; an earlier one goes.")
@settings_option
@signature_option
@json_option
def page(bundle: Path, out: Path, stream_settings: Path | None, keys: Path | None, as_json: bool) -> None:
    """Write a page that runs BUNDLE in any browser, from a disk or a web server.

    It replays recordings and listens to a phone's motion sensor, with the generated C as WebAssembly; no request leaves
    it. Needs clang and lld. To look at it at once: vskd serve.
    """
    from vskd.firmware_bridge.make_page import make_page

    check_signature(bundle, keys)
    report = make_page(bundle, out, read_settings(stream_settings))
    if as_json:
        print_json(asdict(report))
        return
    fields: list[tuple[str, object]] = [
        ("page", report.out / "index.html"),
        ("module", f"{report.module_bytes:,} bytes"),
    ]
    if report.weight_bytes:
        fields.append(("weights", f"{report.weight_bytes:,} bytes beside it"))
    print_fields(fields)


@firmware.command(
    "test", examples=("vskd firmware test BUNDLE", "vskd firmware test BUNDLE --stream-settings watch.yaml --json")
)
@click.argument("bundle", type=FOLDER)
@settings_option
@json_option
def test(bundle: Path, stream_settings: Path | None, as_json: bool) -> None:
    """Run BUNDLE in Python, generated C, TFLite Micro, emulated processors and WebAssembly; print where they differ.

    What is not installed is skipped by name. Exits with 1 where anything differs from the reference kernels.
    """
    from vskd.errors import BundleError
    from vskd.firmware_bridge.conformance import run_conformance

    lines = list(run_conformance(bundle, read_settings(stream_settings)))
    if as_json:
        print_json([asdict(line) for line in lines])
    else:
        rows = [(line.name, line.outcome, line.inputs, line.decisions, line.note) for line in lines]
        print_table(("runs on", "outcome", "inputs", "decisions", "note"), rows)
    wrong = [line.name for line in lines if line.outcome == "differs"]
    if wrong:
        raise BundleError(
            f"{bundle}: other answers than the reference kernels' from {', '.join(wrong)}",
            "Export the run again; a bundle with FULLY_CONNECTED cannot agree. Else report this as a defect of vskd",
        )
