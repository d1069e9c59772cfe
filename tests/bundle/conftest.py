"""The small exported networks of tests/export, for the tests of what is deployed."""

from tests.export.conftest import (  # noqa: F401
    bundle_copy,
    out,
    sealed,
    tiny_float,
    tiny_int8,
    tiny_network,
    tiny_student,
)
