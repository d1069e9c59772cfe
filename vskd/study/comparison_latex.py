"""A comparison as a LaTeX table (packages booktabs, and nothing else)."""

from vskd.evaluation.report import formatting
from vskd.study.comparison_schema import Comparison, Row

_SPECIAL = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"} | {
    c: f"\\{c}" for c in "&%$#_{}"
}


def to_latex(comparison: Comparison) -> str:
    """The rows with accuracy, intervals and tests; hashes, seeds and notes stand below as comments."""
    header = [
        "recipe",
        "model",
        *(["labels"] if comparison.says_labels else []),
        "accuracy",
        "95 % subjects",
        "macro F1",
    ]
    header += ["vs baseline", "95 % subjects", "permutation $p$", "parameters", "size"]
    body = [" & ".join(_cells(comparison, row)) + r" \\" for row in comparison.rows]
    lines = [
        rf"\begin{{tabular}}{{{'l' * (3 if comparison.says_labels else 2)}{'r' * 8}}}",
        r"\toprule",
        " & ".join(name if "$" in name else escaped(name) for name in header) + r" \\",
        r"\midrule",
        *body,
        r"\bottomrule",
        r"\end{tabular}",
        f"% {comparison.dataset}, protocol {comparison.protocol}, hash {comparison.protocol_hash}, n = {comparison.n}",
        *(f"% {note}" for note in comparison.notes),
    ]
    return "\n".join(lines) + "\n"


def escaped(text: str) -> str:
    """Text whose signs LaTeX takes for itself are written out; dashes and plus-minus are LaTeX's own."""
    plain = "".join(_SPECIAL.get(sign, sign) for sign in text)
    return plain.replace("±", r"$\pm$").replace("–", "--").replace(formatting.NBSP, "~")


def _cells(comparison: Comparison, row: Row) -> list[str]:
    versus = row.versus_baseline
    return [
        escaped(cell)
        for cell in (
            row.recipe + (" (baseline)" if row.is_baseline else ""),
            row.kind,
            *([row.labels] if comparison.says_labels else []),
            formatting.percent_spread(row.accuracy.mean, row.accuracy.std),
            formatting.percent_interval(row.accuracy.intervals.subjects),
            formatting.percent_spread(row.macro_f1.mean, row.macro_f1.std),
            formatting.points(versus.difference) if versus else "–",
            formatting.points_interval(versus.subjects) if versus else "–",
            f"{versus.permutation:.3f}" if versus and versus.permutation is not None else "–",
            f"{row.parameters:,}" if row.parameters else "–",
            formatting.size(row.model_bytes) if row.model_bytes else "–",
        )
    ]
