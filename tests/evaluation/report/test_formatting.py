"""Numbers as people read them."""

from collections.abc import Callable

import pytest
from jinja2 import DictLoader, UndefinedError

from vskd.evaluation.report import formatting

EXAMPLES = {
    formatting.percent: [((0.8326,), "83.3 %"), ((1.0,), "100.0 %"), ((0.0,), "0.0 %")],
    formatting.percent_interval: [(((0.8, 0.871),), "80.0–87.1 %"), ((None,), "–")],
    formatting.percent_spread: [
        ((0.8326, 0.011), "83.3 ± 1.1 %"),
        ((0.8326, None), "83.3 %"),
        ((0.5, 0.0), "50.0 ± 0.0 %"),
    ],
    formatting.points: [((0.0123,), "+1.2"), ((-0.5,), "-50.0")],
    formatting.points_interval: [(((-0.012, 0.03),), "-1.2 to +3.0"), ((None,), "–")],
    formatting.p_value: [
        ((0.0312,), "p = 0.031"),
        ((0.0009,), "p < 0.001"),
        ((0.001,), "p = 0.001"),
        ((1.0,), "p = 1.000"),
    ],
    formatting.duration: [
        *(((3.21,), "3.2 s"), ((59.9,), "59.9 s"), ((60.0,), "1 min 0 s"), ((65.2,), "1 min 5 s")),
        *(((119.7,), "2 min 0 s"), ((3599.4,), "59 min 59 s"), ((3600.0,), "1 h 0 min"), ((3725.4,), "1 h 2 min")),
        *(((3599.6,), "1 h 0 min"), ((7325.0,), "2 h 2 min")),
    ],
    formatting.size: [
        *(((11_400_000,), "11.4 MB"), ((999,), "999 B"), ((1_000,), "1.0 kB"), ((1_000_000,), "1.0 MB")),
        *(((1_000_000_000,), "1.0 GB"), ((0,), "0 B"), ((999_900,), "999.9 kB")),
    ],
}


@pytest.mark.parametrize(
    ("shown", "given", "text"), [(shown, *example) for shown, examples in EXAMPLES.items() for example in examples]
)
def test_examples(shown: Callable[..., str], given: tuple[object, ...], text: str) -> None:
    assert shown(*given).replace(formatting.NBSP, " ") == text


def test_every_helper_is_known_to_templates(monkeypatch: pytest.MonkeyPatch) -> None:
    names = [helper.__name__ for helper in EXAMPLES if helper is not formatting.percent_spread]
    values = {"percent_interval": "none", "points_interval": "none"}
    page = " ".join(f"{{{{ {values.get(name, '0.5')} | {name} }}}}" for name in names)
    monkeypatch.setattr(
        formatting, "PackageLoader", lambda _: DictLoader({"p": f"{page} {{{{ percent_spread(0.5, none) }}}}"})
    )
    expected = [getattr(formatting, name)(None if name in values else 0.5) for name in names]
    assert formatting.render("p", {}) == " ".join([*expected, formatting.percent_spread(0.5, None)])


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
