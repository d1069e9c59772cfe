"""YAML as people mean it: what can be read in two ways is refused, and what is written is read as it was."""

from pathlib import Path

import pytest
import yaml

from vskd import yaml_text
from vskd.datasets.splits.protocol import PROTOCOLS_FOLDER
from vskd.errors import DataError
from vskd.recipe.files import RECIPES_FOLDER
from vskd.yaml_text import AmbiguousError, dump_yaml, load_yaml, read_yaml

REFUSED = {
    "010": "8 (octal) or 10",
    "0100": "64 (octal) or 100",
    "-07": "-7 (octal) or -7",
    "08": "8",
    "0_1": "1 (octal) or 1",
    "1:30": "90 (base 60)",
    "-1:30:05": "-5405 (base 60)",
    "1:30.5": "90.5 (base 60)",
    "0o10": "8",
    "0x10": "16",
    "0b101": "5",
    "1_000": "1000",
    "1_000.5": "1000.5",
    "1.000_5": "1.0005",
    "1_0e3": "10e3",
    "10_": "10",
    "yes": "true",
    "On": "true",
    "NO": "false",
    "off": "false",
    "2024-01-31": "a date",
}


@pytest.mark.parametrize("text", REFUSED)
@pytest.mark.parametrize("where", ["key: {}", "- {}", "[1, {}]", "{{a: {{b: {}}}}}", "{}", "{}: value"])
def test_what_can_be_read_in_two_ways_is_refused_with_its_readings(text: str, where: str) -> None:
    with pytest.raises(AmbiguousError) as caught:
        load_yaml(where.format(text))
    assert f"line 1: {text} may be read as {REFUSED[text]}, or as the text '{text}'" in str(caught.value)


@pytest.mark.parametrize("text", [text for text in REFUSED if not text.startswith("-07")])
def test_the_readings_are_those_of_yaml_1_1_and_of_people(text: str) -> None:
    """PyYAML is of version 1.1: where it does not take the text for text, its reading is among those given."""
    found = yaml.safe_load(text)
    if not isinstance(found, str) and text != "2024-01-31":
        said = REFUSED[text].removesuffix(" (base 60)").split(" ")[0]
        assert yaml.safe_load(said) == found or float(said) == found


@pytest.mark.parametrize("quote", ["'{}'", '"{}"', "!!str {}"])
@pytest.mark.parametrize("text", [*REFUSED, "1e3", "null", "true", "5"])
def test_quoted_it_is_text(quote: str, text: str) -> None:
    assert load_yaml(f"key: {quote.format(text)}") == {"key": text}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *(("1e3", 1000.0), ("1E-3", 0.001), ("-2.5e+2", -250.0), (".5e1", 5.0), ("1.e2", 100.0), ("+1e2", 100.0)),
        *(
            ("0", 0),
            ("10", 10),
            ("-3", -3),
            ("0.5", 0.5),
            ("012.5", 12.5),
            (".5", 0.5),
            ("100", 100),
            ("1e400", float("inf")),
        ),
        *(("true", True), ("False", False), ("null", None), ("~", None), ("a1", "a1"), ("e3", "e3"), ("1e", "1e")),
        *(("yes please", "yes please"), ("n", "n"), ("12:30pm", "12:30pm"), ("a_1", "a_1"), ("1:99", "1:99")),
        *(("/data/010", "/data/010"), ("0-1", "0-1"), ("_1", "_1")),
    ],
)
def test_all_else_is_what_everybody_reads(text: str, value: object) -> None:
    found = load_yaml(text)
    assert (type(found), found) == (type(value), value)


def test_the_line_is_named() -> None:
    with pytest.raises(AmbiguousError, match="line 3: off may be read as false"):
        load_yaml("a: 1\nb:\n  c: off\n")


@pytest.mark.parametrize("text", ["{a: 1, a: 2}", "x:\n  a: 1\n  b: 2\n  a: 1\n"])
def test_a_key_that_stands_twice_is_refused(text: str) -> None:
    with pytest.raises(AmbiguousError, match="the key 'a' stands twice"):
        load_yaml(text)


@pytest.mark.parametrize("text", [*REFUSED, "1e3", ".5e-1", "5", "null", "true", "plain", "", "ä: #", "1.5", "~"])
def test_what_is_written_is_read_as_it_was(text: str) -> None:
    content = {"name": text, text: [text, 1, 0.5, 1e-5, 1e20, True, None]}
    assert load_yaml(dump_yaml(content)) == yaml.safe_load(dump_yaml(content)) == content


def test_a_number_of_a_recipe_is_written_as_every_program_reads_it() -> None:
    assert yaml.safe_load(dump_yaml({"rate": 1e-05})) == {"rate": 1e-05}


def test_keys_keep_their_order() -> None:
    assert dump_yaml({"b": 1, "a": 2}) == "b: 1\na: 2\n"


@pytest.mark.parametrize("path", sorted([*RECIPES_FOLDER.glob("*.yaml"), *PROTOCOLS_FOLDER.rglob("*.yaml")]))
def test_shipped_files_say_nothing_in_two_ways(path) -> None:
    assert load_yaml(path.read_text(encoding="utf-8"))


def test_no_code_is_run() -> None:
    with pytest.raises(yaml.YAMLError):
        load_yaml("!!python/object/apply:os.getcwd []")


def test_what_an_anchor_names_is_changed_in_one_place_alone() -> None:
    found = load_yaml("a: &same {b: [1]}\nc: *same\n")
    found["a"]["b"].append(2)
    assert found["c"] == {"b": [1]}


@pytest.mark.parametrize("text", ["a: &x [*x]", "&x {a: {b: *x}}"])
def test_an_anchor_inside_itself_is_refused(text: str) -> None:
    with pytest.raises(yaml.YAMLError, match="refer to what holds it"):
        load_yaml(text)


LAUGHS = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    "content",
    ["a: [", "a: &a [*a]", LAUGHS, "d: 2001-99-99", "!!python/object:os.system {}", "\t- a", "[" * 3000, "a: *b", "\0"],
)
def test_damaged_yaml_is_one_error_of_the_class_asked_for(tmp_path: Path, content: str) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(DataError, match="is no valid YAML") as caught:
        read_yaml(path, DataError, "Correct it")
    assert str(path) in str(caught.value)


def test_yaml_may_repeat_itself(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text("a: &a [1, 2]\nb: *a\n", encoding="utf-8")
    assert read_yaml(tmp_path / "x.yaml", DataError, "") == {"a": [1, 2], "b": [1, 2]}


@pytest.mark.parametrize(
    ("text", "values"),
    [("[a, b, c, d]", 5), ("{a: 1, b: 2}", 5), ("{a: [1, {b: c}]}", 7), ("a: &x [1, 2]\nb: *x", 9), ("a", 1)],
)
def test_values_are_counted_with_what_they_hold(monkeypatch: pytest.MonkeyPatch, text: str, values: int) -> None:
    assert yaml_text.MOST_VALUES == 100_000
    monkeypatch.setattr(yaml_text, "MOST_VALUES", values)
    load_yaml(text)
    monkeypatch.setattr(yaml_text, "MOST_VALUES", values - 1)
    with pytest.raises(yaml.YAMLError, match=f"it has more than {values - 1} values"):
        load_yaml(text)


def test_text_is_written_as_it_is_read_by_people() -> None:
    line = "word " * 22
    assert dump_yaml({"ä": line.strip()}) == f"ä: {line.strip()}\n"
    assert dump_yaml({"a": "010", "b": "1e3", "c": "x", "d": ["no"]}) == "a: '010'\nb: '1e3'\nc: x\nd:\n- 'no'\n"


def test_files_are_utf_8_and_one_that_is_missing_is_named(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_bytes("a: ä".encode())
    assert read_yaml(tmp_path / "x.yaml", DataError, "") == {"a": "ä"}
    (tmp_path / "x.yaml").write_bytes(b"a: \xff")
    with pytest.raises(DataError, match=r"x\.yaml is no valid YAML"):
        read_yaml(tmp_path / "x.yaml", DataError, "Correct it")
    with pytest.raises(DataError, match=r"none\.yaml cannot be read: No such file.*Correct it"):
        read_yaml(tmp_path / "none.yaml", DataError, "Correct it")
    with pytest.raises(yaml.YAMLError):
        load_yaml("? [a]\n: 1\n? [a]\n: 2")


def test_the_line_of_a_key_that_stands_twice_is_named() -> None:
    with pytest.raises(AmbiguousError, match="line 3: the key 'a' stands twice"):
        load_yaml("a: 1\nb: 2\na: 3\n")
    assert load_yaml("1: a\n'1': b\n") == {1: "a", "1": "b"}, "a number and its text are two keys"


@pytest.mark.parametrize(("words", "lines"), [(23, 1), (24, 1), (25, 2), (48, 2)])
def test_lines_are_broken_behind_a_hundred_and_twenty_characters(words: int, lines: int) -> None:
    """Words of four letters behind `key: `: the word that reaches beyond them is the last of its line."""
    written = dump_yaml({"key": " ".join(["word"] * words)})
    assert written.count("\n") == lines and load_yaml(written) == {"key": " ".join(["word"] * words)}


def test_what_one_reader_changes_no_other_one_gets() -> None:
    text = "a: {b: [1, {c: 2}]}"
    first = load_yaml(text)
    first["a"]["b"][1]["c"] = 3
    first["a"]["b"].append(4)
    first["d"] = 5
    assert load_yaml(text) == {"a": {"b": [1, {"c": 2}]}}
