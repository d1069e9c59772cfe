"""Export end to end on a tiny student: choice, parity, refusals that leave nothing behind."""

import copy
import json
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from tests.export.conftest import LABELS, TinySeriesNet, export_tiny, provenance, seeded, sensor_contract, windows
from vskd import __version__
from vskd.bundle.bundle import verify_bundle
from vskd.bundle.contract import ClipContract, EncodingContract, ImageContract, ParityNumbers, SensorContract
from vskd.bundle.encoding import model_input
from vskd.bundle.learned import learned_from
from vskd.bundle.runtime import LiteRTModel
from vskd.distillation.model import Model
from vskd.errors import BundleError, CheckpointError, SettingError
from vskd.export import ship
from vskd.export.candidates import FineTuning
from vskd.export.convert.structure import external_buffers, float_operators, weight_scales
from vskd.export.int8.quantize import RANGE_ESTIMATORS, quantize_int8
from vskd.export.scoring import LabelledWindow, Measurement
from vskd.export.ship import Candidate, ExportReport
from vskd.models.complexity import complexity
from vskd.preprocessing.sensor.encodings import build_encoding


def test_manifest_says_how_the_model_was_made(sealed: ExportReport):
    manifest = sealed.bundle.manifest
    assert manifest.quantization.calibration_ids == tuple(sorted(f"train{n}" for n in range(16)))
    assert (manifest.accuracy.split, manifest.accuracy.recordings, manifest.accuracy.float32) == ("validation", 8, 1.0)
    assert manifest.parity_int8.n == manifest.parity_float32.n == 8
    assert manifest.parity_float32.max_abs_error < 1e-4 < manifest.parity_int8.max_abs_error < 0.004  # 0.0021
    assert manifest.provenance == provenance()
    assert manifest.contract.model_copy(update={"unknown": None}) == sensor_contract()
    assert manifest.created_utc.utcoffset().total_seconds() == 0
    assert set(sealed.candidates) == set(RANGE_ESTIMATORS)


def test_shipped_int8_model_is_integer_per_channel_and_inline(sealed: ExportReport):
    content = sealed.bundle.read("model.tflite")
    assert float_operators(content) == [] and external_buffers(content) == []
    assert all(scales == channels for scales, channels in weight_scales(content).values())
    assert sealed.model_bytes == len(content)


def test_parity_numbers_follow_from_the_shipped_files(sealed: ExportReport, tiny_student: Model):
    """Computed again, from the bundle's own files and the network, without the code that measured them."""
    contract = sealed.bundle.manifest.contract
    model = LiteRTModel(sealed.bundle.read("model.tflite"))
    errors = []
    for window in windows(8, seed=1):
        with torch.no_grad():
            expected = tiny_student(torch.from_numpy(window[None])).logits.numpy()
        errors.append(np.abs(model.predict(model_input(window, contract)[None]) - expected))
    assert sealed.parity.max_abs_error == pytest.approx(np.max(errors), rel=1e-5)
    assert sealed.parity.mean_abs_error == pytest.approx(np.mean(errors), rel=1e-5)


def with_something_removed(student: Model) -> dict[str, object]:
    """What to export: the student with a logit that is 0.5 higher, so that it says 0 where the trained one is right."""
    network = copy.deepcopy(student)
    with torch.no_grad():
        network.network.head.bias[0] += 0.5
        said = [int(student(torch.from_numpy(w[None])).logits.argmax()) for w in windows(8, seed=1)]
    assert 0 not in said
    labelled = [LabelledWindow(f"val{n}", w, said[n]) for n, w in enumerate(windows(8, seed=1))]
    return {"model": network, "trained": student, "validation": labelled}


@pytest.mark.usefixtures("converted_once")
def test_the_cost_of_what_was_removed_before_counts(tiny_student: Model, out: Path):
    report = export_tiny(tiny_student, out, **with_something_removed(tiny_student), max_accuracy_drop=1.0)
    manifest = report.bundle.manifest
    assert manifest.parity_float32.max_abs_error == pytest.approx(0.5, rel=1e-3)
    assert manifest.parity_int8.max_abs_error == pytest.approx(0.5, abs=0.004)
    assert (manifest.accuracy.float32, manifest.accuracy.int8) == (1.0, 0.0)


@pytest.mark.usefixtures("converted_once")
def test_removing_too_much_is_refused(tiny_student: Model, out: Path):
    """The network that is exported and its int8 model agree with each other, not with the trained one."""
    removed = with_something_removed(tiny_student)
    refuses(r"loses 100.00 points of accuracy .*lower export\.prune_stem", tiny_student, out, **removed)


def test_the_better_candidate_is_shipped(sealed: ExportReport):
    chosen = sealed.bundle.manifest.quantization.range_estimator
    ranks = {name: Candidate(b"", name, measured).rank for name, measured in sealed.candidates.items()}
    assert ranks[chosen] == max(ranks.values())
    assert sealed.candidates[chosen].parity == sealed.parity


def test_the_network_is_left_as_it_was(tiny_network: nn.Module, out: Path):
    student = Model(build_encoding("gasf", "fixed", 4.0, 16), tiny_network).to(memory_format=torch.channels_last)
    before = {name: value.clone() for name, value in student.state_dict().items()}
    student.train()
    student.network.norm.eval()
    modes = [part.training for part in student.modules()]
    export_tiny(student, out)
    assert [part.training for part in student.modules()] == modes
    for name, value in student.state_dict().items():
        torch.testing.assert_close(value, before[name], rtol=0, atol=0)
    student.eval()


def test_raw_windows_need_no_image_and_sliding_ones_bring_a_stream(out: Path):
    student = Model(build_encoding("raw", "fixed", 4.0, 16), seeded(TinySeriesNet)).eval()
    raw = EncodingContract(method="raw", scaling="fixed", limit=4.0, image_size=16)
    contract = sensor_contract(encoding=raw, window_mode="sliding", stride=16, window_rate_hz=50.0)
    report = export_tiny(student, out, contract=contract)
    assert LiteRTModel(report.bundle.read("model.tflite")).input_shape == (1, 3, 32)
    verified = verify_bundle(out)
    assert verified.golden_vectors == 4 and verified.golden_decisions > 20


def test_encoding_inside_ships_a_model_that_takes_windows(tiny_student: Model, out: Path):
    report = export_tiny(tiny_student, out, contract=sensor_contract(encoding_inside=True), max_accuracy_drop=1.0)
    content = report.bundle.read("model.tflite")
    assert LiteRTModel(content).input_shape == (1, 3, 32)
    assert float_operators(content) == []
    assert report.bundle.manifest.parity_float32.max_abs_error < 1e-4
    verify_bundle(out)


def test_minmax_scaling_cannot_be_inside_an_integer_model(tiny_network: nn.Module, out: Path):
    student = Model(build_encoding("gasf", "minmax", 4.0, 16), tiny_network).eval()
    encoding = EncodingContract(method="gasf", scaling="minmax", limit=4.0, image_size=16)
    inside = sensor_contract(encoding=encoding, encoding_inside=True)
    refuses("REDUCE_MAX.* still compute in float.*encoding outside", student, out, contract=inside)


@pytest.mark.usefixtures("float_converted_before")
@pytest.mark.parametrize(("input_type", "output_type"), [("float32", "int8"), ("int8", "float32")])
def test_ends_are_selectable(tiny_student: Model, out: Path, input_type: str, output_type: str):
    report = export_tiny(tiny_student, out, input_type=input_type, output_type=output_type)
    model = LiteRTModel(report.bundle.read("model.tflite"))
    assert (model.input_type, model.output_type) == (input_type, output_type)
    quantization = report.bundle.manifest.quantization
    assert (quantization.input_type, quantization.output_type) == (input_type, output_type)
    verify_bundle(out)


def refuses(match: str, student: Model, out: Path, **changes: object) -> None:
    with pytest.raises(BundleError, match=match):
        export_tiny(student, out, **changes)
    assert list(out.parent.iterdir()) == []


@pytest.mark.usefixtures("float_converted_before")
def test_a_drop_beyond_the_budget_is_refused(tiny_student: Model, out: Path, monkeypatch: pytest.MonkeyPatch):
    """Ranges that are far too wide leave the int8 model a handful of levels: it must not be shipped."""

    def blunt(float_model, calibration, **options):
        return quantize_int8(float_model, [*calibration, np.full((3, 16, 16), 1e4, np.float32)], **options)

    monkeypatch.setattr(ship, "quantize_int8", blunt)
    monkeypatch.setattr(ship, "RANGE_ESTIMATORS", ("minmax",))
    refuses("points of accuracy on 8 validation recordings.*budget is 1.00", tiny_student, out, max_accuracy_drop=0.01)


def test_an_earlier_bundle_survives_a_refusal(bundle_copy: Path, tiny_student: Model):
    with pytest.raises(BundleError):
        export_tiny(tiny_student, bundle_copy, contract=sensor_contract(length=31))
    verify_bundle(bundle_copy)


def test_shared_recordings_are_refused(tiny_student: Model, out: Path):
    shared = [("val3", w) for w in windows(2)]
    refuses("calibration and validation both, e.g. val3", tiny_student, out, calibration=shared)


@pytest.mark.parametrize("part", ["calibration", "validation"])
def test_empty_parts_are_refused(tiny_student: Model, out: Path, part: str):
    refuses("one of them is empty", tiny_student, out, **{part: []})


def test_windows_of_another_length_are_refused(tiny_student: Model, out: Path):
    refuses(r"\(3, 32\)", tiny_student, out, contract=sensor_contract(length=64))


def test_labels_of_another_data_set_are_refused(tiny_student: Model, out: Path):
    other = provenance().model_copy(update={"labels": LABELS[:3]})
    refuses("4 outputs, and there are 3 class labels", tiny_student, out, provenance=other)


@pytest.mark.usefixtures("float_converted_before")
def test_a_contract_with_another_encoding_is_refused(tiny_student: Model, out: Path):
    other = EncodingContract(method="gasf", scaling="fixed", limit=1.0, image_size=16)
    refuses("float LiteRT model differs", tiny_student, out, contract=sensor_contract(encoding=other))


@pytest.mark.usefixtures("float_converted_before")
def test_operators_that_stay_float_are_refused(tiny_student: Model, out: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(ship, "quantize_int8", lambda float_model, calibration, **options: float_model)
    refuses("CONV_2D.* still compute in float", tiny_student, out)


def test_weights_that_are_not_finite_are_not_shipped(tiny_student: Model, out: Path):
    spoilt = copy.deepcopy(tiny_student)
    with torch.no_grad():
        spoilt.network.head.bias[0] = torch.nan
    with pytest.raises(CheckpointError, match="The student holds NaN or infinity"):
        export_tiny(spoilt, out)
    assert not out.exists()


def test_the_date_is_the_one_that_reproducible_builds_set(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1767225600")
    assert ship._made_at().isoformat() == "2026-01-01T00:00:00+00:00"
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "")
    assert abs((ship._made_at() - datetime.now(UTC)).total_seconds()) < 5
    for wrong in ("now", "-1", "1.5", "9" * 15):
        monkeypatch.setenv("SOURCE_DATE_EPOCH", wrong)
        with pytest.raises(SettingError, match=f"SOURCE_DATE_EPOCH is '{wrong}'"):
            ship._made_at()


def test_the_same_export_gives_the_same_bytes(
    tiny_student: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1767225600")
    for name in ("first", "second"):
        export_tiny(tiny_student, tmp_path / name)
    files = sorted(path.name for path in (tmp_path / "first").iterdir())
    for file in files:
        assert (tmp_path / "first" / file).read_bytes() == (tmp_path / "second" / file).read_bytes(), file
    assert files == sorted(path.name for path in (tmp_path / "second").iterdir())


def candidate(agreement: float, accuracy: float, estimator: str = "minmax", *, tuned: bool = False) -> Candidate:
    figures = ParityNumbers(n=100, argmax_agreement=agreement, mean_abs_error=0.1, max_abs_error=1.0)
    return Candidate(b"", estimator, Measurement(accuracy, figures), fine_tuned=tuned)  # type: ignore[arg-type]


PLAIN = [candidate(0.9, 0.80), candidate(0.95, 0.70, "mse")]


@pytest.mark.parametrize(
    ("always", "budget", "tuned", "expected"),
    [
        (False, 0.2, [0.99], 0.70),  # 20 points are lost, which is the budget: not tried
        (False, 0.1999, [0.99], 0.99),
        (False, 0.1, [0.75, 0.85, 0.8], 0.85),  # accuracy chooses, not agreement
        (False, 0.1, [0.70], 0.70),  # no gain: what was not trained on
        (True, 0.2, [0.71], 0.71),
        (None, 0.0, [], 0.70),
    ],
)
def test_training_on_is_tried_where_too_much_is_lost_and_has_to_gain(
    always: bool | None, budget: float, tuned: list[float], expected: float
) -> None:
    """The best by agreement of those that were quantized alone loses 20 points against 0.90."""
    made = [candidate(1 - accuracy, accuracy, tuned=True) for accuracy in tuned]
    asked: list[FineTuning] = []
    converter = SimpleNamespace(
        quantized=lambda model, estimators: PLAIN if (model, estimators) == (b"float", RANGE_ESTIMATORS) else [],
        fine_tuned=lambda tuning: asked.append(tuning) or made,
        check=SimpleNamespace(accuracy=0.9),
    )
    tuning = None if always is None else FineTuning(lambda module, _: module, always)
    best, tried = ship._chosen(converter, b"float", budget, tuning)  # type: ignore[arg-type]
    assert best.measured.accuracy == expected
    tries = tuning is not None and (always or budget < 0.2)
    assert (asked, tried) == (([tuning], PLAIN + made) if tries else ([], PLAIN))
    assert best.fine_tuned is (tries and expected != 0.70)


@pytest.mark.usefixtures("converted_once")
def test_what_is_trained_on_is_quantized_once_for_each_way_of_estimating(tiny_student: Model, out: Path) -> None:
    """Each under its own; the bundle says that it was, and what looks into it sees the pair before the budget does."""
    trained: list[str] = []

    def train(module: nn.Module, estimator: str) -> nn.Module:
        trained.append(estimator)
        return module

    seen: list[tuple[bytes, bytes]] = []
    removed = with_something_removed(tiny_student) | {"fine_tuning": FineTuning(train, always=True)}  # type: ignore[arg-type]
    with pytest.raises(BundleError, match=r"100\.00 points"):
        export_tiny(tiny_student, out, **removed, inspect=lambda *pair: seen.append(pair))
    assert tuple(trained) == RANGE_ESTIMATORS
    assert [len(pair) for pair in seen] == [2]
    assert float_operators(seen[0][0]) and not float_operators(seen[0][1])


def test_sizes_costs_and_time_of_what_is_shipped(sealed: ExportReport, tiny_student: Model) -> None:
    manifest = sealed.bundle.manifest
    assert sealed.float_model_bytes == len(sealed.bundle.read("model_float.tflite")) > sealed.model_bytes
    assert manifest.network.parameters == sum(p.numel() for p in tiny_student.network.parameters())
    first, second, head = 3 * 8 * 9 * 16 * 16, 8 * 16 * 9 * 8 * 8, 16 * 4
    assert manifest.network.macs == first + second + head
    assert manifest.network.ptflops_macs == complexity(tiny_student, (3, 32)).ptflops_macs
    assert manifest.created_utc.microsecond == 0
    assert abs((datetime.now(UTC) - manifest.created_utc).total_seconds()) < 3600
    assert manifest.vskd_version == __version__
    assert (manifest.quantization.input_type, manifest.quantization.output_type) == ("int8", "int8")
    assert manifest.quantization.fine_tuned is False
    assert sealed.accuracy == manifest.accuracy and manifest.accuracy.max_drop == 0.25


def test_the_threshold_of_unknown_answers_keeps_nearly_all_right_ones(sealed: ExportReport):
    """Of 8 right answers about validation windows, 95 % and more are at least so sure."""
    unknown = sealed.bundle.manifest.contract.unknown
    assert unknown is not None and (unknown.keeps, unknown.windows, unknown.split) == (0.95, 8, "validation")
    sure = np.linspace(0.3, 0.98, 100)
    found = ship._with_threshold(sensor_contract(), sure.tolist(), "train").unknown
    assert found is not None and (found.windows, found.split) == (100, "train")
    assert (sure >= found.below - 1e-6).mean() >= 0.95 and (sure >= found.below + 0.01).mean() < 0.95
    assert ship._with_threshold(sensor_contract(), [], "train").unknown is None


def test_images_and_clips_have_no_threshold():
    clip = ClipContract(stream="rgb", length=2, height=4, width=4, fit="squash", sampling="spread")
    for contract in (clip, ImageContract(stream="image", size=8, channels=1, crop="full")):
        assert ship._with_threshold(contract, [0.5, 0.9], "train") is contract


def test_contracts_of_before_there_was_a_threshold_read_and_write_alike():
    content = sensor_contract().model_dump(mode="json")
    assert "unknown" not in content and SensorContract.model_validate_json(json.dumps(content)).unknown is None


@pytest.fixture
def float_converted_before(sealed: ExportReport, monkeypatch: pytest.MonkeyPatch) -> None:
    """Conversion gives the sealed bundle's float model at once; all else of an export of the same student is real."""
    model = sealed.bundle.read("model_float.tflite")
    monkeypatch.setattr(ship, "convert_part", lambda *_: model)


@pytest.fixture
def converted_before(sealed: ExportReport, float_converted_before: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Quantization gives the sealed bundle's model at once too."""
    model = sealed.bundle.read("model.tflite")
    monkeypatch.setattr(ship, "quantize_int8", lambda *_, **__: model)


@pytest.mark.usefixtures("converted_before")
def test_where_training_recordings_check_the_bundle_says_so_everywhere(tiny_student: Model, out: Path) -> None:
    shared = [(f"val{n}", w) for n, w in enumerate(windows(8, seed=1))]
    report = export_tiny(tiny_student, out, calibration=[*shared, *shared[:2]], validation_split="train")
    manifest = report.bundle.manifest
    assert (manifest.accuracy.split, manifest.contract.unknown.split) == ("train", "train")
    assert manifest.quantization.calibration_ids == tuple(f"val{n}" for n in range(8))


@pytest.mark.usefixtures("converted_before")
def test_several_windows_of_a_recording_are_one_recording(tiny_student: Model, out: Path) -> None:
    said = [int(tiny_student(torch.from_numpy(w[None])).logits.argmax()) for w in windows(4, seed=1)]
    several = [LabelledWindow(f"val{n // 2}", w, said[n // 2 * 2]) for n, w in enumerate(windows(4, seed=1))]
    report = export_tiny(tiny_student, out, validation=several, max_accuracy_drop=1.0)
    assert (report.accuracy.recordings, report.parity.n) == (2, 4)


@pytest.mark.usefixtures("converted_before")
def test_a_model_that_does_not_fit_is_refused_before_it_is_inspected(tiny_student: Model, out: Path) -> None:
    asked: list[bytes] = []

    def fits(content: bytes) -> None:
        asked.append(content)
        raise BundleError("too large", "choose another")

    seen: list[object] = []
    refuses("too large", tiny_student, out, fits=fits, inspect=lambda *pair: seen.append(pair))
    assert len(asked) == 1 and float_operators(asked[0]) == [] and seen == []


@pytest.mark.parametrize(
    ("sure", "below"),
    [
        ([0.12345678], 0.123457),
        ([0.5, 0.9], 0.5),
        ([n / 100 for n in range(1, 20)], 0.01),  # of 19 even the least sure one is needed
        ([n / 100 for n in range(1, 22)], 0.02),  # of 21 one may be less sure
        ([n / 100 for n in range(1, 42)], 0.03),
    ],
)
def test_a_threshold_is_the_probability_of_an_answer_that_was_given(sure: list[float], below: float) -> None:
    """Such that at least 95 % of the right ones are as sure; rounded to six places."""
    found = ship._with_threshold(sensor_contract(), sure[::-1], "validation").unknown
    assert found is not None and found.below == below


@pytest.mark.parametrize(("said", "year"), [("0", 1970), ("1", 1970), ("253370764799", 9998), ("253370764800", 9999)])
def test_every_second_up_to_the_last_year_can_be_named(monkeypatch: pytest.MonkeyPatch, said: str, year: int) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", said)
    made = ship._made_at()
    assert (made.year, made.timestamp()) == (year, int(said))
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "253370764801")
    with pytest.raises(SettingError, match="SOURCE_DATE_EPOCH"):
        ship._made_at()
    monkeypatch.delenv("SOURCE_DATE_EPOCH")
    assert ship._made_at().microsecond == 0


def test_the_quantizer_is_asked_for_each_way_of_estimating_and_for_the_ends(
    sealed: ExportReport, tiny_student: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the float model, and of each one that was trained on, which its candidate then holds."""
    asked: list[tuple[bytes, int, dict[str, str]]] = []

    def quantize(content: bytes, inputs: object, **options: str) -> bytes:
        asked.append((content, len(list(inputs)), options))  # type: ignore[call-overload]
        return sealed.bundle.read("model.tflite")

    monkeypatch.setattr(ship, "convert_part", lambda *_: b"tuned")
    monkeypatch.setattr(ship, "quantize_int8", quantize)
    calibration = [(f"train{n}", w) for n, w in enumerate(windows(3))]
    labelled = [LabelledWindow("val", w, 0) for w in windows(2, seed=1)]
    ends = ("int8", "float32")
    converter = ship._converter(tiny_student, None, sensor_contract(), calibration, labelled, ends)  # type: ignore[arg-type]
    tuning = FineTuning(lambda module, _: module)
    candidates = [*converter.quantized(b"float", RANGE_ESTIMATORS), *converter.fine_tuned(tuning)]
    ways = [(content, estimator) for content in (b"float", b"tuned") for estimator in RANGE_ESTIMATORS]
    types = {"input_type": "int8", "output_type": "float32"}
    assert asked == [(content, 3, {**types, "range_estimator": estimator}) for content, estimator in ways]
    assert [(c.float_model, c.range_estimator, c.fine_tuned) for c in candidates] == [
        (content, estimator, content == b"tuned") for content, estimator in ways
    ]


@pytest.mark.usefixtures("converted_before")
def test_a_bundle_says_that_it_was_trained_on_and_what_it_learned_from(
    tiny_student: Model, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    choose = ship._chosen

    def tuned(*given: object) -> tuple[Candidate, list[Candidate]]:
        best, tried = choose(*given)  # type: ignore[arg-type]
        return replace(best, fine_tuned=True), tried

    monkeypatch.setattr(ship, "_chosen", tuned)
    learned = learned_from(["0123456789abcdef", "ff" * 8], 3)
    report = export_tiny(tiny_student, out, learned=learned)
    assert report.bundle.manifest.quantization.fine_tuned is True
    assert report.bundle.learned() == learned


def test_the_last_second_that_can_be_named_is_the_same_in_every_time_zone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "JST-9")
    time.tzset()
    try:
        monkeypatch.setenv("SOURCE_DATE_EPOCH", "253370764800")
        assert ship._made_at() == datetime(9999, 1, 1, tzinfo=UTC)
    finally:
        monkeypatch.delenv("TZ")
        time.tzset()
