"""That each public file fits its network: `take` of a file that holds the network's own tensors, under its names."""

from pathlib import Path

import pytest
import torch

from vskd.errors import CheckpointError
from vskd.models.catalog import NETWORKS, build_network, parse_network
from vskd.models.weights.catalog import PUBLIC_WEIGHTS

FILE = Path("public.pth")
OWN_NAMES = ("resnet18", "mobilenet-v3-small-100", "squeezenet-1-0")
"""Networks whose public files have our names."""


def test_every_importer_but_that_of_a_frame_network_is_of_a_network() -> None:
    assert set(PUBLIC_WEIGHTS) - set(NETWORKS) == {"bn-inception"}


@pytest.mark.parametrize("name", OWN_NAMES)
def test_all_but_the_head_is_taken(name: str) -> None:
    part = build_network(parse_network(name), shape=(3, 64, 64), classes=5).pretrained_part()
    file = part.module.state_dict()
    taken, left_out = PUBLIC_WEIGHTS[name].take(file, FILE)
    assert part.head is None or all(tensor.startswith(f"{part.head}.") for tensor in left_out)
    assert set(taken) | set(left_out) == set(file)
    assert all(torch.equal(taken[tensor], file[tensor]) for tensor in taken)


@pytest.mark.parametrize("name", PUBLIC_WEIGHTS)
def test_a_file_of_another_network_is_refused(name: str) -> None:
    with pytest.raises(CheckpointError, match=r"public\.pth"):
        PUBLIC_WEIGHTS[name].take({"layer.weight": torch.zeros(2, 2)}, FILE)


def test_licences_are_known_by_whole_hashes() -> None:
    hashes = [sha256 for public in PUBLIC_WEIGHTS.values() for sha256 in public.licences]
    assert hashes
    assert all(len(sha256) == 64 and int(sha256, 16) for sha256 in hashes)


def test_only_the_paper_s_own_network_comes_in_the_paper_s_files() -> None:
    assert [name for name, public in PUBLIC_WEIGHTS.items() if public.layout == "krca"] == ["squeezenet-lw"]
