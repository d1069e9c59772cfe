"""What a LiteRT file's numbers of operators and of types are called."""

from functools import cache


def operator_name(builtin: int, deprecated: int) -> str:
    """Name of an operator, e.g. `CONV_2D`; `CUSTOM` of what is none of the schema.

    Args:
        builtin, deprecated: its two codes; files of before there were 128 operators have the second one alone.
    """
    return _names("BuiltinOperator").get(max(builtin, deprecated), "CUSTOM")


def type_name(number: int) -> str:
    """Name of a tensor's type, e.g. `INT8`.

    Raises:
        KeyError: the schema has none of that number.
    """
    return _names("TensorType")[number]


@cache
def _names(table: str) -> dict[int, str]:
    from ai_edge_litert import schema_py_generated as schema

    return {value: name for name, value in vars(getattr(schema, table)).items() if isinstance(value, int)}
