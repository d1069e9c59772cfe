"""The operators that the firmware has. One file each; one it lacks is refused when the code is generated."""

from collections.abc import Mapping

from vskd.errors import BundleError, first_few
from vskd.firmware_bridge.graph import Graph
from vskd.firmware_bridge.operators.add import ADD
from vskd.firmware_bridge.operators.base import OperatorKind
from vskd.firmware_bridge.operators.concatenation import CONCATENATION
from vskd.firmware_bridge.operators.convolution import CONVOLUTION
from vskd.firmware_bridge.operators.depthwise import DEPTHWISE
from vskd.firmware_bridge.operators.fully_connected import FULLY_CONNECTED
from vskd.firmware_bridge.operators.max_pool import MAX_POOL
from vskd.firmware_bridge.operators.mean import MEAN
from vskd.firmware_bridge.operators.multiply import MULTIPLY
from vskd.firmware_bridge.operators.pad import PAD
from vskd.firmware_bridge.operators.reshape import RESHAPE
from vskd.firmware_bridge.operators.transpose import TRANSPOSE

OPERATORS: Mapping[str, OperatorKind] = {
    "ADD": ADD,
    "CONCATENATION": CONCATENATION,
    "CONV_2D": CONVOLUTION,
    "DEPTHWISE_CONV_2D": DEPTHWISE,
    "FULLY_CONNECTED": FULLY_CONNECTED,
    "MAX_POOL_2D": MAX_POOL,
    "MEAN": MEAN,
    "MUL": MULTIPLY,
    "PAD": PAD,
    "PADV2": PAD,
    "RESHAPE": RESHAPE,
    "SUB": ADD,
    "TRANSPOSE": TRANSPOSE,
}


def check_operators(graph: Graph) -> None:
    """Refuse a model with operators that are not in the catalog.

    Raises:
        BundleError: names all of them.
    """
    missing = sorted({operator.name for operator in graph.operators} - set(OPERATORS))
    if missing:
        raise BundleError(
            f"The firmware has no operator {first_few(missing, 5, ', ')}",
            f"Export with int8 ends and the encoding outside; it has: {', '.join(OPERATORS)}",
        )
