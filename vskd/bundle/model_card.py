"""The model card of a bundle: what it is, what it needs and how well it does, for people."""

import re
from pathlib import Path
from typing import Any

from vskd.bundle.contract import Manifest

_SIGNS = re.compile(
    r"[\\`*<>\[\]|$~]|&(?=#?\w+;)|(?<![^\W_])_|_(?![^\W_])"  # code, emphasis, HTML, links, tables, formulas
    r"|^[-+#](?=[\s#])|(?<=^\d)[.)](?=\s)"  # lists and headings
)
"""What Markdown would take for its own; a `_` between letters and digits is none."""
TEMPLATE = Path(__file__).parent / "templates" / "MODEL_CARD.md"


def render_model_card(manifest: Manifest, model_bytes: int, float_model_bytes: int) -> str:
    """Markdown text made from the manifest alone, so that the card cannot say anything else.

    Args:
        manifest: of the bundle; its `files` are not needed.
        model_bytes, float_model_bytes: sizes of the two models.
    """
    from jinja2 import Environment, StrictUndefined

    environment = Environment(
        undefined=StrictUndefined, autoescape=False, finalize=_literal, trim_blocks=True, lstrip_blocks=True
    )
    template = environment.from_string(TEMPLATE.read_text(encoding="utf-8"))
    drop = 100 * (manifest.accuracy.float32 - manifest.accuracy.int8)
    text: str = template.render(
        m=manifest,
        p=manifest.provenance,
        c=manifest.contract,
        q=manifest.quantization,
        a=manifest.accuracy,
        drop=drop,
        kib=model_bytes / 1024,
        float_kib=float_model_bytes / 1024,
    )
    return text.rstrip("\n") + "\n"


def _literal(value: Any) -> Any:
    r"""A text of the manifest so that Markdown shows it as it is.

    >>> print(_literal("swipe_left & _hold_ <b>"))
    swipe_left & \_hold\_ \<b\>
    """
    return _SIGNS.sub(r"\\\g<0>", value) if isinstance(value, str) else value
