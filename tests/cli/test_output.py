"""Tables for people, JSON for programs."""

import json
from pathlib import Path

from vskd.cli.output import print_fields, print_json, print_next, print_notes, print_table, print_training


def test_columns_are_aligned_and_nothing_is_cut(capsys) -> None:
    print_table(("name", "n"), [("a", 1), ("a-very-long-name" * 8, 22)])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].index("n", 5) == lines[1].index("1") == lines[2].index("22")
    assert "a-very-long-name" * 8 in lines[2]
    assert all(line == line.rstrip() for line in lines)


def test_a_table_without_rows_is_its_header(capsys) -> None:
    print_table(("name", "n"), [])
    assert capsys.readouterr().out == "name  n\n"


def test_json_is_pure_and_paths_are_strings(capsys) -> None:
    print_json({"path": Path("a/b"), "values": [1, None]})
    assert json.loads(capsys.readouterr().out) == {"path": "a/b", "values": [1, None]}


def test_fields_are_aligned(capsys) -> None:
    print_fields([("id", 1), ("label", "clap"), ("f1", "83.3\u00a0%"), ("empty", "")])
    assert capsys.readouterr().out == "id     1\nlabel  clap\nf1     83.3 %\nempty\n"


def test_notes_are_marked(capsys) -> None:
    print_notes(["one", "two"])
    assert capsys.readouterr().out == "note: one\nnote: two\n"


def test_what_a_training_left(capsys) -> None:
    """People count epochs from 1, programs from 0."""
    figures = {"epoch": 4, "seconds": 2.5, "accuracy": 0.123456, "n": 12}
    print_training(Path("RUN"), 4, figures, as_json=False)
    said = capsys.readouterr()
    assert [line.split("  ")[0] for line in said.out.splitlines()] == [
        *("run", "epoch kept", "seconds of that epoch", "accuracy", "n")
    ]
    assert [line.split()[-1] for line in said.out.splitlines()] == ["RUN", "5", "2.5", "0.1235", "12"]
    assert said.err == "next: vskd evaluate RUN\n"
    print_training(Path("RUN"), 4, figures, as_json=True)
    said = capsys.readouterr()
    assert json.loads(said.out) == {"run": "RUN", "epoch": 4, "figures": figures} and said.err == ""


def test_what_comes_next_can_be_copied(capsys) -> None:
    print_next("export", Path("my run"), "--out", "BUNDLE")
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", "next: vskd export 'my run' --out BUNDLE\n")


def test_no_fields_print_nothing(capsys) -> None:
    print_fields([])
    assert capsys.readouterr().out == ""


def test_a_forecast_stands_below_the_figures_and_beside_them_for_programs(capsys) -> None:
    print_training(Path("RUN"), 0, {"n": 3}, as_json=False, forecast=({"verdict": "will help"}, "will help: so"))
    assert capsys.readouterr().out == "run         RUN\nepoch kept  1\nn           3\nforecast    will help: so\n"
    print_training(Path("RUN"), 0, {"n": 3}, as_json=True, forecast=({"verdict": "will help"}, "will help: so"))
    assert json.loads(capsys.readouterr().out) == {
        **{"run": "RUN", "epoch": 0, "figures": {"n": 3}, "forecast": {"verdict": "will help"}}
    }


def test_no_break_spaces_are_spaces_in_fields_alone(capsys) -> None:
    print_table(("a", "b"), [("x", ""), ("longer", "1")])
    assert capsys.readouterr().out == "a       b\nx\nlonger  1\n"
    print_notes([])
    assert capsys.readouterr().out == ""
