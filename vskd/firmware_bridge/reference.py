"""The canon: the stream in Python around LiteRT's reference kernels."""

import numpy as np
import numpy.typing as npt

from vskd.bundle.runtime import LiteRTModel
from vskd.bundle.stream.stream import Stream
from vskd.bundle.stream.stream_plan import StreamPlan
from vskd.firmware_bridge.graph import Graph

Int8 = npt.NDArray[np.int8]


def reference_stream(graph: Graph, plan: StreamPlan) -> Stream:
    """A stream of the model, ready for samples.

    Args:
        graph: the model, as it was read.
        plan: of its bundle's contract.
    """
    model = LiteRTModel(graph.content, reference_kernels=True)

    def answer(x: Int8) -> Int8:
        (logits,) = model.raw(x[np.newaxis])
        return np.asarray(logits, dtype=np.int8)

    return Stream(plan, graph.input.scale, graph.input.zero_point, answer)
