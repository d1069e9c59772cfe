"""Logits, embedding and layers of modules that know nothing of vskd."""

import copy
from collections import OrderedDict

import pytest
import torch
from torch import Tensor, nn

from vskd.distillation.any_module import AnyModule, device_of
from vskd.errors import SettingError
from vskd.network import Outputs

X = torch.randn(5, 3, 8, 8, generator=torch.Generator().manual_seed(0))


class Photo(nn.Module):
    """A small convolutional network in the shape of torchvision's."""

    def __init__(self, width: int = 6) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, width, 3)
        self.norm = nn.BatchNorm2d(width)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(width, 4)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, 3, height, width) -> (batch, 4)."""
        logits: Tensor = self.fc(self.avgpool(self.norm(self.stem(x)).relu()).flatten(1))
        return logits


@pytest.fixture
def photo() -> Photo:
    torch.manual_seed(0)
    return Photo()


def by_hand(photo: Photo, x: Tensor = X) -> Tensor:
    return photo.norm(photo.stem(x)).relu().mean(dim=(2, 3))


def hooks(module: nn.Module) -> int:
    return sum(len(part._forward_hooks) + len(part._forward_pre_hooks) for part in module.modules())


def test_logits_are_what_the_module_returns(photo: Photo) -> None:
    photo.eval()
    assert torch.equal(AnyModule(photo, X)(X).logits, photo(X))


def test_the_embedding_is_what_the_last_linear_layer_is_given(photo: Photo) -> None:
    photo.eval()
    known = AnyModule(photo, X, ["embedding"])
    assert known.shapes == {"logits": (4,), "embedding": (6,)}
    torch.testing.assert_close(known(X).embedding, by_hand(photo))
    assert known(X).embedding.requires_grad


def test_of_a_linear_layer_alone_the_embedding_is_its_input() -> None:
    x = torch.randn(5, 7)
    assert torch.equal(AnyModule(nn.Linear(7, 3), x, ["embedding"])(x).embedding, x)


def test_a_named_layer_comes_first_and_is_flattened(photo: Photo) -> None:
    photo.eval()
    known = AnyModule(photo, X, ["embedding"], embedding="avgpool")
    assert known.shapes["embedding"] == (6,)
    torch.testing.assert_close(known(X).embedding, by_hand(photo))
    assert AnyModule(photo, X, ["embedding"], embedding="stem").shapes["embedding"] == (6 * 6 * 6,)


def test_outputs_are_taken_as_they_are_unless_a_layer_is_named() -> None:
    class Own(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embed, self.classify = nn.Linear(7, 5), nn.Linear(5, 3)

        def forward(self, x: Tensor) -> Outputs:
            embedding = self.embed(x)
            return Outputs(self.classify(embedding), 2 * embedding, {"deep": embedding + 1})

    module, x = Own(), torch.randn(5, 7)
    said = AnyModule(module, x, ["embedding", "deep"])(x)
    assert torch.equal(said.embedding, 2 * module.embed(x))
    assert torch.equal(said.features["deep"], module.embed(x) + 1)
    assert torch.equal(AnyModule(module, x, ["embedding"], embedding="embed")(x).embedding, module.embed(x))


def test_any_layer_is_seen_by_its_path(photo: Photo) -> None:
    photo.eval()
    known = AnyModule(photo, X, ["stem"])
    assert known.shapes == {"logits": (4,), "stem": (6, 6, 6)}
    assert torch.equal(known(X).features["stem"], photo.stem(X))


def test_the_nearest_name_is_given_for_a_wrong_one(photo: Photo) -> None:
    with pytest.raises(SettingError, match="There is no layer 'avgpol' in Photo: did you mean 'avgpool'"):
        AnyModule(photo, X, ["avgpol"])
    with pytest.raises(SettingError, match="There is no layer 'steem' in Photo: did you mean 'stem'"):
        AnyModule(photo, X, ["embedding"], embedding="steem")
    assert hooks(photo) == 0


def turned_head() -> nn.Module:
    """Its logits are scaled behind the linear layer, which is then not what gives them."""

    class Scaled(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body, self.fc = nn.Linear(7, 5), nn.Linear(5, 3)

        def forward(self, x: Tensor) -> Tensor:
            return 3 * self.fc(self.body(x))

    return Scaled()


def test_an_unknown_embedding_is_asked_for_where_it_is_wanted_only() -> None:
    x = torch.randn(5, 7)
    module = turned_head()
    assert AnyModule(module, x)(x).embedding.shape == (5, 0)
    with pytest.raises(SettingError, match=r"embedding is unknown.*student_embedding='<path of a module>'"):
        AnyModule(module, x, ["embedding"], who="student")
    assert AnyModule(module, x, ["embedding"], embedding="body").shapes["embedding"] == (5,)


@pytest.mark.parametrize(
    ("module", "found"),
    [
        (nn.Conv2d(3, 4, 3), r"shape \(1, 4, 6, 6\)"),
        (nn.Sequential(nn.Flatten(0)), r"shape \(192,\)"),
        (nn.LSTM(3, 4), "a tuple"),
    ],
)
def test_what_is_no_logits_is_refused(module: nn.Module, found: str) -> None:
    x = X[:, :, 0].transpose(1, 2) if isinstance(module, nn.LSTM) else X
    with pytest.raises(SettingError, match=rf"The student \({type(module).__name__}\) should .* it returns {found}"):
        AnyModule(module, x, who="student")


def test_a_layer_with_another_axis_first_is_refused() -> None:
    class Turned(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.by_time, self.fc = nn.Linear(3, 3), nn.Linear(3, 2)

        def forward(self, x: Tensor) -> Tensor:
            """(batch, samples, 3); the samples stand first inside."""
            logits: Tensor = self.fc(self.by_time(x.transpose(0, 1)).mean(dim=0))
            return logits

    with pytest.raises(SettingError, match="Layer 'by_time' of the teacher does not have the batch as its first axis"):
        AnyModule(Turned(), torch.randn(4, 8, 3), ["by_time"], who="teacher")


def test_looking_changes_neither_mode_nor_statistics_nor_random_state(photo: Photo) -> None:
    photo.train()
    photo.norm.eval()
    before, state = photo.norm.running_mean.clone(), torch.random.get_rng_state()
    AnyModule(photo, X, ["embedding", "stem"]).remove()
    assert torch.equal(photo.norm.running_mean, before)
    assert photo.training and not photo.norm.training
    assert torch.equal(torch.random.get_rng_state(), state)


def test_removed_it_leaves_no_hook(photo: Photo) -> None:
    known = AnyModule(photo, X, ["embedding", "stem"])
    assert hooks(photo) > 0
    known.remove()
    assert hooks(photo) == 0


def test_whole_numbers_are_inputs_too() -> None:
    words = nn.Sequential(OrderedDict(words=nn.EmbeddingBag(10, 6), fc=nn.Linear(6, 3)))
    assert AnyModule(words, torch.randint(10, (4, 9)), ["embedding"]).shapes == {"logits": (3,), "embedding": (6,)}


def test_a_batch_leaves_nothing_behind(photo: Photo) -> None:
    """What was kept of the last one would hold its graph, which no copy can take along."""
    known = AnyModule(photo, X, ["embedding"])
    known(X)
    copied = copy.deepcopy(known)
    photo.eval(), copied.eval()
    assert torch.equal(copied(X).logits, known(X).logits)


class Doubled(nn.Linear):
    """Gives what a linear layer inside gives of twice its input, as adapters do."""

    def __init__(self) -> None:
        super().__init__(4, 3)
        self.inner = nn.Linear(4, 3)

    def forward(self, x: Tensor) -> Tensor:
        said: Tensor = self.inner(2 * x)
        return said


def test_of_linear_layers_inside_each_other_the_outermost_counts() -> None:
    x = torch.randn(5, 4)
    assert torch.equal(AnyModule(nn.Sequential(Doubled()), x, ["embedding"])(x).embedding, x)


def test_one_sample_is_enough_to_look_at(photo: Photo) -> None:
    photo.eval()
    assert AnyModule(photo, X[:1], ["embedding"]).shapes == {"logits": (4,), "embedding": (6,)}
    assert AnyModule(photo, X[:1], ["stem", "logits", "stem"]).layers == ("logits", "stem")


def test_an_embedding_that_nobody_wants_is_not_looked_for(photo: Photo) -> None:
    known = AnyModule(photo, X, ["stem"])
    assert known(X).embedding.shape == (5, 0) and set(known.shapes) == {"logits", "stem"}
    assert not photo.fc._forward_pre_hooks


def test_modules_without_parameters_are_on_the_cpu() -> None:
    assert device_of(nn.Identity()) == torch.device("cpu")
    assert device_of(nn.Linear(2, 2, device="meta")) == torch.device("meta")
