"""A protocol file that cannot be read or is wrong is explained in full. The schema is tested in test_protocol."""

from pathlib import Path

import pytest
from pydantic import BaseModel, ConfigDict

from vskd.datasets.splits.protocol_file import parse_protocol_file
from vskd.errors import ProtocolError


class Rule(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    name: str
    version: int


def parse(path: Path) -> Rule:
    return parse_protocol_file(path, Rule, known=["official", "subject-folds"], name="oficial")


def test_a_valid_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "rule.yaml"
    path.write_text("name: official\nversion: 2\n")
    assert parse(path) == Rule(name="official", version=2)


def test_a_missing_file_names_the_nearest_protocol(tmp_path: Path) -> None:
    with pytest.raises(ProtocolError, match=r"did you mean 'official'.*leave-one-FACTOR-out or K-fold-FACTOR"):
        parse(tmp_path / "oficial.yaml")


@pytest.mark.parametrize(
    ("content", "needles"),
    [
        ("name: [unclosed", ["rule.yaml"]),
        ("- a list", ["rule.yaml"]),
        ("name: a\nversoin: 1\n", ["versoin: unknown key, did you mean 'version'?", "version: missing"]),
        ("name: a\nversion: two\n", ["version"]),
        ("name: a\nversion: 010\n", ["rule.yaml", "line 2: 010 may be read as 8 (octal) or 10"]),
        ("name: 1:30\nversion: 1\n", ["rule.yaml", "line 1: 1:30 may be read as 90 (base 60)"]),
        ("name: off\nversion: 1\n", ["rule.yaml", "line 1: off may be read as false"]),
        ("name: a\nversion: 1\nversion: 2\n", ["rule.yaml", "line 3: the key 'version' stands twice"]),
    ],
)
def test_what_is_wrong_is_said_at_once(tmp_path: Path, content: str, needles: list[str]) -> None:
    path = tmp_path / "rule.yaml"
    path.write_text(content)
    with pytest.raises(ProtocolError) as caught:
        parse(path)
    for needle in needles:
        assert needle in str(caught.value)
