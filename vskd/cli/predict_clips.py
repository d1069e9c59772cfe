"""What `vskd predict` says of a video that is a clip, or several pieces."""

from pathlib import Path
from typing import TYPE_CHECKING

from vskd.cli.output import print_fields, print_json, print_probabilities, print_table

if TYPE_CHECKING:
    from vskd.bundle.predict_clips import TimedPrediction


def show_clip(bundle: Path, path: Path, piece: float | None, as_json: bool) -> None:
    """Predict and print; `piece` is the length of a piece in seconds."""
    from vskd.bundle.predict_clips import predict_clip

    print_clip(predict_clip(bundle, path, piece_s=piece), as_json)


def print_clip(timed: "TimedPrediction", as_json: bool) -> None:
    """The answer for the whole video, and one line for each piece where there are several."""
    answer = timed.answer
    rows = [
        {"start_s": round(start, 3), "label": label, "probability": float(row.max())}
        for start, label, row in zip(timed.starts_s, answer.labels, answer.per_window, strict=True)
    ]
    if as_json:
        content = {"label": answer.label, "probabilities": answer.probabilities, "latency_ms": answer.latency_ms}
        print_json({**content, "pieces": rows})
        return
    print_fields([("label", answer.label), ("latency", f"{answer.latency_ms:.2f} ms a clip")])
    print_probabilities(answer.probabilities)
    if len(rows) > 1:
        print_table(
            ("start (s)", "label", "probability"), [(r["start_s"], r["label"], f"{r['probability']:.3f}") for r in rows]
        )
