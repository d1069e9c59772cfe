"""Move weights from behind the flatbuffer into it.

The quantizer stores large models with their weights after the flatbuffer, addressed by offset and size. LiteRT reads
that; TFLite Micro does not, and answers at chance without any error. The rewritten file holds every byte inside and
aligned to 16 bytes, as the schema asks (`force_align: 16`), so that a microcontroller can read it in place.
"""

from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

from vskd.bundle.runtime import LiteRTModel
from vskd.errors import BundleError
from vskd.export.convert.structure import external_buffers, read_flatbuffer

_IDENTIFIER = b"TFL3"
_ALIGNMENT = 16


class _AlignedBuffer(schema.BufferT):
    """A buffer whose data are packed at 16-byte boundaries; the generated class aligns to single bytes."""

    def Pack(self, builder: Any) -> Any:  # noqa: N802 - the generated code's name
        """Write data and table, and return the table's offset."""
        vector = None
        if self.data is not None and len(self.data):
            payload = bytes(self.data)
            builder.StartVector(1, len(payload), _ALIGNMENT)
            builder.head -= len(payload)
            builder.Bytes[builder.head : builder.head + len(payload)] = payload
            vector = builder.EndVector()
        schema.BufferStart(builder)
        if vector is not None:
            schema.BufferAddData(builder, vector)
        return schema.BufferEnd(builder)


def inline_weights(content: bytes) -> bytes:
    """Rewrite a LiteRT model with all its data inside the flatbuffer; the model computes exactly the same.

    Args:
        content: a LiteRT model, with weights inside or outside.

    Raises:
        BundleError: a buffer points outside the file, or the rewritten model answers differently.
    """
    model = read_flatbuffer(content)
    outside = frozenset(external_buffers(content))
    aligned = []
    for index, buffer in enumerate(model.buffers):
        data = buffer.data
        if index in outside:
            end = buffer.offset + buffer.size
            if end > len(content):
                raise BundleError(f"The model's buffer {index} ends at byte {end} of {len(content)}", "Export it again")
            data = np.frombuffer(content, np.uint8, buffer.size, buffer.offset)
        aligned.append(_AlignedBuffer(data=data))
    model.buffers = aligned
    builder = flatbuffers.Builder(len(content))
    builder.Finish(model.Pack(builder), file_identifier=_IDENTIFIER)
    rewritten = bytes(builder.Output())
    _check_same(content, rewritten)
    return rewritten


def _check_same(before: bytes, after: bytes) -> None:
    """Refuse a rewritten model that answers anything else on random inputs of the full range."""
    if external_buffers(after):
        raise BundleError(
            "The rewritten model still has weights outside the flatbuffer", "Report this as a defect of vskd"
        )
    old, new = LiteRTModel(before), LiteRTModel(after)
    generator = np.random.default_rng(0)
    for _ in range(3):
        if old.input_type == "int8":
            x = generator.integers(-128, 128, old.input_shape).astype(np.int8)
        else:
            x = generator.standard_normal(old.input_shape).astype(np.float32)
        if not np.array_equal(old.raw(x), new.raw(x)):
            raise BundleError(
                "Moving the weights into the flatbuffer changed the model's answers", "Report this as a defect of vskd"
            )
