"""Strict models: what they refuse, keys that count only sometimes, choices, and every error in English."""

import copy
import json
import pickle
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import pytest
from pydantic import Discriminator, Field, Tag, TypeAdapter, ValidationError

from vskd import schema
from vskd.errors import DataError
from vskd.schema import (
    OnlyWhere,
    Strict,
    choice,
    explain,
    named,
    only_where,
    parse,
    read_json,
    required_where,
    tuples,
)


class Encoding(Strict):
    conditional: ClassVar[Mapping[str, OnlyWhere]] = {
        "limit": only_where("scaling", "fixed", default=4.0),
        "image_size": only_where("method", "gasf", "gadf", default=64),
    }
    method: Literal["raw", "gasf", "gadf"] = "raw"
    scaling: Literal["fixed", "minmax"] = "fixed"
    limit: schema.Positive | None = None
    image_size: schema.Count | None = None


class Window(Strict):
    modality: Literal["window"] = "window"
    length: schema.Count = 128
    encoding: Encoding = Encoding()


class Frames(Strict):
    modality: Literal["frames"] = "frames"
    segments: schema.Count = 8


class Photo(Strict):
    """A network of photos."""

    dropout: schema.BelowOne = 0.0


class KD(Strict):
    loss: Literal["kd"] = "kd"
    temperature: schema.Positive = 4.0
    on: tuple[str, ...] = ()


class Hint(Strict):
    loss: Literal["hint"] = "hint"
    layer: str


class Recipe(Strict):
    sees: choice("modality", [Window, Frames])  # type: ignore[valid-type]
    network: choice("name", [named(Photo, "name", n) for n in ("resnet18", "cnn1d")]) | None = None
    only: choice("modality", [Frames]) | None = None
    terms: tuple[choice("loss", [KD, Hint]), ...] = ()
    pair: tuple[KD, Frames] | None = None
    folds: dict[str, Frames] = Field(default_factory=dict)
    mixed: int | tuple[int, ...] | None = None
    stage: Frames | Photo | None = None
    labelled: str = Field(default="", alias="label")


WINDOW = {"sees": {"modality": "window"}}


def problems(content: Any, model: Any = Recipe) -> list[str]:
    with pytest.raises(ValidationError) as caught:
        parse(model, content)
    return explain(caught.value, model)


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        (schema.Finite, [-1.0, 0.0, 3], [float("inf"), float("nan"), "1", True]),
        (schema.Positive, [1e-9, 2], [0.0, -1.0, float("inf")]),
        (schema.NonNegative, [0.0, 2.5], [-1e-9, float("nan"), float("inf")]),
        (schema.Fraction, [0.0, 0.5, 1.0], [-0.01, 1.01, float("nan")]),
        (schema.BelowOne, [0.0, 0.99], [1.0, -0.01]),
        (schema.Count, [1, 7], [0, 1.0, "1", True]),
        (schema.Size, [0, 7], [-1, 0.0]),
        (schema.Seed, [0, 2**31 - 1], [-1, 2**31]),
        (schema.Sha256, ["0a" * 32], ["0A" * 32, "0" * 63, "0" * 64 + "\n"]),
    ],
)
def test_number_types(kind: Any, good: list[Any], bad: list[Any]) -> None:
    strict = TypeAdapter(kind)
    assert [strict.validate_python(value, strict=True) for value in good] == good
    for value in bad:
        with pytest.raises(ValidationError):
            strict.validate_python(value, strict=True)


def test_a_model_is_frozen_and_converts_nothing() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        KD().temperature = 1.0  # type: ignore[misc]
    with pytest.raises(ValidationError):
        KD(temperature="4")
    with pytest.raises(ValidationError):
        KD(temprature=4.0)


def test_json_is_read_as_strictly_as_python_and_its_lists_are_tuples() -> None:
    assert KD.model_validate_json('{"on": ["a", "b"]}').on == ("a", "b")
    assert Recipe.model_validate_json('{"sees": {"modality": "window"}, "terms": [{"loss": "kd", "on": ["a"]}]}')
    for content in ('{"temperature": "4"}', '{"on": "ab"}', '{"temperature": true}', '{"x": 1}'):
        with pytest.raises(ValidationError):
            KD.model_validate_json(content)


def test_json_completes_conditional_keys_and_keeps_its_tuples() -> None:
    read = Recipe.model_validate_json('{"sees": {"encoding": {"method": "gasf"}, "modality": "window"}, "mixed": [1]}')
    assert (read.sees.encoding.image_size, read.sees.encoding.limit, read.mixed) == (64, 4.0, (1,))


@pytest.mark.parametrize(
    ("said", "limit", "image_size"),
    [
        ({}, 4.0, None),
        ({"scaling": "minmax"}, None, None),
        ({"scaling": "minmax", "limit": None}, None, None),  # as it is written down
        ({"limit": 2.0, "method": "gadf"}, 2.0, 64),
        ({"scaling": "minmax", "method": "gasf", "image_size": 16}, None, 16),
    ],
)
def test_a_conditional_key_has_a_value_where_it_counts_alone(said: dict[str, Any], limit: Any, image_size: Any) -> None:
    encoding = Encoding(**said)
    assert (encoding.limit, encoding.image_size) == (limit, image_size)
    assert Encoding(**encoding.model_dump()) == encoding == Encoding.model_validate_json(encoding.model_dump_json())
    assert parse(Window, {"encoding": said}).encoding == encoding


def test_a_conditional_key_that_does_nothing_is_an_error() -> None:
    nothing = {"scaling": "minmax", "limit": 2.0, "image_size": 16}
    assert problems({"sees": {"modality": "window", "encoding": nothing}}) == [
        "sees.encoding: limit does nothing here: it counts only where scaling is fixed; "
        "image_size does nothing here: it counts only where method is gadf or gasf"
    ]


def test_a_required_key_must_be_said_where_it_counts() -> None:
    class Steps(Strict):
        conditional: ClassVar[Mapping[str, OnlyWhere]] = {"stride": required_where("mode", "sliding", "overlapping")}
        mode: Literal["whole", "sliding", "overlapping"] = "whole"
        stride: schema.Count | None = None

    assert (Steps().stride, Steps(mode="sliding", stride=3).stride) == (None, 3)
    assert problems({"mode": "sliding"}, Steps) == [
        "stride is missing: it must be set where mode is overlapping or sliding"
    ]
    assert problems({"stride": 3}, Steps) == [
        "stride does nothing here: it counts only where mode is overlapping or sliding"
    ]


def test_a_mistyped_deciding_key_is_named_itself() -> None:
    assert problems({"scaling": "fixd", "limit": 2.0}, Encoding) == [
        "scaling: 'fixd' is not allowed, did you mean 'fixed'?"
    ]
    assert problems({"scaling": {"a": 1}, "limit": 2.0}, Encoding)[0].startswith("scaling: ")


def test_conditional_keys_may_depend_on_each_other_and_on_a_catalog_key() -> None:
    class Schedule(Strict):
        conditional: ClassVar[Mapping[str, OnlyWhere]] = {
            "rise": only_where("kind", "rising", default="linear"),
            "slope": only_where("rise", "linear", default=1.0),
        }
        kind: Literal["fixed", "rising"] = "fixed"
        rise: Literal["linear", "cosine"] | None = None
        slope: float | None = None

    assert (Schedule().rise, Schedule().slope) == (None, None)
    assert (Schedule(kind="rising").rise, Schedule(kind="rising").slope) == ("linear", 1.0)
    assert Schedule(kind="rising", rise="cosine").slope is None
    assert named(Schedule, "name", "warm")(kind="rising").slope == 1.0


def test_a_value_without_hash_can_decide() -> None:
    class Open(Strict):
        conditional: ClassVar[Mapping[str, OnlyWhere]] = {"x": only_where("table", 1, default=2)}
        table: dict[str, int] | int = Field(default_factory=dict)
        x: int | None = None

    assert Open().x is None
    assert Open(table=1).x == 2


@pytest.mark.parametrize(("key", "default"), [("nothing", None), ("scaling", 1.0)])
def test_a_conditional_key_that_cannot_work_is_the_developers_error(key: str, default: Any) -> None:
    with pytest.raises(TypeError, match=r"limit"):
        type(
            "Wrong",
            (Strict,),
            {
                "__annotations__": {"scaling": str, "limit": float | None},
                "__module__": __name__,
                "scaling": "fixed",
                "limit": default,
                "conditional": {"limit": only_where(key, "fixed", default=1.0)},
            },
        )


def test_named_adds_the_key_in_front_and_nothing_else() -> None:
    model = named(Photo, "name", "squeezenet-lw")
    assert model(dropout=0.2).model_dump() == {"name": "squeezenet-lw", "dropout": 0.2}
    assert list(model.model_fields) == ["name", "dropout"]
    assert model.__doc__ == Photo.__doc__ and issubclass(model, Photo)
    assert list(Photo.model_fields) == ["dropout"]
    with pytest.raises(ValidationError):
        model(name="resnet18")


def test_named_models_are_one_class_and_travel_between_processes() -> None:
    model = named(Photo, "name", "squeezenet-lw")
    assert named(Photo, "name", "squeezenet-lw") is model is not named(Photo, "name", "resnet18")
    again = pickle.loads(pickle.dumps(model(dropout=0.2)))  # noqa: S301 - our own bytes
    assert again == model(dropout=0.2) and type(again) is model
    held = parse(Recipe, WINDOW | {"network": {"name": "cnn1d", "dropout": 0.5}})
    assert pickle.loads(pickle.dumps(held)) == held == copy.deepcopy(held)  # noqa: S301


def test_named_replaces_an_open_key_of_its_base() -> None:
    class Term(Strict):
        weight: float = 1.0
        loss: str

    model = named(Term, "loss", "kd")
    assert model().model_dump() == {"loss": "kd", "weight": 1.0}
    assert list(model().model_dump()) == ["loss", "weight"]


def test_choice_takes_the_model_that_the_key_names() -> None:
    read = parse(
        Recipe, WINDOW | {"network": {"name": "cnn1d", "dropout": 0.5}, "terms": [{"loss": "hint", "layer": "x"}]}
    )
    assert type(read.sees) is Window
    assert (read.network.name, read.network.dropout) == ("cnn1d", 0.5)
    assert read.terms == (Hint(layer="x"),)
    assert parse(Recipe, read.model_dump()) == read == Recipe.model_validate_json(read.model_dump_json())


def test_a_choice_of_one_is_that_one() -> None:
    assert parse(Recipe, WINDOW | {"only": {"modality": "frames"}}).only == Frames()
    assert problems(WINDOW | {"only": {"modality": "window"}}) == [
        "only.modality: 'window' is not allowed, valid names: frames"
    ]
    assert problems(WINDOW | {"only": {"length": 3}}) == [
        "only.length: unknown key (of frames), valid names: modality, segments"
    ]


def test_tuples_everywhere() -> None:
    assert tuples({"a": [1, {"b": [[2]]}], "c": "xy", "d": None}) == {"a": (1, {"b": ((2,),)}), "c": "xy", "d": None}
    assert tuples([]) == ()
    assert parse(KD, {"on": ["a"]}).on == ("a",)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ({}, "sees: missing"),
        ({"sees": {"length": 1}}, "sees.modality: missing"),
        ({"sees": {"modality": "widow"}}, "sees.modality: 'widow' is not allowed, did you mean 'window'?"),
        ({"sees": {"modality": None}}, "sees.modality: 'None' is not allowed, valid names: frames, window"),
        ({"sees": "window"}, "sees: should be keys with values (got 'window')"),
        ({"sees": ["window"]}, "sees: should be keys with values (got ['window'])"),
        (
            {"sees": {"modality": "frames", "lenght": 1}},
            "sees.lenght: unknown key (of frames), valid names: modality, segments",
        ),
        (WINDOW | {"seen": 1}, "seen: unknown key, did you mean 'sees'?"),
        (
            {"sees": {"modality": "window", "length": 0}},
            "sees.length: input should be greater than or equal to 1 (got 0)",
        ),
        (
            {"sees": {"modality": "window", "encoding": {"method": "gas"}}},
            "sees.encoding.method: 'gas' is not allowed, did you mean 'gasf'?",
        ),
        (
            WINDOW | {"network": {"name": "resnet18", "droput": 0.1}},
            "network.droput: unknown key (of resnet18), did you mean 'dropout'?",
        ),
        (
            WINDOW | {"network": {"name": "resnet81"}},
            "network.name: 'resnet81' is not allowed, did you mean 'resnet18'?",
        ),
        (
            WINDOW | {"network": {"name": "cnn1d", "dropout": 1.0}},
            "network.dropout: input should be less than 1 (got 1.0)",
        ),
        (WINDOW | {"terms": {"loss": "kd"}}, "terms: should be a list"),
        (WINDOW | {"terms": [{"loss": "kd"}, {"loss": "hint"}]}, "terms.1.layer: missing"),
        (WINDOW | {"terms": [{"loss": "kds"}]}, "terms.0.loss: 'kds' is not allowed, did you mean 'kd'?"),
        (
            WINDOW | {"terms": [{"loss": "kd", "on": [1]}]},
            "terms.0.on.0: input should be a valid string (got 1)",
        ),
        (
            WINDOW | {"terms": [{"loss": "hint", "layer": "x", "temperature": 4.0}]},
            "terms.0.temperature: unknown key (of hint), valid names: layer, loss",
        ),
        (WINDOW | {"pair": [{}, {"segment": 1}]}, "pair.1.segment: unknown key (of frames), did you mean 'segments'?"),
        (
            WINDOW | {"folds": {"1": {"segment": 1}}},
            "folds.1.segment: unknown key (of frames), did you mean 'segments'?",
        ),
        (WINDOW | {"folds": {1: {}}}, "folds.1: input should be a valid string (got 1)"),
        (WINDOW | {"labl": "x"}, "labl: unknown key, did you mean 'label'?"),
        (WINDOW | {"label": 1}, "label: input should be a valid string (got 1)"),
    ],
)
def test_one_problem_in_english(content: dict[str, Any], expected: str) -> None:
    assert problems(content) == [expected]


def test_of_a_union_without_tags_each_member_says_what_it_wants() -> None:
    assert problems(WINDOW | {"mixed": "x"}) == [
        "mixed: input should be a valid integer (got 'x')",
        "mixed: should be a list (got 'x')",
    ]
    assert "mixed.1: input should be a valid integer (got 'x')" in problems(WINDOW | {"mixed": [1, "x"]})
    assert "stage.droput: unknown key, did you mean 'dropout'?" in problems(WINDOW | {"stage": {"droput": 1}})


def test_all_problems_are_told_at_once_and_none_twice() -> None:
    said = problems({"sees": {"modality": "window", "length": "x"}, "terms": [{"loss": "no"}], "extra": 1})
    assert [line.partition(": ")[0] for line in said] == ["sees.length", "terms.0.loss", "extra"]


def test_what_is_no_mapping_at_all() -> None:
    assert problems([1]) == ["should be keys with values (got [1])"]
    assert problems(None) == ["should be keys with values (got None)"]


def test_a_union_may_be_the_root() -> None:
    either = choice("modality", [Window, Frames])
    assert parse(either, {"modality": "frames"}) == Frames()
    assert problems({"modality": "x"}, either) == ["modality: 'x' is not allowed, valid names: frames, window"]
    assert problems({}, either) == ["modality: missing"]
    assert problems({"modality": "frames", "x": 1}, either) == ["x: unknown key, valid names: modality, segments"]


def test_a_function_may_tell_members_apart() -> None:
    def tag(content: Any) -> str:
        return "window" if "length" in content else str(content.get("modality"))

    either = Annotated[Annotated[Window, Tag("window")] | Annotated[Frames, Tag("frames")], Discriminator(tag)]

    class Holder(Strict):
        inner: either  # type: ignore[valid-type]

    assert problems({"inner": {"length": "x"}}, Holder) == ["inner.length: input should be a valid integer (got 'x')"]
    assert problems({"inner": {"modality": "xyz"}}, Holder) == [
        "inner: 'xyz' is not allowed, valid names: frames, window"
    ]


def test_own_messages_keep_their_words_and_long_values_are_not_repeated() -> None:
    text = "x" * 200

    class Picky(Strict):
        count: int

    assert problems({"count": text}, Picky) == ["count: input should be a valid integer"]
    with pytest.raises(ValidationError) as caught:
        Picky.model_validate_json(json.dumps({"count": 1}) + "}")
    assert explain(caught.value, Picky)[0].startswith("invalid JSON: ")


class Small(Strict):
    a: int
    b: tuple[str, ...] = ()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "EOF"),
        (b'{"a": 1', "EOF"),
        (b"\xff\xfe", "invalid"),
        (b'{"a": "1"}', "a: "),
        (b'{"a": 1, "c": 2}', "c: unknown key"),
        (b"{}", "a: missing"),
        (b"[1]", "should be keys with values"),
        (b'{"a": 1e400}', "a: "),
        (b'{"a": NaN}', "a: "),
        (b'{"a": 1, "b": [null]}', "b.0: "),
        (b"[" * 100_000, "recursion"),
    ],
)
def test_damaged_json_is_one_error_of_the_class_asked_for(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "small.json"
    path.write_bytes(content)
    with pytest.raises(DataError, match=re.escape(said)) as caught:
        read_json(path, Small, DataError, "Make it again")
    assert str(path) in str(caught.value) and str(caught.value).endswith("Make it again.")


def test_json_that_cannot_be_opened(tmp_path: Path) -> None:
    for path in (tmp_path / "none.json", tmp_path, tmp_path / "a\0b", tmp_path / ("x" * 5000)):
        with pytest.raises(DataError, match="cannot be read"):
            read_json(path, Small, DataError, "Make it again")


def test_whole_json_is_read(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text('{"a": 1, "b": ["ä"]}', encoding="utf-8")
    assert read_json(tmp_path / "x.json", Small, DataError, "") == Small(a=1, b=("ä",))


class Nine(Strict):
    a: int
    b: int
    c: int
    d: int
    e: int
    f: int
    g: int
    h: int
    i: int


def test_eight_misfits_of_a_file_are_listed(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text('{"a": 1}')
    with pytest.raises(DataError, match=r"is damaged: b: missing; .*; i: missing\."):
        read_json(tmp_path / "x.json", Nine, DataError, "Again")
    (tmp_path / "x.json").write_text("{}")
    with pytest.raises(DataError, match=r"a: missing; .*h: missing; and 1 more\."):
        read_json(tmp_path / "x.json", Nine, DataError, "Again")


@pytest.mark.parametrize(("length", "shown"), [(78, True), (79, False)])
def test_values_of_up_to_eighty_characters_are_repeated(length: int, shown: bool) -> None:
    """With their quotation marks."""
    assert problems({"label": 1, "sees": "x" * length})[0].endswith(f"(got {'x' * length!r})") is shown


@pytest.mark.parametrize(
    ("kind", "right", "wrong"),
    [
        (schema.Finite, (-1e300, 0.0), (float("nan"), float("inf"), "1")),
        (schema.Positive, (1e-300, 5.0), (0.0, -1.0, float("inf"), float("nan"))),
        (schema.NonNegative, (0.0, 5.0), (-1e-300, float("inf"), float("nan"))),
        (schema.Fraction, (0.0, 1.0), (-0.001, 1.001, float("nan"))),
        (schema.BelowOne, (0.0, 0.999), (-0.001, 1.0, float("nan"))),
        (schema.ShareOfOne, (1e-300, 1.0), (0.0, -0.001, 1.001, float("nan"), float("inf"))),
        (schema.Count, (1, 5), (0, -1, 1.0)),
        (schema.Size, (0, 5), (-1, 0.5)),
        (schema.Seed, (0, 2**31 - 1), (-1, 2**31)),
        (schema.Sha256, ("0" * 64, "f" * 64), ("0" * 63, "0" * 65, "g" * 64, "F" * 64)),
    ],
)
def test_number_types_and_hashes(kind: Any, right: tuple[Any, ...], wrong: tuple[Any, ...]) -> None:
    adapter = TypeAdapter(kind)
    for value in right:
        assert adapter.validate_python(value) == value
    for value in wrong:
        with pytest.raises(ValidationError):
            adapter.validate_python(value, strict=True)


def test_a_key_is_said_by_its_own_name_or_its_alias_and_defaults_that_count_are_said() -> None:
    for key in ("label", "labelled"):
        assert parse(Recipe, WINDOW | {key: "x"}).labelled == "x"
    assert Encoding().model_fields_set == {"limit"} and Encoding(scaling="minmax").model_fields_set == {"scaling"}
    assert named(Photo, "name", "squeezenet-lw").__module__ == Photo.__module__
