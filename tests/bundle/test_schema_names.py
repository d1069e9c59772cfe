"""Names of operators and types, against LiteRT's own."""

import pytest
from ai_edge_litert import schema_py_generated as schema

from vskd.bundle.schema_names import operator_name, type_name


def test_names_are_those_of_the_schema() -> None:
    codes = schema.BuiltinOperator
    assert operator_name(codes.CONV_2D, codes.CONV_2D) == operator_name(0, codes.CONV_2D) == "CONV_2D"
    assert operator_name(codes.GELU, 127) == "GELU"  # beyond a byte, whose place in the old code is a mark
    assert operator_name(9999, 127) == "CUSTOM"
    assert type_name(schema.TensorType.INT8) == "INT8" and type_name(schema.TensorType.FLOAT32) == "FLOAT32"
    with pytest.raises(KeyError):
        type_name(99)
