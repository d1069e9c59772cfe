"""Numbers as people read them."""

import pytest
from jinja2 import DictLoader, UndefinedError

from vskd.evaluation.report import formatting


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (formatting.percent(0.8326), "83.3 %"),
        (formatting.percent(1.0), "100.0 %"),
        (formatting.percent_interval((0.8, 0.871)), "80.0–87.1 %"),
        (formatting.percent_spread(0.8326, 0.011), "83.3 ± 1.1 %"),
        (formatting.percent_spread(0.8326, None), "83.3 %"),
        (formatting.points(0.0123), "+1.2"),
        (formatting.points_interval((-0.012, 0.03)), "-1.2 to +3.0"),
        (formatting.p_value(0.0312), "p = 0.031"),
        (formatting.p_value(0.0009), "p < 0.001"),
        (formatting.p_value(1.0), "p = 1.000"),
        (formatting.duration(3.21), "3.2 s"),
        (formatting.duration(65.2), "1 min 5 s"),
        (formatting.duration(119.7), "2 min 0 s"),
        (formatting.duration(3725.4), "1 h 2 min"),
        (formatting.size(11_400_000), "11.4 MB"),
        (formatting.size(999), "999 B"),
        (formatting.size(1_000), "1.0 kB"),
    ],
)
def test_examples(text: str, expected: str) -> None:
    assert text.replace(formatting.NBSP, " ") == expected


def test_values_are_escaped_and_tags_leave_no_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    page = "<b>{{ name }}</b>\n  {% if name %}\n{{ share | percent }}\n  {% endif %}\n"
    monkeypatch.setattr(formatting, "PackageLoader", lambda _: DictLoader({"page.html": page}))
    found = formatting.render("page.html", {"name": "<script>&", "share": 0.5})
    assert found.replace(formatting.NBSP, " ") == "<b>&lt;script&gt;&amp;</b>\n50.0 %\n"


def test_a_missing_value_is_an_error_not_a_blank() -> None:
    with pytest.raises(UndefinedError, match="results"):
        formatting.render("report.html", {})


def test_an_interval_that_is_not_there_is_a_dash() -> None:
    assert formatting.percent_interval(None) == formatting.points_interval(None) == "–"
