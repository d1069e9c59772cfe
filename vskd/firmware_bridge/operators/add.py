"""ADD and SUB: both inputs are brought to one step, twice the larger of theirs, shifted left by 20 bits."""

from vskd.firmware_bridge.fixed_point import activation_range, quantize_multiplier
from vskd.firmware_bridge.graph import Operator
from vskd.firmware_bridge.operators.base import OperatorKind, check_kinds
from vskd.firmware_bridge.operators.elementwise import broadcast_constants, places, shares_input
from vskd.firmware_bridge.source import Source

LEFT_SHIFT = 20


def emit(operator: Operator, source: Source) -> list[str]:
    """The same constants serve both; the kernels differ in one sign."""
    first, second, output = *operator.inputs, operator.output
    check_kinds(operator, first, second, output)
    common = 2 * max(first.scale, second.scale)  # exact: the steps are float32
    pairs = {
        "first": quantize_multiplier(first.scale / common),
        "second": quantize_multiplier(second.scale / common),
        "output": quantize_multiplier(common / (2**LEFT_SHIFT * output.scale)),
    }
    fields = {f"{name}_multiplier": multiplier for name, (multiplier, _) in pairs.items()}
    fields |= {f"{name}_shift": shift for name, (_, shift) in pairs.items()}
    fields |= {"first_zero": first.zero_point, "second_zero": second.zero_point, "output_zero": output.zero_point}
    fields["low"], fields["high"] = activation_range(
        int(operator.options.fusedActivationFunction), output.scale, output.zero_point
    )
    constants = source.constants("vskd_sum", f"sum_{operator.position}", fields)
    kernel = "vskd_add" if operator.name == "ADD" else "vskd_sub"
    return [f"{kernel}({broadcast_constants(operator, source)}, {constants}, {places(operator, source)});"]


ADD = OperatorKind(emit, shares_input)
