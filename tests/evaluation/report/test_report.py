"""report.html: self-contained, complete, and never of other predictions."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from vskd.errors import DataError
from vskd.evaluation.report import report
from vskd.evaluation.report.formatting import NBSP, percent, percent_interval
from vskd.evaluation.report.report import _confused_pairs, write_report
from vskd.files import WriteError
from vskd.modalities.figures import new_figure, to_png

VOID = {"meta", "img", "br"}


class Balance(HTMLParser):
    """Checks that every tag is closed in order."""

    def __init__(self) -> None:
        super().__init__()
        self.stack: list[str] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.stack.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.stack.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def read(path: Path) -> tuple[str, str]:
    page = path.read_text()
    parser = Balance()
    parser.feed(page)
    assert parser.stack == []
    return page, re.sub(r"[ \n]+", " ", " ".join(parser.text))


def test_full_report(make_predictions, make_results, tmp_path: Path) -> None:
    predictions = make_predictions(subjects=4)
    results = make_results(predictions, model_bytes=11_400_000, notes=["weights of epoch 3 <selected>"])
    rows = [{"epoch": e, "train/loss": 1.0 / (e + 1), "validation/accuracy": 0.1 * e} for e in range(4)]
    picture = to_png(new_figure(1, 1)[0])
    write_report(
        tmp_path / "report.html",
        results,
        predictions,
        rows,
        {"sample windows": picture},
        reproduce=["vskd evaluate runs/demo"],
    )
    page, text = read(tmp_path / "report.html")
    assert not re.search(r"https?://|<script|<link|@import|url\(", page)
    sources = re.findall(r'src="([^"]*)"', page)
    assert len(sources) == 5  # curves, subjects, confusion, reliability, sample
    assert all(source.startswith("data:image/png;base64,") for source in sources)
    for expected in (
        percent(results.accuracy),
        percent_interval(results.intervals["accuracy"].subjects),
        percent_interval(results.intervals["accuracy"].recordings),
        percent(results.macro_f1),
        f"75.0{NBSP}%",  # the teacher
        "60 recordings of 4 subjects",
        "ab" * 32,
        "cd" * 32,
        "11.4 MB",
        "1 min 16 s",
        "squat, deep",
        "rests on 4 subjects",
        "weights of epoch 3 <selected>",  # escaped in the page, and so text again here
        "vskd evaluate runs/demo",
        "sample windows",
    ):
        assert expected in text, expected
    for row in results.per_subject:
        assert f"{row.subject} {percent(row.accuracy)} {percent_interval(row.accuracy_interval)}" in text


def test_lean_report(make_predictions, make_results, tmp_path: Path) -> None:
    predictions = make_predictions()
    results = make_results(predictions, teacher=None, timings={}, environment={})
    write_report(tmp_path / "report.html", results, predictions)
    page, text = read(tmp_path / "report.html")
    assert page.count("<img") == 3
    assert "no teacher took part" in text
    for heading in ("Training", "Reproduce", "How it was made", "What the networks see"):
        assert f"<h2>{heading}</h2>" not in page


def test_what_could_not_be_read_is_named(make_predictions, make_results, tmp_path: Path) -> None:
    predictions = make_predictions()
    results = make_results(predictions, left_out={"a/1": "cannot be decoded", "a/<2>": "truncated"})
    write_report(tmp_path / "report.html", results, predictions)
    text = read(tmp_path / "report.html")[0]
    assert (
        "2 recording(s) could not be read and are in no figure: a/1 (cannot be decoded); a/&lt;2&gt; (truncated)."
        in text
    )


def test_teacher_report_has_no_teacher_tile(make_predictions, make_results, tmp_path: Path) -> None:
    predictions = make_predictions()
    write_report(
        tmp_path / "report.html", make_results(predictions, kind="teacher", distiller=None, teacher=None), predictions
    )
    _, text = read(tmp_path / "report.html")
    assert "teacher, same split" not in text
    assert "Teacher · resnet18" in text


def test_perfect_run_has_no_confusions(make_predictions, make_results, tmp_path: Path) -> None:
    predictions = make_predictions(skill=200.0)
    write_report(tmp_path / "report.html", make_results(predictions), predictions)
    assert "most frequent confusions" not in read(tmp_path / "report.html")[1]


def test_names_are_escaped(make_predictions, make_results, tmp_path: Path) -> None:
    predictions = make_predictions()
    write_report(tmp_path / "report.html", make_results(predictions, recipe='<img src="x">'), predictions)
    assert '<img src="x">' not in (tmp_path / "report.html").read_text()


def test_results_of_other_predictions_are_refused(make_predictions, make_results, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="are not of these predictions"):
        write_report(tmp_path / "report.html", make_results(make_predictions(n=60)), make_predictions(n=50))
    assert list(tmp_path.iterdir()) == []


def test_unwritable_place(make_predictions, make_results, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    predictions = make_predictions()
    with pytest.raises(WriteError, match=r"report\.html"):
        write_report(tmp_path / "file" / "report.html", make_results(predictions), predictions)


def test_the_most_frequent_confusions_and_of_equal_ones_the_larger_share(make_predictions, make_results) -> None:
    results = make_results(make_predictions())
    names = ("a", "b", "c", "d")
    confusion = ((9, 3, 0, 1), (1, 1, 3, 0), (2, 2, 5, 0), (0, 0, 0, 7))
    found = _confused_pairs(results.model_copy(update={"confusion": confusion}), names)
    assert found == [
        ("b", "c", 3, 5),
        ("a", "b", 3, 13),
        ("c", "a", 2, 9),
        ("c", "b", 2, 9),
        ("b", "a", 1, 5),
        ("a", "d", 1, 13),
    ]
    many = tuple(tuple(1 if row != column else 0 for column in range(4)) for row in range(4))
    assert len(_confused_pairs(results.model_copy(update={"confusion": many}), names)) == 8


@pytest.mark.parametrize(
    ("kind", "shown"), [("teacher", "Teacher"), ("student", "Student, float"), ("bundle", "Bundle, int8")]
)
def test_what_was_evaluated_is_named(make_predictions, make_results, tmp_path: Path, kind: str, shown: str) -> None:
    predictions = make_predictions()
    results = make_results(
        predictions, kind=kind, **({"distiller": None, "teacher": None} if kind == "teacher" else {})
    )
    write_report(tmp_path / "report.html", results, predictions)
    assert f"{shown} · " in read(tmp_path / "report.html")[1]


def test_equal_numbers_of_recordings_with_another_accuracy_are_refused(
    make_predictions, make_results, tmp_path
) -> None:
    right, other = make_predictions(n=60, skill=3.0), make_predictions(n=60, skill=0.1)
    with pytest.raises(DataError, match="are not of these predictions"):
        write_report(tmp_path / "report.html", make_results(right), other)


@pytest.mark.parametrize(
    "template", sorted((Path(report.__file__).parent / "templates").glob("*.html")), ids=lambda p: p.name
)
def test_pages_can_be_heard_and_moved_through_by_keys(template: Path) -> None:
    page = template.read_text(encoding="utf-8")
    assert all(re.search(r'alt="[^"]', image) for image in re.findall(r"<img [^>]*>", page))
    assert all("scope=" in head for head in re.findall(r"<th[ >][^>]*", page))
    assert all("tabindex=" in box for box in re.findall(r'<div class="scroll"[^>]*>', page))
    assert not re.search(r"https?://|<script|<link|@import|url\(", page)


def test_muted_words_have_the_contrast_that_wcag_asks_for() -> None:
    """4.5 to 1 (level AA) on white, on boxes and on notes."""
    page = (Path(report.__file__).parent / "templates" / "base.html").read_text(encoding="utf-8")
    colours = dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", page))

    def luminance(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    for ground in ("#ffffff", colours["wash"], "#fff8e6"):
        for ink in ("ink", "muted", "accent"):
            assert (luminance(ground) + 0.05) / (luminance(colours[ink]) + 0.05) >= 4.5, (ink, ground)
