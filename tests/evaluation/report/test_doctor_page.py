"""The page of `vskd doctor`: findings in their order, escaped, with a recording of each."""

import dataclasses
from pathlib import Path

from tests.datasets.doctor.ward import Floats, ward
from vskd.datasets.doctor.catalog import CHECKS
from vskd.datasets.doctor.diagnose import Diagnosis
from vskd.datasets.doctor.survey import survey_of
from vskd.datasets.recording import Recording
from vskd.evaluation.report.doctor_page import signal_plot, write_doctor_page


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
