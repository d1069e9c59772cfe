"""What a bundle's model has learned from: fingerprints of its recordings, so that it is not tested on them."""

import base64
import binascii
from collections.abc import Iterable
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from vskd.schema import Size, Strict

BYTES = 8
"""Of a hash that are kept."""


def _whole_fingerprints(text: str) -> str:
    try:
        content = base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError(f"is not base64: {error}") from error
    if len(content) % BYTES:
        raise ValueError(f"holds {len(content)} bytes, no multiple of {BYTES}")
    return text


class LearnedFrom(Strict):
    """Content of a bundle's learned.json.

    Attributes:
        recordings: how many it was trained on, or its epoch selected by.
        contents: base64 of the first 8 bytes of hashes, sorted: two for each recording, of its file and of the samples
            decoded from it.
    """

    schema_version: Literal[1] = Field(default=1, alias="schema")
    recordings: Size
    contents: Annotated[str, AfterValidator(_whole_fingerprints)]

    def fingerprints(self) -> frozenset[str]:
        """What `contents` holds, in hexadecimal."""
        content = base64.b64decode(self.contents)
        return frozenset(content[start : start + BYTES].hex() for start in range(0, len(content), BYTES))


def learned_from(fingerprints: Iterable[str], recordings: int) -> LearnedFrom:
    """Pack fingerprints.

    Args:
        fingerprints: each 8 bytes in hexadecimal.
        recordings: how many they are of.
    """
    content = b"".join(sorted(bytes.fromhex(one) for one in set(fingerprints)))
    return LearnedFrom(recordings=recordings, contents=base64.b64encode(content).decode("ascii"))
