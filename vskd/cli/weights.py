"""`vskd weights`: public pretrained weights under our names."""

from pathlib import Path
from typing import Literal

import click

from vskd.cli.options import FILE, VskdGroup
from vskd.cli.output import print_next


@click.group(
    cls=VskdGroup,
    examples=("vskd weights import bn_inception.pth --network bn-inception --out bn-inception.safetensors",),
)
def weights() -> None:
    """Import public pretrained weights, safely."""


@weights.command(
    "import",
    examples=(
        "vskd weights import bn_inception.pth --network bn-inception --out bn-inception.safetensors",
        "vskd weights import KRAC.pth --format krca --network squeezenet-lw --out squeezenet-lw.safetensors",
        "vskd weights import sports1M_weights_tf.h5 --format c3d --network c3d --out c3d.safetensors",
        "vskd teach --set teachers.0.weights=bn-inception.safetensors --data UTD-MHAD --out TEACHER",
    ),
)
@click.argument("source", type=FILE)
@click.option(
    "--network",
    required=True,
    metavar="NAME",
    help="Network that the weights are of: bn-inception, resnet18, convnext-tiny, efficientnet-lite0, "
    "efficientnet-v2-s, mobilenet-v3-small-100, squeezenet-1-0; squeezenet-lw (format krca), or c3d (format c3d).",
)
@click.option(
    "--format",
    "layout",
    type=click.Choice(["imagenet", "krca", "c3d"]),
    default="imagenet",
    show_default=True,
    help="imagenet: public ImageNet weights without their classifier; krca: a whole published SqueezeNet_LW of KRCA; "
    "c3d: C3D trained on Sports-1M, of PyTorch or Keras (.h5).",
)
@click.option("--out", type=FILE, required=True, help="The .safetensors file to write; what is there stays.")
def import_command(source: Path, network: str, layout: Literal["imagenet", "krca", "c3d"], out: Path) -> None:
    """Map the public weights in SOURCE (.pth, .h5, .safetensors) to our parameter names and store them as safetensors.

    Nothing in the file is executed: pickles other than plain tensors are refused.
    """
    from vskd.models.weights.pretrained import import_weights

    report = import_weights(source, network, out, layout)
    click.echo(f"{report.out}: {report.loaded} tensors of {network}; left out: {', '.join(report.left_out) or 'none'}")
    click.echo(f"sha256 of the source: {report.sha256}")
    print_next(
        "teach", "--teacher", network, "--set", f"teachers.0.weights={out}", "--data", "DATA", "--out", "TEACHER"
    )
