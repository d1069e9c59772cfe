"""Strictness of the contract and the manifest."""

import json

import pytest
from pydantic import ValidationError

from tests.export.conftest import sensor_contract
from vskd.bundle.contract import ImageContract, Manifest, SensorContract, parse_json
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
