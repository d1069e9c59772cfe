"""Strictness of the contract and the manifest."""

import json
import re

import pytest
from pydantic import ValidationError

from tests.export.conftest import sensor_contract
from vskd.bundle.contract import ClipContract, ImageContract, Manifest, SensorContract, StreamContract, parse_json
from vskd.errors import BundleError
from vskd.export.ship import ExportReport


def test_round_trip():
    contract = sensor_contract(mat_variable="d_iner", mat_columns=(0, 1, 2))
    assert parse_json(SensorContract, contract.model_dump_json().encode(), "x.json") == contract
    assert contract.window_shape == (3, 32)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"min_samples": 500}, "exceeds max_samples"),
        ({"window_mode": "sliding"}, "stride and window_rate_hz"),
        ({"mat_columns": (0, 1)}, "do not fit 3 axes"),
        ({"rate_hz": 0.0}, "rate_hz"),
        ({"rate_hz": float("nan")}, "rate_hz"),
        ({"rate_hz": "50"}, "rate_hz"),
        ({"axes": ()}, "axes"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_bad_contracts_are_refused(changes: dict[str, object], message: str):
    with pytest.raises(ValidationError, match=message):
        sensor_contract(**changes)


def test_all_problems_are_reported_at_once_with_their_paths(sealed: ExportReport):
    content = json.loads(sealed.bundle.manifest.model_dump_json())
    content["surprise"] = 1
    content["contract"]["rate_hz"] = "fast"
    del content["accuracy"]["int8"]
    with pytest.raises(BundleError) as caught:
        parse_json(Manifest, json.dumps(content).encode(), "manifest.json")
    for part in ("manifest.json", "surprise", "contract.rate_hz", "accuracy.int8"):
        assert part in str(caught.value)


@pytest.mark.parametrize(
    ("made_by", "told"),
    [
        ("9.1.0rc2", "or use vskd 9.1.0rc2, which made it"),
        ("9.1; rm", "or use the vskd version that made the bundle"),
        (None, "or use the vskd version that made the bundle"),
    ],
)
@pytest.mark.parametrize("indent", [None, 1])
def test_of_another_schema_the_version_that_made_it_is_named(
    sealed: ExportReport, made_by: str | None, told: str, indent: int | None
):
    content = json.loads(sealed.bundle.manifest.model_dump_json()) | {"schema": 2, "vskd_version": made_by}
    with pytest.raises(BundleError, match=re.escape(told)):
        parse_json(Manifest, json.dumps(content, indent=indent).encode(), "manifest.json")


@pytest.mark.parametrize("name", ["../evil", "/etc/passwd", "a/../b", "a\\b", "", "./model.tflite"])
def test_paths_may_not_leave_the_bundle(sealed: ExportReport, name: str):
    content = json.loads(sealed.bundle.manifest.model_dump_json())
    content["files"][name] = "0" * 64
    with pytest.raises(BundleError, match="not a plain path"):
        parse_json(Manifest, json.dumps(content).encode(), "manifest.json")


def test_a_bundle_of_before_ptflops_is_read(sealed: ExportReport):
    content = json.loads(sealed.bundle.manifest.model_dump_json())
    del content["network"]["ptflops_macs"]
    network = parse_json(Manifest, json.dumps(content).encode(), "manifest.json").network
    assert (network.macs, network.ptflops_macs) == (sealed.bundle.manifest.network.macs, None)


def test_another_schema_version_is_refused(sealed: ExportReport):
    content = json.loads(sealed.bundle.manifest.model_dump_json()) | {"schema_version": 2}
    with pytest.raises(BundleError, match="schema_version"):
        parse_json(Manifest, json.dumps(content).encode(), "manifest.json")


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[]"])
def test_no_json_is_one_clear_error(content: bytes):
    with pytest.raises(BundleError, match=r"manifest\.json does not follow"):
        parse_json(Manifest, content, "manifest.json")


IMAGE: dict[str, object] = {"kind": "image", "stream": "image", "size": 64, "channels": 3, "crop": "box", "margin": 0.3}


def test_a_contract_of_images_says_what_shape_it_asks_for():
    contract = ImageContract(**IMAGE)
    assert contract.sample_shape == (3, 64, 64)
    assert contract.window_shape == (3, 4096)
    assert parse_json(ImageContract, contract.model_dump_json().encode(), "x.json") == contract


@pytest.mark.parametrize(
    "changes", [{"channels": 4}, {"crop": "face"}, {"margin": -0.1}, {"size": 0}, {"layout": "channels-first"}]
)
def test_bad_contracts_of_images_are_refused(changes: dict[str, object]):
    with pytest.raises(ValidationError, match=next(iter(changes))):
        ImageContract(**(IMAGE | changes))


def test_a_manifest_holds_either_contract_and_tells_them_apart(sealed: ExportReport):
    content = json.loads(sealed.bundle.manifest.model_dump_json())
    content["contract"] = IMAGE
    assert isinstance(parse_json(Manifest, json.dumps(content).encode(), "manifest.json").contract, ImageContract)
    content["contract"] = IMAGE | {"kind": "radar"}
    with pytest.raises(BundleError, match=r"manifest\.json.*contract"):
        parse_json(Manifest, json.dumps(content).encode(), "manifest.json")


def test_a_manifest_from_before_there_were_images_is_one_of_a_sensor(sealed: ExportReport):
    content = json.loads(sealed.bundle.manifest.model_dump_json())
    del content["contract"]["kind"], content["quantization"]["fine_tuned"]
    manifest = parse_json(Manifest, json.dumps(content).encode(), "manifest.json")
    assert manifest == sealed.bundle.manifest
    assert isinstance(manifest.contract, SensorContract)


def test_what_older_sensor_contracts_do_not_say():
    content = json.loads(sensor_contract().model_dump_json())
    assert "streams" not in content and "calibrated" not in content
    plain = {key: content[key] for key in content if SensorContract.model_fields[key].is_required()}
    read = parse_json(SensorContract, json.dumps(plain).encode(), "x.json")
    assert (read.kind, read.stride, read.window_rate_hz, read.mat_variable) == ("sensor", None, None, "")
    assert (read.mat_columns, read.mat_width, read.streams, read.calibrated) == ((), None, (), True)
    assert json.loads(sensor_contract(calibrated=False).model_dump_json())["calibrated"] is False
    part = StreamContract(stream="a", placement="", unit="g", axes=("x",), range_limit=2.0)
    assert (part.limit, part.calibrated) == (1.0, True)


def test_what_older_image_contracts_do_not_say():
    plain = ImageContract(stream="image", size=64, channels=3, crop="full")
    assert (plain.kind, plain.placement, plain.margin, plain.box_of, plain.min_side) == ("image", "", 0.0, "", 8)
    assert (plain.value_range, plain.layout, plain.version) == ((0.0, 1.0), "channels-last", 1)
    assert plain.sample_shape == (3, 64, 64) and plain.window_shape == (3, 64 * 64)


def test_a_contract_of_several_streams_is_seen_stream_by_stream():
    accelerometer = StreamContract(
        stream="accelerometer", placement="wrist", unit="g", axes=("x", "y"), range_limit=8.0, limit=4.0
    )
    gyroscope = StreamContract(
        stream="gyroscope", placement="hip", unit="deg/s", axes=("z",), range_limit=500.0, calibrated=False
    )
    whole = sensor_contract(streams=(accelerometer, gyroscope), mat_variable="d", mat_columns=(5, 4, 3))
    assert json.loads(whole.model_dump_json())["streams"][1]["limit"] == 1.0
    first, second = whole.of_streams()
    assert (first.stream, first.placement, first.unit, first.axes) == ("accelerometer", "wrist", "g", ("x", "y"))
    assert (second.stream, second.placement, second.unit, second.axes) == ("gyroscope", "hip", "deg/s", ("z",))
    assert (first.range_limit, second.range_limit) == (8.0, 500.0)
    assert (first.calibrated, second.calibrated) == (True, False)
    assert (first.mat_columns, second.mat_columns, first.mat_variable) == ((5, 4), (3,), "d")
    assert first.streams == second.streams == ()
    assert not hasattr(first, "limit"), "what samples are divided by is no part of what a file is asked for"
    assert sensor_contract().of_streams() == (sensor_contract(),)
    with pytest.raises(ValidationError, match="the axes of the streams do not make 3 axes"):
        sensor_contract(streams=(accelerometer,))


@pytest.mark.parametrize("changes", [{"stride": 4}, {"window_rate_hz": 25.0}])
def test_sliding_windows_need_both(changes: dict[str, object]):
    with pytest.raises(ValidationError, match="stride and window_rate_hz"):
        sensor_contract(window_mode="sliding", **changes)
    assert sensor_contract(window_mode="sliding", stride=4, window_rate_hz=25.0).stride == 4


def test_the_shortest_may_be_the_longest():
    assert sensor_contract(min_samples=50, max_samples=50).max_samples == 50


@pytest.mark.parametrize("name", [".", "a/./b", "a//b", "a/"])
def test_paths_of_a_bundle_are_plain(sealed: ExportReport, name: str):
    content = json.loads(sealed.bundle.manifest.model_dump_json())
    content["files"]["notes/more.txt"] = "0" * 64
    assert "notes/more.txt" in parse_json(Manifest, json.dumps(content).encode(), "manifest.json").files
    content["files"][name] = "0" * 64
    with pytest.raises(BundleError, match="not a plain path"):
        parse_json(Manifest, json.dumps(content).encode(), "manifest.json")


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("provenance", "labels"), ["one"]),
        (("provenance", "seed"), -1),
        (("provenance", "split_sizes", "test"), -1),
        (("accuracy", "split"), "test"),
        (("accuracy", "recordings"), 0),
        (("accuracy", "int8"), 1.01),
        (("parity_int8", "argmax_agreement"), 1.5),
        (("parity_int8", "n"), 0),
        (("parity_float32", "max_abs_error"), -1e-9),
        (("quantization", "calibration_ids"), []),
        (("quantization", "range_estimator"), "guess"),
        (("network", "parameters"), 0),
        (("created_utc",), "2026-01-01T00:00:00"),
        (("files", "model.tflite"), "0" * 63),
    ],
)
def test_a_manifest_of_what_cannot_be_is_refused(sealed: ExportReport, place: tuple[str, ...], value: object):
    content = json.loads(sealed.bundle.manifest.model_dump_json())
    inner = content
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    with pytest.raises(BundleError, match=rf"m\.json does not follow the bundle schema version 1: .*{place[0]}"):
        parse_json(Manifest, json.dumps(content).encode(), "m.json")


def test_a_manifest_of_before_there_was_a_network_is_read(sealed: ExportReport):
    content = json.loads(sealed.bundle.manifest.model_dump_json())
    del content["network"]
    assert parse_json(Manifest, json.dumps(content).encode(), "m.json").network is None


def test_eight_problems_of_a_manifest_are_named_and_the_others_counted(sealed: ExportReport):
    content = json.loads(sealed.bundle.manifest.model_dump_json())
    for number in range(10):
        content[f"more{number}"] = number
    with pytest.raises(BundleError, match=r"more7: .*and 2 more") as caught:
        parse_json(Manifest, json.dumps(content).encode(), "m.json")
    assert "more8" not in str(caught.value)


def test_shapes_of_a_clip():
    clip = ClipContract(stream="rgb", length=5, height=16, width=20, fit="squash", sampling="spread")
    assert clip.sample_shape == (3, 5, 16, 20) and clip.window_shape == (3, 5 * 16 * 20)
    assert (clip.kind, clip.placement, clip.channels, clip.value_range) == ("clip", "", 3, (0.0, 1.0))
