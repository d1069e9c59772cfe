"""The model card says what the manifest says, and nothing else."""

import json
import re

import pytest

from tests.export.conftest import sensor_contract
from vskd.bundle.contract import Contract, ImageContract, Manifest, NetworkCost, parse_json
from vskd.bundle.model_card import render_model_card
from vskd.export.ship import ExportReport

BOXED = ImageContract(
    stream="rear",
    placement="mirror",
    size=64,
    channels=1,
    crop="box",
    margin=0.15,
    box_of="as in driver-inattention",
    min_side=16,
)

PLAIN_COST = "The network has 187,434 parameters and takes 245,123,360 multiply-accumulates (MACs) for one window."


def card_of(sealed: ExportReport, **changes: object) -> str:
    manifest: Manifest = sealed.bundle.manifest.model_copy(update=changes)
    return render_model_card(manifest, 10 * 1024, 37 * 1024)


def test_model_card_says_what_the_manifest_says(sealed: ExportReport):
    card = (sealed.bundle.path / "MODEL_CARD.md").read_text()
    for part in ("right wrist", "50 Hz", "x, y, z in g", "gasf", "cross-subject", "0. wave", "3. catch", "minmax"):
        assert part.replace("minmax", sealed.bundle.manifest.quantization.range_estimator) in card
    assert f"{100 * sealed.accuracy.int8:.2f} %" in card
    assert "{{" not in card and "{%" not in card


def test_the_card_of_images_speaks_of_images(finished_images):
    card = (finished_images.bundle / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert "the whole image, squeezed into the square" in card and "32×32" in card and " Hz" not in card


def test_sizes_and_loss_are_those_given(sealed: ExportReport):
    accuracy = sealed.accuracy.model_copy(update={"float32": 0.9, "int8": 0.875, "max_drop": 0.05})
    card = card_of(sealed, accuracy=accuracy)
    assert "| size | 37 KiB | 10 KiB |" in card
    assert "Export costs 2.50 points of accuracy; up to 5.00 were allowed." in card


def test_the_network_is_counted_by_hand_and_told(sealed: ExportReport):
    """Three images of 16 x 16; convolutions of 8 and 16 filters, BatchNorm, a head of 4 classes."""
    network = sealed.bundle.manifest.network
    assert network.parameters == (3 * 9 * 8 + 8) + 2 * 8 + (8 * 9 * 16 + 16) + (16 * 4 + 4)
    assert network.macs == 3 * 9 * 8 * 16 * 16 + 8 * 9 * 16 * 8 * 8 + 16 * 4
    # three biases, and two per value for BatchNorm
    assert network.ptflops_macs == network.macs + (8 * 16 * 16 + 16 * 8 * 8 + 4) + 2 * 8 * 16 * 16
    told = card_of(sealed, network=NetworkCost(parameters=187434, macs=245123360))
    assert f"\n\n{PLAIN_COST}\n\n" in told and "ptflops" not in told


def test_macs_are_told_both_ways(sealed: ExportReport):
    told = card_of(sealed, network=NetworkCost(parameters=187434, macs=245123360, ptflops_macs=254299070))
    (line,) = (line for line in told.splitlines() if line.startswith(PLAIN_COST))
    assert "convolutions and linear layers" in line and "also counts biases, normalisations" in line
    assert line.endswith(": 254,299,070.")
    assert f"\n\n{line}\n\n## What it asks for\n" in told
    assert f"{sealed.bundle.manifest.network.ptflops_macs:,}" in (sealed.bundle.path / "MODEL_CARD.md").read_text()


def test_a_bundle_of_before_says_nothing_of_its_network(sealed: ExportReport):
    old = json.loads((sealed.bundle.path / "manifest.json").read_text(encoding="utf-8"))
    del old["network"]
    manifest = parse_json(Manifest, json.dumps(old).encode(), "manifest.json")
    assert manifest.network is None
    assert "parameters" not in card_of(sealed, network=None)


@pytest.mark.parametrize(("split", "warned"), [("train", True), ("validation", False)])
def test_figures_of_training_recordings_come_with_a_warning(sealed: ExportReport, split: str, warned: bool):
    card = card_of(sealed, accuracy=sealed.accuracy.model_copy(update={"split": split}))
    assert ("say nothing about accuracy on new people" in card) is warned


@pytest.mark.parametrize(
    ("contract", "needles", "absent"),
    [
        (BOXED, ("mirror", "grey after conversion", "(as in driver-inattention), 15 %", "64×64"), " Hz"),
        (sensor_contract(encoding_inside=True), ("computed inside the model",), "computed outside"),
        (
            sensor_contract(window_mode="sliding", stride=16, window_rate_hz=25.0),
            ("cut into windows of 32 samples at 25 Hz, one every 16",),
            "whole performance",
        ),
    ],
    ids=["boxed image", "encoding inside", "sliding"],
)
def test_what_it_asks_for(sealed: ExportReport, contract: Contract, needles: tuple[str, ...], absent: str):
    card = card_of(sealed, contract=contract)
    for needle in needles:
        assert needle in card
    assert absent not in card


def test_fine_tuning_is_told(sealed: ExportReport):
    tuned = sealed.bundle.manifest.quantization.model_copy(update={"fine_tuned": True})
    assert "simulated int8" in card_of(sealed, quantization=tuned)
    assert "simulated int8" not in card_of(sealed)


ODD = (
    "<none>",
    "_hidden_",
    "*all*",
    "$x_1$",
    "a|b",
    "`code`",
    "[link](there)",
    "~~gone~~",
    "&lt;",
    "# first",
    "- dash",
    "1. one",
)


def test_names_are_shown_as_they_are(sealed: ExportReport) -> None:
    """As CommonMark shows them: a backslash before a sign takes its meaning away. Plain names have none."""
    plain = ("swipe_left", "swipe & hold", "v1.0-a (left), #2", "-dash", "日本")
    provenance = sealed.bundle.manifest.provenance.model_copy(update={"labels": (*plain, *ODD)})
    contract = sealed.bundle.manifest.contract.model_copy(update={"placement": "left|right <i>"})
    card = card_of(sealed, provenance=provenance, contract=contract)
    listed = [line.split(". ", 1)[1] for line in card.splitlines() if re.match(r"\d+\. ", line)]
    assert listed[: len(plain)] == list(plain)
    for shown, name in zip(listed[len(plain) :], ODD, strict=True):
        assert re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", shown) == name
        assert not re.search(r"(?<!\\)[<>*`$|~\[\]]|^[#-] |^\d\. |^_|(?<!\\)_$|^&lt;", shown)
    assert "worn at: left\\|right \\<i\\> |" in card
