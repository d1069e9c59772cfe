"""How fast are the image students in int8, and which rewrite makes them so? Batch 1, one thread unless asked otherwise.

    python benchmarks/int8_latency.py
    python benchmarks/int8_latency.py --networks squeezenet-lw --in-channels 1 --markdown table.md

For every network of the catalog's photographs that is asked for: as it is ("plain", what the converter makes of it),
and rewritten by `vskd.export.convert.deploy_form`, with the input channels first and channels last. Weights are random,
with BatchNorm statistics of random images, because latency does not depend on training; "argmax agreement" is therefore
that of networks whose logits hardly differ, and is no accuracy. All models of one network run in alternation, in short
blocks, so that other work on the machine meets all alike; on a busy machine compare the columns "min". "ratio" is the
int8 minimum over the minimum of the plain float model. "pieces" is the number of XNNPACK partitions of the int8 model:
1 is best.
"""

import argparse
import platform
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from torch.nn import functional

from vskd.bundle.latency import Latency, compare_latency, delegate_partitions
from vskd.bundle.runtime import LiteRTModel
from vskd.export.convert.deploy_form import deploy_form
from vskd.export.convert.litert import LogitsOnly, convert_float
from vskd.export.int8.quantize import quantize_int8
from vskd.export.parity import ParityReport, parity
from vskd.files import write_text
from vskd.models.catalog import build_network, parse_network

NETWORKS = ("mobilenet-v3-small-075", "mobilenet-v3-small-075-relu", "mobilenet-v3-small-075-relu6", "squeezenet-lw")
HEAD = (
    "| network | form | float ms min | float p50 | int8 ms min | int8 p50 | int8 p95 | images/s "
    "| ratio | pieces | argmax agreement |"
)
FloatArray = npt.NDArray[np.float32]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", nargs="+", default=list(NETWORKS), help="names of the catalog")
    parser.add_argument("--in-channels", type=int, nargs="+", default=[3, 1], help="3 for RGB, 1 for grey")
    parser.add_argument("--size", type=int, default=224, help="side of the image")
    parser.add_argument("--classes", type=int, default=6)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--warmup", type=int, default=20)
    parser.add_argument("--runs", type=int, default=300)
    parser.add_argument("--markdown", type=Path, help="also write the table here")
    options = parser.parse_args()
    lines = [HEAD, "|" + "---|" * (HEAD.count("|") - 1)]
    print("\n".join(lines), flush=True)
    for name in options.networks:
        for channels in options.in_channels:
            for line in measure_network(name, channels, options):
                lines.append(line)
                print(line, flush=True)
    size, runs = f"{options.size}x{options.size}", f"{options.warmup} warm-up and {options.runs} measured runs"
    footer = f"\n{size}, {options.threads} thread(s), {runs}, LiteRT {version('ai-edge-litert')}, {platform.machine()}."
    print(footer)
    if options.markdown is not None:
        write_text(options.markdown, "\n".join([*lines, footer, ""]))


def measure_network(name: str, channels: int, options: argparse.Namespace) -> Iterator[str]:
    """One line for each form of the network."""
    network = settled_network(name, channels, options)
    images = random_images(12, channels, options.size)
    models: dict[str, bytes] = {}
    agreements: dict[str, ParityReport] = {}
    for form, module in forms(network, options.size).items():
        inputs = [np.moveaxis(x, 0, -1) if form == "rewritten, channels last" else x for x in images]
        content = convert_float(module, torch.from_numpy(inputs[0][np.newaxis]))
        quantized = quantize_int8(content, inputs[:6])
        models |= {f"{form}/float": content, f"{form}/int8": quantized}
        agreements[form] = parity(LiteRTModel(content).predict, LiteRTModel(quantized).predict, inputs[6:])
    latencies = compare_latency(models, threads=options.threads, warmup=options.warmup, runs=options.runs)
    base = latencies["plain/float"].min_ms
    for form, agreement in agreements.items():
        pieces = delegate_partitions(models[f"{form}/int8"])
        label = f"{name} {'RGB' if channels == 3 else 'grey'} | {form}"
        yield row(label, latencies[f"{form}/float"], latencies[f"{form}/int8"], base, pieces, agreement)


def forms(network: nn.Module, size: int) -> dict[str, nn.Module]:
    return {
        "plain": LogitsOnly(network),
        "rewritten": deploy_form(network),
        "rewritten, channels last": deploy_form(network, channels_last_width=size),
    }


def row(label: str, single: Latency, int8: Latency, base_ms: float, pieces: int | None, agreement: ParityReport) -> str:
    figures = f"{single.min_ms:.3f} | {single.p50_ms:.3f} | {int8.min_ms:.3f} | {int8.p50_ms:.3f} | {int8.p95_ms:.3f}"
    rest = f"{int8.images_per_s:.0f} | {int8.min_ms / base_ms:.2f} | {pieces} | {agreement.argmax_agreement:.2f}"
    return f"| {label} | {figures} | {rest} |"


def settled_network(name: str, channels: int, options: argparse.Namespace) -> nn.Module:
    """The untrained network with BatchNorm statistics of random images, so that activations have ordinary ranges."""
    torch.manual_seed(0)
    network = build_network(parse_network(name), shape=(channels, options.size, options.size), classes=options.classes)
    network.train()
    for part in network.modules():
        if isinstance(part, nn.BatchNorm2d):
            part.momentum = 1.0  # the statistics of the last batch, in place of a slow average from 0 and 1
    with torch.no_grad():
        network(torch.from_numpy(np.stack(random_images(16, channels, options.size))))
    return network.eval()


def random_images(count: int, channels: int, size: int) -> list[FloatArray]:
    """Random images in 0..1, smooth with some noise."""
    generator = torch.Generator().manual_seed(0)
    smooth = functional.interpolate(
        torch.rand(count, channels, 14, 14, generator=generator), size=size, mode="bilinear"
    )
    images = 0.8 * smooth + 0.2 * torch.rand(count, channels, size, size, generator=generator)
    return list(images.numpy().astype(np.float32))


if __name__ == "__main__":
    main()
