"""The canon: the stream in Python around LiteRT's reference kernels."""

import numpy as np

from vskd.bundle.runtime import LiteRTModel
from vskd.firmware_bridge.graph import Graph
from vskd.firmware_bridge.stream import Stream
from vskd.firmware_bridge.stream_plan import StreamPlan


def reference_stream(graph: Graph, plan: StreamPlan) -> Stream:
    """A stream of the model, ready for samples.

    Args:
        graph: the model, as it was read.
        plan: of its bundle's contract.
    """
    model = LiteRTModel(graph.content, reference_kernels=True)
    return Stream(
        plan, graph.input.scale, graph.input.zero_point, lambda x: model.raw(x[np.newaxis])[0].astype(np.int8)
    )
