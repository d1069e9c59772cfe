"""What is taken of a public file: the feature part, under our names, old shapes mended; the rest is named."""

import logging
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from vskd.errors import CheckpointError
from vskd.models.weights.imagenet import take_features
from vskd.network import PretrainedPart

SOURCE = Path("public.pth")


def body() -> nn.Sequential:
    return nn.Sequential(OrderedDict(conv=nn.Conv2d(3, 4, 3, bias=False), norm=nn.BatchNorm2d(4), head=nn.Linear(4, 2)))


def found() -> dict[str, Tensor]:
    """The feature part of a public file."""
    torch.manual_seed(0)
    return {
        "conv.weight": torch.rand(4, 3, 3, 3),
        "norm.weight": torch.rand(4),
        "norm.bias": torch.rand(4),
        "norm.running_mean": torch.rand(4),
        "norm.running_var": torch.rand(4),
        "norm.num_batches_tracked": torch.tensor(7),
    }


def same_names(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return dict(tensors)


def take(tensors: Mapping[str, Tensor], head: str | None = "head") -> tuple[dict[str, Tensor], tuple[str, ...]]:
    return take_features("small-net", lambda: PretrainedPart(body(), head=head), same_names, tensors, SOURCE)


def test_the_feature_part_is_taken_and_the_head_is_left_out(caplog: pytest.LogCaptureFixture) -> None:
    public = found() | {"head.weight": torch.rand(1000, 4), "head.bias": torch.rand(1000)}
    taken, left_out = take(public)
    assert left_out == ("head.weight", "head.bias")
    assert set(taken) == set(found())
    assert all(torch.equal(taken[name], public[name]) for name in taken)
    assert not caplog.records


def test_names_are_brought_to_ours() -> None:
    public = {f"module.{name}": tensor for name, tensor in found().items()}

    def rename(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
        return {name.removeprefix("module."): tensor for name, tensor in tensors.items()}

    taken, left_out = take_features("small-net", lambda: PretrainedPart(body(), head="head"), rename, public, SOURCE)
    assert torch.equal(taken["conv.weight"], public["module.conv.weight"])
    assert left_out == ()


def test_old_shapes_dtypes_and_counters_are_mended() -> None:
    public = {
        name: tensor.unsqueeze(0).double() if name.startswith("norm.") else tensor.half()
        for name, tensor in found().items()
        if not name.endswith("num_batches_tracked")
    }
    taken, _ = take(public)
    for name in ("norm.weight", "norm.bias", "norm.running_mean", "norm.running_var"):
        assert taken[name].shape == (4,) and taken[name].dtype == torch.float32
        assert torch.equal(taken[name], found()[name])
    assert taken["conv.weight"].dtype == torch.float32
    counter = taken["norm.num_batches_tracked"]
    assert (counter.item(), counter.dtype, counter.shape) == (0, torch.int64, ())


def test_other_shapes_are_not_mended() -> None:
    with pytest.raises(
        CheckpointError, match=r"public\.pth does not hold the weights of small-net: 1 of another shape"
    ):
        take(found() | {"norm.bias": torch.rand(1, 5)})
    with pytest.raises(CheckpointError, match=r"conv\.weight \(1, 4, 3, 3, 3\) instead of \(4, 3, 3, 3\)"):
        take(found() | {"conv.weight": torch.rand(1, 4, 3, 3, 3)})


def test_what_is_missing_is_named() -> None:
    public = found()
    del public["norm.running_var"]
    with pytest.raises(CheckpointError, match=r"1 missing \(norm\.running_var\)") as caught:
        take(public)
    assert caught.value.action == "Give the public ImageNet weights of small-net"


@pytest.mark.parametrize("classifier", ["last_linear", "fc", "new_fc"])
def test_without_a_head_the_usual_classifiers_are_left_out(classifier: str, caplog: pytest.LogCaptureFixture) -> None:
    public = found() | {
        "head.weight": torch.rand(2, 4),
        "head.bias": torch.rand(2),
        f"{classifier}.bias": torch.rand(9),
    }
    taken, left_out = take(public, head=None)
    assert {"head.weight", "head.bias"} <= set(taken)
    assert left_out == (f"{classifier}.bias",)
    assert not caplog.records


def test_strange_tensors_are_named_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        _, left_out = take(found() | {"aux.weight": torch.rand(1), "head.bias": torch.rand(9)})
    assert left_out == ("aux.weight", "head.bias")
    (message,) = caplog.messages
    assert message == "left out tensors that the network does not have: aux.weight"


def mended(network: nn.Module, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return take_features("small-net", lambda: PretrainedPart(network), same_names, tensors, SOURCE)[0]


def test_only_vectors_of_batch_normalisation_are_mended() -> None:
    network = nn.BatchNorm2d(4)
    network.scale = nn.Parameter(torch.ones(4))
    holder = nn.Sequential(OrderedDict(norm=network))
    file = {name: tensor.clone() for name, tensor in holder.state_dict().items()}
    assert mended(holder, file | {"norm.bias": torch.zeros(1, 4)})["norm.bias"].shape == (4,)
    with pytest.raises(CheckpointError, match=r"norm\.scale \(1, 4\) instead of \(4,\)"):
        mended(holder, file | {"norm.scale": torch.ones(1, 4)})


def test_vectors_of_one_channel_are_as_they_should_be_in_either_shape() -> None:
    holder = nn.Sequential(OrderedDict(norm=nn.BatchNorm2d(1)))
    file = {name: tensor.clone() for name, tensor in holder.state_dict().items()}
    for bias in (torch.full((1,), 3.0), torch.full((1, 1), 3.0)):
        assert torch.equal(mended(holder, file | {"norm.bias": bias})["norm.bias"], torch.full((1,), 3.0))


def test_three_strange_tensors_are_named_and_the_rest_is_counted(caplog: pytest.LogCaptureFixture) -> None:
    strange = {f"{letter}.weight": torch.zeros(1) for letter in "edcba"}
    with caplog.at_level(logging.WARNING):
        _, left_out = take(found() | strange)
    assert left_out == tuple(strange)
    assert caplog.messages[0].endswith("does not have: e.weight, d.weight, c.weight and 2 more")
