"""The page of `vskd doctor`: findings in their order, escaped, with a recording of each."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.datasets.doctor.ward import Floats, ward
from vskd.datasets.doctor.catalog import CHECKS
from vskd.datasets.doctor.diagnose import Diagnosis
from vskd.datasets.doctor.finding import Finding
from vskd.datasets.doctor.survey import survey_of
from vskd.datasets.recording import Recording
from vskd.evaluation.report import doctor_page
from vskd.evaluation.report.doctor_page import bars_plot, facts_plot, signal_plot, write_doctor_page
from vskd.evaluation.report.plots import BLUE, ORANGE, PALETTE


def test_findings_stand_there_with_their_reasons(tmp_path: Path) -> None:
    def struck(r: Recording, values: Floats) -> Floats:
        values = values.copy()
        values[100, 2] = 60.0 if r.id == "s4_wave_t2" else values[100, 2]
        return values

    survey = survey_of(ward(tmp_path, struck, range_limit=8.0))
    (glitch,) = CHECKS["glitches"].find(survey)
    untold = dataclasses.replace(glitch, check="leaks", what="<train> and test", untrustworthy=True, recordings=())
    write_doctor_page(tmp_path / "page.html", Diagnosis(survey, (untold, glitch)))
    page = (tmp_path / "page.html").read_text()
    assert page.index("&lt;train&gt; and test") < page.index("1 up to 60 g") and "make figures" in page
    assert CHECKS["glitches"].reason in page
    assert page.count("data:image/png") == 4  # the recording with the glitch, classes, subjects, the sensor
    assert "saturation" in page[page.index("Checks that found nothing") :]


def test_what_cannot_be_read_has_no_picture(tmp_path: Path) -> None:
    stream = ward(tmp_path).recordings[0].streams["accelerometer"]
    assert signal_plot(stream, "x") is not None
    stream.path.write_bytes(b"x")
    assert signal_plot(stream, "x") is None


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Plots are given as figures."""
    monkeypatch.setattr(doctor_page, "to_png", lambda figure: figure)


@pytest.mark.usefixtures("drawn")
def test_a_bar_for_each_name_from_above_and_what_findings_touch_within_it() -> None:
    figure: Any = bars_plot({"sit_down": 7, "run": 5}, {"run": 2}, "Classes")
    (ax,) = figure.axes
    assert [(bar.get_y() + bar.get_height() / 2, bar.get_width()) for bar in ax.patches] == [
        *((1, 7), (0, 5)),  # recordings
        *((1, 0), (0, 2)),  # touched
    ]
    assert [t.get_text() for t in ax.get_yticklabels()] == ["sit down", "run"] and list(ax.get_yticks()) == [1, 0]
    assert [bar.get_height() for bar in ax.patches] == pytest.approx([0.8, 0.8, 0.35, 0.35])
    assert ax.get_title(loc="left") == "Classes"
    assert [t.get_text() for t in figure.legends[0].get_texts()] == ["recordings", "touched by a finding"]
    assert len({bar.get_facecolor() for bar in ax.patches}) == 2
    many: Any = bars_plot({f"c{n}": n for n in range(61)}, {}, "Classes")
    assert [t.get_text() for t in many.axes[0].get_yticklabels()] == [f"c{n}" for n in range(60)]
    assert (ax.patches[0].get_facecolor(), ax.patches[2].get_facecolor()) == (rgba(BLUE), rgba(ORANGE))


def rgba(colour: str) -> tuple[float, ...]:
    return (*(int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)), 1.0)


@pytest.mark.usefixtures("drawn")
def test_facts_of_a_sensor_are_lengths_rates_and_gravity(tmp_path: Path) -> None:
    survey = survey_of(ward(tmp_path))
    figure: Any = facts_plot(survey, "accelerometer")
    assert [ax.get_xlabel() for ax in figure.axes] == ["length (s)", "samples per second", "at rest (g)"]
    facts = [fact.signal for fact in survey.sensors["accelerometer"].values()]
    for ax, values in zip(
        figure.axes, ([f.seconds for f in facts], [f.rate_hz for f in facts], [f.rest for f in facts]), strict=True
    ):
        counts, edges = np.histogram(values, bins=40)
        assert [bar.get_height() for bar in ax.patches] == counts.tolist()
        np.testing.assert_allclose([bar.get_x() for bar in ax.patches], edges[:-1])
    assert figure.axes[0].get_title(loc="left") == "accelerometer"
    own = {i: dataclasses.replace(f, signal=dataclasses.replace(f.signal, rest=0.0)) for i, f in
           survey.sensors["accelerometer"].items()}  # fmt: skip
    restless: Any = facts_plot(dataclasses.replace(survey, sensors={"accelerometer": own}), "accelerometer")
    assert [ax.get_xlabel() for ax in restless.axes] == ["length (s)", "samples per second"]


@pytest.mark.usefixtures("drawn")
def test_a_recording_is_drawn_axis_by_axis_from_second_nought(tmp_path: Path) -> None:
    stream = ward(tmp_path, clock=lambda _, stamps: stamps).recordings[0].streams["accelerometer"]
    figure: Any = signal_plot(stream, "s1_rest_t1")
    (ax,) = figure.axes
    values = np.loadtxt(stream.path, delimiter=",")
    assert [(line.get_label(), line.get_color()) for line in ax.lines] == list(zip("xyz", PALETTE, strict=False))
    for axis, line in enumerate(ax.lines):
        np.testing.assert_allclose(line.get_ydata(), values[:, axis], atol=1e-6)
        np.testing.assert_allclose(line.get_xdata(), np.arange(len(values)) / 50, atol=1e-4)
    assert ax.get_title(loc="left") == "s1_rest_t1   accelerometer (g)"


def test_the_example_is_the_first_recording_of_the_stream_that_the_finding_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And bars count what findings touch that do not touch everything."""
    survey = survey_of(ward(tmp_path))
    drawn: list[tuple[str, str]] = []
    streams: list[Any] = []
    bars: list[tuple[dict[str, int], dict[str, int]]] = []
    monkeypatch.setattr(
        doctor_page,
        "signal_plot",
        lambda stream, recording: drawn.append((stream.name, recording)) or streams.append(stream) or b"",
    )
    monkeypatch.setattr(doctor_page, "bars_plot", lambda counts, some, _: bars.append((counts, some)) or b"")
    touched = ("lost", "s2_walk_t1", "s3_wave_t2")
    named = Finding("glitches", "accelerometer: of 3: spikes", touched, "look", 0.5, False, 0.1)
    whole = dataclasses.replace(named, recordings=tuple(survey.by_id), share=1.0)
    other = dataclasses.replace(named, what="gyroscope: spikes")
    strange = dataclasses.replace(named, recordings=("lost",))
    write_doctor_page(tmp_path / "page.html", Diagnosis(survey, (named, other, whole, strange)))
    assert drawn == [("accelerometer", "s2_walk_t1"), ("accelerometer", next(iter(survey.by_id)))]
    assert [stream.path for stream in streams] == [survey.by_id[i].stream(name).path for name, i in drawn]
    classes, subjects = bars
    assert classes == ({"rest": 12, "walk": 12, "wave": 12}, {"rest": 0, "walk": 1, "wave": 1})
    assert subjects == ({str(n): 6 for n in range(1, 7)}, {str(n): int(n in (2, 3)) for n in range(1, 7)})
    page = (tmp_path / "page.html").read_text()
    assert "sensor-folder: 4 findings" in page and "and 6 more" in page  # 36 of which 30 are named
    quiet = page[page.index("Checks that found nothing") :]
    assert "saturation" in quiet and "glitches" not in quiet


@pytest.mark.usefixtures("drawn")
def test_gravity_is_drawn_where_one_recording_shows_it(tmp_path: Path) -> None:
    survey = survey_of(ward(tmp_path))
    facts = survey.sensors["accelerometer"]
    own = {i: dataclasses.replace(f, signal=dataclasses.replace(f.signal, rest=float(n == 3))) for n, (i, f) in
           enumerate(facts.items())}  # fmt: skip
    figure: Any = facts_plot(dataclasses.replace(survey, sensors={"accelerometer": own}), "accelerometer")
    assert [ax.get_xlabel() for ax in figure.axes] == ["length (s)", "samples per second", "at rest (g)"]
    assert sum(bar.get_height() for bar in figure.axes[2].patches) == len(facts)


@pytest.mark.usefixtures("drawn")
def test_pictures_are_as_large_as_what_they_hold(tmp_path: Path) -> None:
    survey = survey_of(ward(tmp_path))
    bars: Any = bars_plot(dict.fromkeys("abcde", 1), {}, "Classes")
    facts: Any = facts_plot(survey, "accelerometer")
    signal: Any = signal_plot(survey.index.recordings[0].streams["accelerometer"], "x")
    sizes = [figure.get_size_inches().tolist() for figure in (bars, facts, signal)]
    assert sizes == [pytest.approx(size) for size in ([8, 1.2 + 0.16 * 5], [9, 2.2], [8, 1.8])]
    assert [t.get_text() for t in signal.axes[0].get_legend().get_texts()] == ["x", "y", "z"]


def test_a_page_of_a_healthy_data_set_says_so(tmp_path: Path) -> None:
    write_doctor_page(tmp_path / "page.html", Diagnosis(survey_of(ward(tmp_path)), ()))
    page = (tmp_path / "page.html").read_text()
    assert "sensor-folder: 0 findings" in page and all(name in page for name in CHECKS)
    assert page.count("data:image/png") == 3 and "make figures" not in page
