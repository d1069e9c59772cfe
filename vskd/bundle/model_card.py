"""The model card of a bundle: what it is, what it needs and how well it does, for people."""

from pathlib import Path

from vskd.bundle.contract import Manifest

TEMPLATE = Path(__file__).parent / "templates" / "MODEL_CARD.md"


def render_model_card(manifest: Manifest, model_bytes: int, float_model_bytes: int) -> str:
    """Markdown text made from the manifest alone, so that the card cannot say anything else.

    Args:
        manifest: of the bundle; its `files` are not needed.
        model_bytes, float_model_bytes: sizes of the two models.
    """
    from jinja2 import Environment, StrictUndefined

    # Markdown, not HTML: escaping would change names such as "swipe & hold".
    environment = Environment(undefined=StrictUndefined, autoescape=False, trim_blocks=True, lstrip_blocks=True)
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
