"""Dead filters go without a change of the answers, and no bundle holds them; what is not quite dead is measured."""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.conftest import TINY_IMAGES
from vskd.bundle.bundle import FLOAT_MODEL, MODEL, Bundle, load_bundle, verify_bundle
from vskd.bundle.encoding import model_input
from vskd.bundle.runtime import LiteRTModel
from vskd.cli.main import run as vskd
from vskd.distillation.model import Model, load_model
from vskd.distillation.run import WEIGHTS, RunFolder
from vskd.distillation.train import distill
from vskd.errors import BundleError
from vskd.evaluation.evaluate import open_experiment
from vskd.export.convert.structure import operator_tensors
from vskd.export.prune import prune_stem
from vskd.export.run_export import export_run
from vskd.models.squeezenet_lw import SqueezeNetLW
from vskd.models.weights.state import save_state
from vskd.recipe import Recipe, load_recipe

DEAD = (0, 5, 17, 95)


def network_with_dead_filters(scale: float, in_channels: int = 3) -> SqueezeNetLW:
    """Filters whose weights are multiplied by `scale`; their biases are of both signs and matter."""
    torch.manual_seed(0)
    network = SqueezeNetLW(in_channels, 6).eval()
    with torch.no_grad():
        network.initial_conv.weight[list(DEAD)] *= scale
        network.initial_conv.bias[list(DEAD)] = torch.tensor([2.0, -1.0, 3.0, 0.5])
    return network


def images(channels: int = 3, count: int = 3) -> torch.Tensor:
    return torch.rand(count, channels, 64, 64, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("channels", [1, 3])
def test_exactly_dead_filters_change_nothing(channels: int):
    network = network_with_dead_filters(0.0, channels)
    x = images(channels)
    pruning = prune_stem(network)
    assert pruning.removed == DEAD and pruning.kept == 92 and pruning.bound == 0
    assert pruning.network.initial_conv.weight.shape == (92, channels, 7, 7)
    assert pruning.network(x).features["shallow"].shape[1] == 92
    torch.testing.assert_close(pruning.network(x).logits, network(x).logits, rtol=1e-5, atol=1e-6)
    assert network.initial_conv.out_channels == 96  # untouched


def test_the_constant_matters():
    """Without the bias of the removed filters the logits would differ: the exactness above is not for nothing."""
    network = network_with_dead_filters(0.0)
    x = images()
    pruned = prune_stem(network).network
    with torch.no_grad():
        pruned.features[2].squeeze.bias.copy_(network.features[2].squeeze.bias)
    assert (pruned(x).logits - network(x).logits).abs().max() > 1e-3


def test_nearly_dead_filters_are_measured_and_bounded():
    network = network_with_dead_filters(0.1)
    x = images()
    pruning = prune_stem(network, threshold=0.2, images=x)
    assert pruning.removed == DEAD
    measured = (pruning.network(x).logits - network(x).logits).abs().max().item()
    assert pruning.max_logit_change == pytest.approx(measured, rel=0.01) and measured > 1e-5
    assert pruning.argmax_agreement == 1.0
    with torch.no_grad():
        responses = network.initial_conv(network.normalise(x))[:, list(DEAD)]
    assert 0 < (responses.amax((0, 2, 3)) - responses.amin((0, 2, 3))).max() <= pruning.bound


def test_the_mean_response_is_nearer_than_the_bias():
    network = network_with_dead_filters(0.05)
    x = images(count=6)
    threshold = 0.2
    measured = prune_stem(network, threshold=threshold, images=x)
    blind = prune_stem(network, threshold=threshold)
    assert measured.removed == blind.removed == DEAD
    change = (blind.network(x).logits - network(x).logits).abs().max().item()
    assert measured.max_logit_change < change


def test_nothing_to_remove_gives_an_equal_copy():
    torch.manual_seed(0)
    network = SqueezeNetLW(3, 6).eval()
    pruning = prune_stem(network)
    assert (pruning.removed, pruning.kept) == ((), 96)
    torch.testing.assert_close(pruning.network(images()).logits, network(images()).logits, rtol=1e-5, atol=1e-6)


def test_one_filter_always_stays():
    network = network_with_dead_filters(1.0)
    assert prune_stem(network, threshold=0.999999).kept >= 1
    with torch.no_grad():
        network.initial_conv.weight.zero_()
    assert prune_stem(network).kept == 1


def test_bad_arguments_are_refused():
    network = network_with_dead_filters(0.0)
    for threshold in (-0.1, 1.0):
        with pytest.raises(BundleError, match="threshold"):
            prune_stem(network, threshold=threshold)
    for bad in (torch.rand(2, 1, 64, 64), torch.rand(3, 64, 64), torch.rand(0, 3, 64, 64)):
        with pytest.raises(BundleError, match="images have shape"):
            prune_stem(network, images=bad)
    with torch.no_grad():
        network.initial_conv.weight[3, 0, 0, 0] = torch.nan
    with pytest.raises(BundleError, match="not finite"):
        prune_stem(network)


@dataclass(frozen=True)
class Exported:
    """A trained SqueezeNet_LW exported with and without its nearly dead stem filters. Read it, never change it."""

    run: Path
    whole: Bundle
    pruned: Bundle


def small_squeezenet(root: Path, *words: str) -> Recipe:
    student = ("student.network=squeezenet-lw", "student.sees.grey=true", "student.training.epochs=4")
    return load_recipe("krca", (*TINY_IMAGES, f"dataset.path={root}", "distiller=none", *student, *words))


def trained(run: Path) -> Model:
    """The student of a run."""
    experiment = open_experiment(RunFolder.open(run))
    return load_model(run, experiment.inputs, experiment.classes)


def weaken(run: Path) -> None:
    """Leave a few stem filters almost no norm, in the run's own weight file, with biases that matter.

    What was learned in seconds is so little that all images get the same answer, and is therefore made to count more.
    """
    student = trained(run)
    stem, head = student.network.initial_conv, student.network.classifier[1]
    with torch.no_grad():
        head.weight *= 100
        stem.weight[list(DEAD)] *= 1e-6
        stem.bias[list(DEAD)] = torch.tensor([2.0, -1.0, 3.0, 0.5])
    save_state(student, RunFolder.open(run).weights_file, {})
    RunFolder.open(run).sums.record([WEIGHTS])


@pytest.fixture(scope="module")
def exported(shapes_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Exported:
    """As a person would: trained once, and exported by the command with and without pruning."""
    pytest.importorskip("litert_torch", reason="needs the extra 'export'")
    out = tmp_path_factory.mktemp("prune")
    run = out / "run"
    distill(small_squeezenet(shapes_root), run)
    weaken(run)
    for name, threshold in (("whole", 0.0), ("pruned", 1e-3)):
        assert vskd(["export", str(run), "--out", str(out / name), "--set", f"export.prune_stem={threshold}"]) == 0
    return Exported(run, load_bundle(out / "whole"), load_bundle(out / "pruned"))


def pixels() -> np.ndarray:
    """Images of noise, from dark to bright."""
    generator = np.random.default_rng(0)
    return np.stack([generator.integers(0, high, (1, 32, 32), dtype=np.uint8) for high in range(16, 257, 40)])


def said_by_the_network(run: Path, images: np.ndarray) -> np.ndarray:
    """Logits of the trained network itself, with all its filters."""
    with torch.no_grad():
        return trained(run)(torch.from_numpy(images / np.float32(255))).logits.numpy()


def said_by(bundle: Bundle, name: str, images: np.ndarray) -> np.ndarray:
    model = LiteRTModel(bundle.read(name))
    return np.concatenate([model.predict(model_input(image, bundle.manifest.contract)[None]) for image in images])


def convolutions(content: bytes) -> list[tuple[int, ...]]:
    """Shapes of the convolutions' weights, filters first, and of their biases."""
    return [shape for name, tensors in operator_tensors(content) if name == "CONV_2D" for _, shape in tensors[1:3]]


@pytest.mark.parametrize("name", [MODEL, FLOAT_MODEL])
def test_a_bundle_is_made_without_dead_filters(exported: Exported, name: str):
    whole, pruned = (convolutions(bundle.read(name)) for bundle in (exported.whole, exported.pruned))
    assert (whole[0], whole[2]) == ((96, 4, 4, 4), (16, 1, 1, 96))  # the 7x7 stem on blocks of 2x2 pixels; the squeeze
    assert (pruned[0], pruned[2]) == ((92, 4, 4, 4), (16, 1, 1, 92))
    assert pruned[3:] == whole[3:]


def test_a_bundle_without_dead_filters_says_what_the_whole_network_says(exported: Exported):
    images = pixels()
    expected = said_by_the_network(exported.run, images)
    assert np.ptp(expected, axis=0).max() > 0.1  # of these images it does not say the same
    np.testing.assert_allclose(said_by(exported.pruned, FLOAT_MODEL, images), expected, rtol=1e-4, atol=1e-5)
    for bundle in (exported.whole, exported.pruned):  # of a filter of almost no norm int8 holds the bias alone
        assert np.abs(said_by(bundle, MODEL, images) - expected).max() < 0.1
    assert verify_bundle(exported.pruned.path).golden_vectors == 2


def test_a_bundle_without_dead_filters_is_smaller_by_their_weights(exported: Exported):
    """Each filter takes 4 x 4 x 4 weights, its bias and 16 weights of the squeeze with it."""
    numbers = [
        sum(int(np.prod(shape)) for shape in convolutions(bundle.read(FLOAT_MODEL)))
        for bundle in (exported.whole, exported.pruned)
    ]
    fewer = len(DEAD) * (4 * 4 * 4 + 1 + 16)
    assert numbers[0] - numbers[1] == fewer
    sizes = {
        name: [len(bundle.read(name)) for bundle in (exported.whole, exported.pruned)] for name in (FLOAT_MODEL, MODEL)
    }
    assert sizes[FLOAT_MODEL][0] - sizes[FLOAT_MODEL][1] == pytest.approx(4 * fewer, abs=64)  # padding
    assert sizes[MODEL][0] - sizes[MODEL][1] >= fewer
    for k, bundle in enumerate((exported.whole, exported.pruned)):
        card = bundle.read("MODEL_CARD.md").decode("utf-8")
        stated = re.search(r"\| size \| (\d+) KiB \| (\d+) KiB \|", card)
        assert stated is not None
        assert [int(word) for word in stated.groups()] == [round(both[k] / 1024) for both in sizes.values()]


def test_a_threshold_that_is_too_large_shows_in_the_bundle(exported: Exported, tmp_path: Path):
    """Almost all filters go. The figures are of the trained network, which the bundle's models no longer are."""
    settings = ["export.prune_stem=0.999", "export.max_accuracy_drop=1"]
    manifest = export_run(exported.run, tmp_path / "bundle", settings=settings).bundle.manifest
    for exact in (exported.whole.manifest, exported.pruned.manifest):
        assert exact.parity_float32.max_abs_error < 1e-3
        assert manifest.parity_float32.max_abs_error > 100 * exact.parity_float32.max_abs_error
        assert manifest.parity_int8.max_abs_error > 2 * exact.parity_int8.max_abs_error
        assert manifest.accuracy.float32 == exact.accuracy.float32


def stem_of(norms: dict[int, float]) -> SqueezeNetLW:
    """Of one weight each: the strongest filter has norm 1, the others 0.5 or as said."""
    torch.manual_seed(0)
    network = SqueezeNetLW(1, 4).eval()
    with torch.no_grad():
        network.initial_conv.weight.zero_()
        network.initial_conv.weight[:, 0, 3, 3] = 0.5
        network.initial_conv.weight[7, 0, 3, 3] = -1.0
        for number, norm in norms.items():
            network.initial_conv.weight[number, 0, 3, 3] = norm
    return network


@pytest.mark.parametrize(
    ("settings", "removed"),
    [
        ({}, (2, 4)),
        ({"threshold": 2.0**-9}, (2, 3, 4)),
        ({"threshold": 0.0}, (2,)),
        ({"threshold": 0.5}, tuple(n for n in range(96) if n != 7)),
        ({"threshold": 0.499}, (2, 3, 4)),
    ],
)
def test_a_filter_of_exactly_the_threshold_goes_and_one_above_it_stays(
    settings: dict[str, float], removed: tuple[int, ...]
) -> None:
    """By default a thousandth of the strongest: 2^-10 goes, 2^-9 stays."""
    pruning = prune_stem(stem_of({2: 0.0, 3: 2.0**-9, 4: 2.0**-10}), **settings)
    assert (pruning.removed, pruning.kept) == (removed, 96 - len(removed))


def test_the_bound_is_the_range_of_the_filter_that_varies_most() -> None:
    """|weights| summed over pixels in 0..1, divided by the deviation; nothing removed has none."""
    network = stem_of({2: 0.003})
    with torch.no_grad():
        network.initial_conv.weight[2, 0, 0, :2] = torch.tensor([0.001, -0.002])
        network.initial_conv.weight[5, 0, 3, 3] = 0.001
    pruning = prune_stem(network, threshold=0.01)
    assert pruning.removed == (2, 5)
    assert pruning.bound == pytest.approx(0.006 / network.normalise.std.item(), rel=1e-5)
    assert prune_stem(stem_of({}), threshold=0.1).bound == 0.0
    assert (pruning.max_logit_change, pruning.argmax_agreement) == (None, None)


def test_the_effect_is_the_largest_change_and_the_share_of_equal_classes() -> None:
    """Of images of which about half get another class."""
    network, x = network_with_dead_filters(1.0), images(count=6)
    with torch.no_grad():
        network.classifier[1].weight *= 30
    pruning = prune_stem(network, threshold=0.999, images=x)
    with torch.no_grad():
        before = np.concatenate([network(i[None]).logits.numpy() for i in x])
        after = np.concatenate([pruning.network(i[None]).logits.numpy() for i in x])
    assert pruning.max_logit_change == pytest.approx(np.abs(before - after).max(), rel=1e-4)
    assert pruning.argmax_agreement == pytest.approx((before.argmax(1) == after.argmax(1)).mean())
    assert {type(n) for n in (pruning.max_logit_change, pruning.argmax_agreement, pruning.bound)} == {float}


def test_a_network_without_a_fire_module_behind_the_stem_is_refused() -> None:
    network = stem_of({})
    network.features[2] = torch.nn.Identity()
    with pytest.raises(BundleError, match=r"third layer is not a Fire module\. Give a SqueezeNet_LW"):
        prune_stem(network)
