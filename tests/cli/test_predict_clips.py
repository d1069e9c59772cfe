"""`vskd predict` with a bundle of clips: what is printed."""

import json

import numpy as np
import pytest

from vskd.cli.predict_clips import print_clip


def test_pieces_of_a_clip_are_printed_where_there_are_several(vskd, capsys: pytest.CaptureFixture[str]) -> None:
    from types import SimpleNamespace

    shares = dict(zip("abcdefg", (0.5, 0.2, 0.1, 0.08, 0.06, 0.04, 0.02), strict=True))
    rows = np.array([[0.5, 0.25], [0.125, 0.875]])
    answer = SimpleNamespace(label="a", labels=("a", "b"), per_window=rows, probabilities=shares, latency_ms=3.256)
    print_clip(SimpleNamespace(answer=answer, starts_s=(0.0, 1.00049)), as_json=False)
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert lines[:3] == [["label", "a"], ["latency", "3.26", "ms", "a", "clip"], ["probabilities"]]
    assert [line[0] for line in lines[3:8]] == list("abcde")
    assert lines[8:] == [["start", "(s)", "label", "probability"], ["0.0", "a", "0.500"], ["1.0", "b", "0.875"]]
    print_clip(SimpleNamespace(answer=answer, starts_s=(0.0, 1.00049)), as_json=True)
    content = json.loads(capsys.readouterr().out)
    assert content["pieces"][1] == {"start_s": 1.0, "label": "b", "probability": 0.875}
    assert (content["label"], content["latency_ms"], content["probabilities"]) == ("a", 3.256, shares)
    one = SimpleNamespace(**{**vars(answer), "labels": ("a",), "per_window": rows[:1]})
    print_clip(SimpleNamespace(answer=one, starts_s=(0.0,)), as_json=False)
    assert "start (s)" not in capsys.readouterr().out
