"""Strictness of the contract and the manifest."""

import json

import pytest
from pydantic import ValidationError

from tests.export.conftest import sensor_contract
from vskd.errors import BundleError
from vskd.export.contract import Manifest, SensorContract, parse_json
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


def test_another_schema_version_is_refused(sealed: ExportReport):
    content = json.loads(sealed.bundle.manifest.model_dump_json()) | {"schema_version": 2}
    with pytest.raises(BundleError, match="schema_version"):
        parse_json(Manifest, json.dumps(content).encode(), "manifest.json")


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[]"])
def test_no_json_is_one_clear_error(content: bytes):
    with pytest.raises(BundleError, match=r"manifest\.json does not follow"):
        parse_json(Manifest, content, "manifest.json")
