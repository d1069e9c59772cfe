"""What a bundle's model has learned from: packed small, and found again."""

import base64

import pytest
from pydantic import ValidationError

from vskd.bundle.learned import BYTES, LearnedFrom, learned_from

FINGERPRINTS = ("00ff00ff00ff00ff", "0123456789abcdef", "fedcba9876543210")


def test_what_was_packed_is_found_whatever_the_order() -> None:
    packed = learned_from((*reversed(FINGERPRINTS), FINGERPRINTS[0]), 2)
    assert packed == learned_from(FINGERPRINTS, 2)
    assert packed.fingerprints() == set(FINGERPRINTS)
    assert base64.b64decode(packed.contents) == bytes.fromhex("".join(sorted(FINGERPRINTS)))
    assert LearnedFrom.model_validate_json(packed.model_dump_json(by_alias=True)) == packed
    assert set(packed.model_dump(by_alias=True)) == {"schema", "recordings", "contents"}


def test_two_hashes_of_a_recording_take_22_bytes() -> None:
    many = [f"{number:016x}" for number in range(2000)]
    size = len(learned_from(many, 1000).model_dump_json(by_alias=True))
    assert size / 1000 == pytest.approx(2 * BYTES * 4 / 3, rel=0.01)


def test_nothing_is_nothing() -> None:
    assert learned_from((), 0).fingerprints() == set()


@pytest.mark.parametrize(("contents", "told"), [("%%", "is not base64"), ("AAAA", "holds 3 bytes, no multiple of 8")])
def test_damaged_contents_are_refused(contents: str, told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        LearnedFrom(recordings=1, contents=contents)


def test_eight_bytes_of_each_hash_are_kept_as_they_stand() -> None:
    packed = learned_from(["0f" * 8], 3)
    assert (packed.recordings, packed.schema_version, BYTES) == (3, 1, 8)
    assert base64.b64decode(packed.contents) == b"\x0f" * 8 and packed.fingerprints() == {"0f" * 8}
    for wrong in ({"schema": 2, "recordings": 1, "contents": ""}, {"recordings": -1, "contents": ""}):
        with pytest.raises(ValidationError):
            LearnedFrom.model_validate(wrong)
