"""A timeline: closed forms of smoothing, rejection and shortest stretches; and a file from end to end."""

from itertools import chain, pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from scipy.io import savemat

from tests.bundle.test_long_file import signal, sliding, write
from tests.firmware_bridge.bundles import make_bundle
from vskd.bundle import long_file
from vskd.bundle.bundle import load_bundle, verify_bundle
from vskd.bundle.contract import UnknownContract
from vskd.bundle.decision import Decider, DecisionSettings
from vskd.bundle.file_reading import FileReading
from vskd.bundle.markov import likely_labels, sure_labels
from vskd.bundle.predict import Predictor, contract_windows
from vskd.bundle.predict_timeline import (
    TimelinePrediction,
    TimelineSettings,
    decided,
    median_over,
    predict_timeline,
    without_short,
    write_timeline,
)
from vskd.bundle.probabilities import softmax
from vskd.bundle.sensor_file import read_recording
from vskd.bundle.timeline import Segment
from vskd.errors import BundleError, SettingError

IN_G = FileReading(unit="g")


def hot(labels: list[int], sure: float = 0.8) -> npt.NDArray[np.float32]:
    """Probabilities of three classes."""
    rest = (1 - sure) / 2
    return np.where(np.eye(3)[labels] > 0, sure, rest).astype(np.float32)


def every_second(count: int) -> npt.NDArray[np.float64]:
    return np.stack([np.arange(count), np.arange(count) + 1], axis=1).astype(float)


def labels_of(found: tuple[Segment, ...]) -> list[tuple[float, float, int]]:
    return [(s.start_s, s.end_s, s.label) for s in found]


def test_median_is_that_of_a_naive_loop() -> None:
    random = np.random.default_rng(0)
    given = random.dirichlet(np.ones(4), 30).astype(np.float32)
    found = median_over(given, 5)
    for k in range(30):
        median = np.median(given[max(0, k - 2) : k + 3], axis=0)
        np.testing.assert_allclose(found[k], median / median.sum(), rtol=1e-5)
    np.testing.assert_allclose(median_over(given, 1), given, rtol=1e-6)


def test_a_single_other_window_is_smoothed_away() -> None:
    times, given = every_second(7), hot([0, 0, 0, 1, 0, 0, 0])
    assert len(decided(times, given, TimelineSettings(), 0.0)) == 3
    assert labels_of(decided(times, given, TimelineSettings(smoothing="median", votes=3), 0.0)) == [(0, 7, 0)]


@pytest.mark.parametrize("smoothing", ["majority", "hysteresis"])
def test_decisions_are_those_of_the_firmware(smoothing: str) -> None:
    labels = np.random.default_rng(1).integers(0, 3, 60).tolist()
    settings = TimelineSettings(smoothing=smoothing, votes=3, hold=2)  # type: ignore[arg-type]
    decider = Decider(DecisionSettings(smoothing=smoothing, votes=3, hold=2))  # type: ignore[arg-type]
    expected = [decider.decide(label) for label in labels]
    found = decided(every_second(60), hot(labels), settings, 0.0)
    assert [s.label for s in found for _ in range(round(s.seconds))] == expected


def test_smoothing_does_not_reach_across_a_gap() -> None:
    times = every_second(6)
    times[3:] += 100
    given = hot([0, 0, 0, 1, 0, 0])
    found = decided(times, given, TimelineSettings(smoothing="median", votes=3), 0.0)
    assert found[-1].end_s == 106 and found[0].end_s == 3 and len(found) >= 2


def test_the_likely_course_is_that_of_each_piece_alone() -> None:
    pytest.importorskip("librosa.sequence", reason="librosa is not installed (extra hmm)")
    times = np.concatenate([every_second(40), every_second(41) + 100, every_second(1) + 200])
    given = np.random.default_rng(5).dirichlet(np.ones(3), len(times)).astype(np.float32)
    found = decided(times, given, TimelineSettings(smoothing="hmm", mean_seconds=6.0), 0.5)
    pieces = [slice(0, 40), slice(40, 81), slice(81, 82)]
    likely = [likely_labels(given[p], step_s=1.0, mean_seconds=6.0) for p in pieces]
    expected = [sure_labels(n, given[p], 0.5).tolist() for n, p in zip(likely, pieces, strict=True)]
    assert [s.label for s in found for _ in range(round(s.seconds))] == list(chain(*expected))
    assert {-1, 0} < {s.label for s in found}
    own = given[np.arange(len(given)), np.concatenate(likely)]  # of the label that is unknown, too
    assert found[0].confidence == pytest.approx(own[: round(found[0].seconds)].mean())
    assert all((s.confidence < 0.5) == (s.label == -1) for s in found)


def test_settings_of_the_likely_course_belong_together(bundle: Path, tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="hmm needs mean_seconds"):
        TimelineSettings(smoothing="hmm")
    file = write(tmp_path / "a.csv", np.arange(700) / 50, signal())
    with pytest.raises(SettingError, match=r"A mean duration of 0\.1 s is too short"):
        predict_timeline(bundle, file, IN_G, TimelineSettings(smoothing="hmm", mean_seconds=0.1))


@pytest.mark.parametrize("smoothing", ["none", "median", "majority", "hysteresis", "hmm"])
@pytest.mark.parametrize(
    ("name", "value", "counts"),
    [
        ("votes", 5, {"median", "majority", "hysteresis"}),
        ("hold", 0, {"majority", "hysteresis"}),
        ("mean_seconds", 3.0, {"hmm"}),
    ],
)
def test_a_setting_without_effect_is_refused(smoothing: str, name: str, value: float, counts: set[str]) -> None:
    content = {"smoothing": smoothing, "mean_seconds": 9.0} if smoothing == "hmm" else {"smoothing": smoothing}
    if smoothing in counts:
        assert getattr(TimelineSettings.model_validate({**content, name: value}), name) == value
        return
    with pytest.raises(SettingError, match=f"{name} does nothing with smoothing {smoothing}. Leave it out, or take"):
        TimelineSettings.model_validate({**content, name: value})


def test_windows_that_are_not_sure_are_unknown() -> None:
    given = np.concatenate([hot([0, 0]), hot([1], 0.5), hot([2, 2])])
    found = decided(every_second(5), given, TimelineSettings(), 0.6)
    assert labels_of(found) == [(0, 2, 0), (2, 3, -1), (3, 5, 2)]
    assert found[1].confidence == pytest.approx(0.5)


def test_short_stretches_join_the_longer_neighbour() -> None:
    found = (
        Segment(0, 10, 0, 0.9), Segment(10, 11, 1, 0.5), Segment(11, 15, 2, 0.8), Segment(15, 16, 0, 0.5),
        Segment(30, 31, 1, 0.7),
    )  # fmt: skip
    joined = without_short(found, 2.0)
    assert labels_of(joined) == [(0, 11, 0), (11, 16, 2), (30, 31, 1)]  # what touches nothing stays
    assert joined[0].confidence == pytest.approx(0.9)
    assert without_short(found, 0.0) == found


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return make_bundle(tmp_path / "bundle", sliding()).path


def test_a_long_file_and_a_short_one_get_the_same_answers(
    bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write(tmp_path / "a.csv", np.arange(700) / 50, signal())
    short = predict_timeline(bundle, file, IN_G)
    monkeypatch.setattr(long_file, "LONG_BYTES", 100)
    monkeypatch.setattr(long_file, "BLOCK_ROWS", 150)
    long = predict_timeline(bundle, file, IN_G)
    np.testing.assert_allclose(short.probabilities, long.probabilities, atol=1e-6)
    np.testing.assert_allclose(short.times, long.times, atol=1e-6)
    assert [row[2] for row in short.rows()] == [row[2] for row in long.rows()]
    predictor = Predictor(load_bundle(bundle))
    windows = contract_windows(read_recording(file, predictor.contract, IN_G), predictor.contract)
    expected = softmax(np.stack([predictor.logits(window) for window in windows]))
    np.testing.assert_allclose(short.probabilities, expected, atol=1e-6)
    moments, outline = long.outline()
    assert outline.shape == (3, len(moments)) and outline.max() == pytest.approx(signal().max(), abs=1e-5)


def test_the_timeline_covers_the_file_and_is_written(bundle: Path, tmp_path: Path) -> None:
    answer = predict_timeline(bundle, write(tmp_path / "a.csv", np.arange(700) / 50, signal()), IN_G)
    rows = answer.rows()
    assert rows[0][0] == 0 and rows[-1][1] == pytest.approx(answer.times[-1, 1], abs=1e-3)
    assert all(a[1] == b[0] for a, b in pairwise(rows))
    write_timeline(answer, tmp_path / "t.csv")
    lines = (tmp_path / "t.csv").read_text().splitlines()
    assert lines[0] == "start_s,end_s,label,confidence" and len(lines) == len(rows) + 1


def test_the_threshold_of_the_contract_counts_unless_another_is_said(tmp_path: Path) -> None:
    strict = sliding(unknown=UnknownContract(below=1.0, keeps=0.95, windows=20, split="validation"))
    path = make_bundle(tmp_path / "strict", strict).path
    verify_bundle(path)
    file = write(tmp_path / "a.csv", np.arange(700) / 50, signal())
    answer = predict_timeline(path, file, IN_G)
    assert answer.unknown_below == 1 and "unknown" in {row[2] for row in answer.rows()}
    assert all(row[2] == "unknown" or row[3] == 1 for row in answer.rows())
    lenient = predict_timeline(path, file, IN_G, TimelineSettings(unknown_below=0.0))
    assert "unknown" not in {row[2] for row in lenient.rows()} and lenient.unknown_below == 0


def test_a_model_of_whole_recordings_has_no_timeline(tmp_path: Path) -> None:
    from tests.export.conftest import sensor_contract

    path = make_bundle(tmp_path / "whole", sensor_contract()).path
    file = write(tmp_path / "a.csv", np.arange(100) / 50, signal(100))
    with pytest.raises(BundleError, match="answers once for a whole recording"):
        predict_timeline(path, file, IN_G)


def test_a_file_in_which_no_window_fits_is_refused(bundle: Path, tmp_path: Path) -> None:
    stamps = np.arange(90) / 50 + 5.0 * (np.arange(90) // 30)
    with pytest.raises(BundleError, match=r"no window fits: .* the longest piece between gaps has 30"):
        predict_timeline(bundle, write(tmp_path / "a.csv", stamps, signal(90)), IN_G)


def test_what_holds_where_nothing_is_said() -> None:
    plain = TimelineSettings()
    assert plain.model_dump() == {
        **{"smoothing": "none", "votes": 5, "hold": 0, "mean_seconds": None},
        **{"min_seconds": 0.0, "unknown_below": None},
    }
    assert TimelineSettings(smoothing="hmm", mean_seconds=2.0).votes == 5


@pytest.mark.parametrize("votes", [2, 3, 4, 7])
def test_an_even_number_of_votes_reaches_as_far_as_the_next_odd_one(votes: int) -> None:
    given = np.random.default_rng(2).dirichlet(np.ones(3), 12).astype(np.float32)
    half = votes // 2
    for k, row in enumerate(median_over(given, votes)):
        median = np.median(given[max(0, k - half) : k + half + 1], axis=0)
        np.testing.assert_allclose(row, median / median.sum(), rtol=1e-5)
    lonely = median_over(np.eye(3, dtype=np.float32), 3)
    assert np.isfinite(lonely).all() and not lonely[1].any(), "where no class has a median there is none"


@pytest.mark.parametrize("smoothing", ["majority", "hysteresis"])
def test_decisions_start_anew_behind_a_gap_and_unknown_windows_have_votes(smoothing: str) -> None:
    labels = np.random.default_rng(3).integers(0, 3, 30).tolist()
    times = every_second(30)
    times[17:] += 50
    given = hot(labels)
    given[[4, 5, 20]] = 1 / 3
    settings = TimelineSettings(smoothing=smoothing, votes=2, hold=1)  # type: ignore[arg-type]
    expected = []
    for piece in (range(17), range(17, 30)):
        decider = Decider(DecisionSettings(smoothing=smoothing, votes=2, hold=1))  # type: ignore[arg-type]
        expected += [decider.decide(-1 if n in (4, 5, 20) else labels[n]) for n in piece]
    found = decided(times, given, settings, 0.5)
    assert [s.label for s in found for _ in range(round(s.seconds))] == expected and -1 in expected
    sure = {n: given[n, k] if k >= 0 else given[n].max() for n, k in enumerate(expected)}
    start = 0
    for one in found:
        stop = start + round(one.seconds)
        assert one.confidence == pytest.approx(np.mean([sure[n] for n in range(start, stop)]), rel=1e-5)
        start = stop


def test_a_window_exactly_at_the_threshold_is_known() -> None:
    given = np.array([[0.5, 0.25, 0.25], [0.25, 0.5, 0.25]], np.float32)
    assert [s.label for s in decided(every_second(2), given, TimelineSettings(), 0.5)] == [0, 1]
    assert [s.label for s in decided(every_second(2), given, TimelineSettings(), 0.5001)] == [-1]
    kept = decided(every_second(2), given, TimelineSettings(min_seconds=1.0), 0.5)
    assert [s.label for s in kept] == [0, 1], "a second is no shorter than a second"
    assert len(decided(every_second(2), given, TimelineSettings(min_seconds=1.01), 0.5)) == 1


def test_the_shortest_stretch_goes_first_and_into_the_longer_neighbour() -> None:
    """2 s and 1 s: the second joins the first, which is then long enough to stay."""
    found = (Segment(0, 4, 0, 0.9), Segment(4, 6, 1, 0.6), Segment(6, 7, 2, 0.3), Segment(7, 8.5, 0, 0.4))
    joined = without_short(found, 2.5)
    assert labels_of(joined) == [(0, 4, 0), (4, 8.5, 1)]
    assert joined[1].confidence == pytest.approx(0.6)
    apart = (Segment(0, 1, 0, 0.9), Segment(1 + 5e-7, 5, 1, 0.6), Segment(5 + 2e-6, 6, 0, 0.5))
    assert labels_of(without_short(apart, 2.0)) == [(0, 5, 1), (5 + 2e-6, 6, 0)]
    assert without_short((), 2.0) == ()
    halves = (Segment(0, 3, 0, 0.2), Segment(3, 3.5, 1, 0.9), Segment(3.5, 4.5, 0, 0.8))
    (one,) = without_short(halves, 1.0)
    assert (one.label, one.confidence) == (0, pytest.approx((3 * 0.2 + 0.5 * 0.2 + 1 * 0.8) / 4.5))


def answered(*stretches: Segment) -> TimelinePrediction:
    return TimelinePrediction(stretches, every_second(1), hot([0]), ("walk", "run"), 0.1, 0.0)


def test_rows_are_rounded_named_and_never_minus_nothing(tmp_path: Path) -> None:
    told = answered(Segment(-1e-9, 1.23456, 1, 0.123456), Segment(1.23456, 2.0, -1, 0.5))
    assert "recording" not in repr(told) and "unknown_below=0.0" in repr(told)
    assert told in {told} and answered() != answered(), "an answer is itself alone: arrays have no one truth"
    assert told.rows() == [(0.0, 1.235, "run", 0.1235), (1.235, 2.0, "unknown", 0.5)]
    write_timeline(told, tmp_path / "t.csv")
    assert (tmp_path / "t.csv").read_text(encoding="utf-8") == (
        "start_s,end_s,label,confidence\n0.0,1.235,run,0.1235\n1.235,2.0,unknown,0.5\n"
    )
    moments, outline = told.outline()
    assert moments.shape == (0,) and outline.shape == (0, 0)


def test_the_outline_has_the_extremes_of_each_part(monkeypatch: pytest.MonkeyPatch) -> None:
    from dataclasses import replace

    from vskd.bundle.long_file import as_long
    from vskd.bundle.recorded import Recorded

    values = np.random.default_rng(0).normal(size=(2, 40)).astype(np.float32)
    told = replace(answered(), recording=as_long(Recorded(values, 10.0, (), breaks=(13,))))
    monkeypatch.setattr("vskd.bundle.predict_timeline.OUTLINE", 8)
    moments, outline = told.outline()
    assert moments.tolist() == [t for n in range(0, 40, 5) for t in (n / 10, n / 10)]
    parts = values.reshape(2, 8, 5)
    np.testing.assert_array_equal(outline[:, ::2], parts.min(axis=2))
    np.testing.assert_array_equal(outline[:, 1::2], parts.max(axis=2))
    monkeypatch.setattr("vskd.bundle.predict_timeline.OUTLINE", 3000)
    np.testing.assert_array_equal(told.outline()[1], np.repeat(values, 2, axis=1))


def test_options_of_the_file_reach_the_reader(bundle: Path, tmp_path: Path) -> None:
    plain = predict_timeline(bundle, write(tmp_path / "a.csv", np.arange(700) / 50, signal()), IN_G)
    np.save(tmp_path / "b.npy", 9.80665 * signal()[:, [1, 0, 2]])
    other = predict_timeline(bundle, tmp_path / "b.npy", FileReading(rate_hz=50.0, unit="m/s^2", columns=(1, 0, 2)))
    np.testing.assert_allclose(other.probabilities, plain.probabilities, atol=0.02)
    savemat(tmp_path / "c.mat", {"first": signal()[::-1], "second": signal()})
    named = predict_timeline(bundle, tmp_path / "c.mat", FileReading(rate_hz=50.0, unit="g", variable="second"))
    np.testing.assert_allclose(named.probabilities, plain.probabilities, atol=0.02)
    assert other.classes == plain.classes and len(set(plain.classes)) == plain.probabilities.shape[1]
    assert any("converted from m/s^2" in note for note in other.notes) and other.notes == other.recording.notes  # type: ignore[union-attr]
    assert other.understood == other.recording.understood and other.latency_ms > 0  # type: ignore[union-attr]
    assert plain.times[:, 1] - plain.times[:, 0] == pytest.approx(np.full(len(plain.times), 32 / 50), abs=1e-6)
    assert np.diff(plain.times[:, 0]) == pytest.approx(np.full(len(plain.times) - 1, 24 / 50), abs=1e-6)
