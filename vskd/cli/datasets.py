"""`vskd datasets`: what there is to learn from."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from vskd.cli.datasets_import import import_command
from vskd.cli.datasets_sync import sync_command
from vskd.cli.options import FOLDER, VskdGroup, data_set_arguments, json_option
from vskd.cli.output import print_fields, print_json, print_table
from vskd.errors import rounded

SHOWN_ALIKE = 20
"""Problems of one kind in the same words that a table shows."""


@click.group(
    cls=VskdGroup,
    examples=(
        "vskd datasets list",
        "vskd datasets info utd-mhad",
        "vskd datasets index utd-mhad --data UTD-MHAD --json",
        "vskd datasets signals utd-mhad --data UTD-MHAD --stream accelerometer",
        "vskd datasets audit driver-inattention --data IMAGES --protocol official",
        "vskd datasets import FOLDER --out DATASET",
        "vskd datasets sync utd-mhad --data UTD-MHAD --video-rate 19.6 --median subject",
        "vskd datasets make-synthetic --out WORLD",
    ),
)
def datasets() -> None:
    """List, describe, index and audit data sets."""


@datasets.command("list", examples=("vskd datasets list", "vskd datasets list --json"))
@json_option
def list_command(as_json: bool) -> None:
    """List the data sets that vskd reads."""
    from vskd.datasets.catalog import DATASETS

    rows = [(name, entry.description) for name, entry in sorted(DATASETS.items())]
    if as_json:
        print_json([{"name": name, "description": description} for name, description in rows])
    else:
        print_table(("data set", "description"), rows)


@datasets.command("info", examples=("vskd datasets info utd-mhad", "vskd datasets info synthetic --json"))
@click.argument("name")
@json_option
def info(name: str, as_json: bool) -> None:
    """Describe data set NAME: streams, classes, protocols, terms, and how to get it."""
    from vskd.datasets.catalog import get_dataset

    entry = get_dataset(name)
    names = ("name", "title", "description", "streams", "protocols", "labels", "url", "licence", "citation", "obtain")
    fields = {field: getattr(entry, field) for field in names}
    if as_json:
        print_json(fields)
        return
    lines = [(field, ", ".join(value) if isinstance(value, tuple) else value) for field, value in fields.items()]
    print_fields([(field, value) for field, value in lines if value])


def _rates(rates: Sequence[float]) -> str:
    """Those of a stream; the clips of a phone have hardly two alike."""
    if len(rates) > 4:
        return f"{min(rates):g} to {max(rates):g}"
    return ", ".join(f"{rate:g}" for rate in rates) or "-"


def _print_summary(summary: Mapping[str, Any]) -> None:
    """An index for people: counts, streams, then every problem by name."""
    print_fields(
        [
            ("data set", summary["dataset"]),
            ("folder", summary["root"]),
            ("recordings", summary["recordings"]),
            *([("without a label", summary["unlabelled"])] if summary["unlabelled"] else []),
            ("subjects", _people(summary["subjects"])),
            ("classes", summary["classes"]),
        ]
    )
    click.echo()
    streams = [
        (name, s["recordings"], _rates([rate for rate in s["rate_hz"] if rate]), ", ".join(s["unit"]))
        for name, s in summary["streams"].items()
    ]
    print_table(("stream", "recordings", "rate (Hz)", "unit"), streams)
    click.echo()
    problems = summary["problems"]
    if not problems:
        click.echo("no problems found")
        return
    counts = ", ".join(f"{count} {kind}" for kind, count in summary["problem_counts"].items())
    click.echo(f"problems: {counts}")
    shown = _few_of_each(problems)
    print_table(
        ("kind", "recording", "detail", "file"), [(p["kind"], p["recording"], p["detail"], p["path"]) for p in shown]
    )
    if len(shown) < len(problems):
        click.echo(f"and {len(problems) - len(shown)} more of the same kinds (all of them: --json)")


def _people(subjects: Sequence[str]) -> str:
    """How many and who; of recordings of which nobody says whose they are, that."""
    from vskd.datasets.splits.split import UNKNOWN

    return f"{len(subjects)} ({', '.join(subjects)})" if list(subjects) != [UNKNOWN] else "not known"


def _few_of_each(problems: Sequence[Mapping[str, str]]) -> list[Mapping[str, str]]:
    """The problems, and of many that are alike the first few."""
    alike: Counter[tuple[str, str]] = Counter()
    shown = []
    for problem in problems:
        key = problem["kind"], problem["detail"]
        alike[key] += 1
        if alike[key] <= SHOWN_ALIKE:
            shown.append(problem)
    return shown


@datasets.command(
    "index",
    examples=("vskd datasets index utd-mhad --data UTD-MHAD", "vskd datasets index DATASET --json"),
)
@data_set_arguments
@json_option
def index_command(name: str, data: Path | None, as_json: bool) -> None:
    """List the recordings of data set NAME in a folder: subjects, classes, streams, and what is wrong, each named.

    Names, file headers and the first rows of sensor files are read; `vskd doctor` reads all of them. Problems (missing,
    corrupt, duplicate, unpaired, unknown) do not stop the command: training leaves such recordings out and says so.
    """
    from vskd.datasets.catalog import entry_and_root
    from vskd.datasets.sensor_heads import with_heads_checked
    from vskd.datasets.summary import index_summary

    entry, root = entry_and_root(name, data)
    summary = index_summary(with_heads_checked(entry.index(root)))
    print_json(summary) if as_json else _print_summary(summary)


def _print_signals(summary: Mapping[str, Any]) -> None:
    """One stream for people: figures, then the noteworthy recordings."""

    def spread(key: str, unit: str) -> str:
        found = summary[key]
        return (
            f"{rounded(found['median'])} {unit} ({rounded(found['min'])} to {rounded(found['max'])})" if found else "-"
        )

    print_fields(
        [
            ("stream", summary["stream"]),
            ("recordings", summary["recordings"]),
            ("rate", spread("rate_hz", "Hz")),
            ("length", spread("seconds", "s")),
            ("at rest", spread("at_rest", summary["unit"])),
            *(
                [("jitter", spread("jitter_ms", "ms")), ("drift", spread("drift_ms", "ms"))]
                if summary["jitter_ms"]
                else []
            ),
            ("stamps back, repeated", f"{summary['backward']}, {summary['repeated']}"),
            ("with gaps", f"{summary['with_gaps']}, the longest {rounded(summary['longest_gap_s'], 2)} s"),
            ("saturated", summary["saturated"]),
            ("glitches", summary["glitches"]),
            ("without 1 g at rest", summary["without_1_g"]),
            ("unreadable", summary["unreadable"]),
        ]
    )
    if summary["noteworthy"]:
        click.echo()
        print_table(("recording", "what to know of it"), list(summary["noteworthy"].items()))


@datasets.command(
    "signals",
    examples=(
        "vskd datasets signals utd-mhad --data UTD-MHAD --stream accelerometer",
        "vskd datasets signals berkeley-mhad --data BERKELEY --stream accelerometer-right-wrist --json",
    ),
)
@data_set_arguments
@click.option("--stream", required=True, metavar="STREAM", help="Stream of a sensor.")
@json_option
def signals_command(name: str, data: Path | None, stream: str, as_json: bool) -> None:
    """Read one sensor STREAM of data set NAME: rate, gaps, saturation, glitches and gravity of every recording.

    Nothing is changed by it: what is found is named, so that it can be mended or left out.
    """
    from vskd.datasets.catalog import entry_and_root
    from vskd.datasets.signal_report import report_signals

    entry, root = entry_and_root(name, data)
    summary = report_signals(entry.index(root), stream).summary()
    print_json(summary) if as_json else _print_signals(summary)


def _percent(fraction: float) -> str:
    return f"{100 * fraction:.2f} %"


def _named(values: Sequence[str]) -> str:
    """How many, and the first few by name."""
    return f"{len(values)} ({', '.join(values[:5])}{', ...' if len(values) > 5 else ''})" if values else "0"


def _print_fold(fold: Mapping[str, Any]) -> None:
    """What one fold's parts share."""
    near, same = fold["nearest_frame"], fold["same_content"]
    videos = f"{_named(fold['shared_clips'])} of {fold['clips']}"
    fields: list[tuple[str, object]] = [
        ("protocol", f"{fold['protocol']} ({fold['protocol_hash'][:12]})"),
        *([("fold", fold["fold"])] if fold["fold"] else []),
        ("recordings", ", ".join(f"{name} {count}" for name, count in fold["sizes"].items() if count)),
        ("subjects of the test part that train, too", f"{_named(fold['shared_subjects'])} of {fold['subjects']}"),
        *([("source videos of the test part that train, too", videos)] if fold["clips"] else []),
        ("test files with the content of a training file", "not compared" if same is None else _named(_pairs(same))),
    ]
    if fold["overlapping"]:
        overlapping = _named([" and ".join(pair) for pair in fold["overlapping"]])
        fields.append(("parts of files that overlap across training and test", overlapping))
    if "near_copies" in fold:
        fields.append(("test recordings nearly equal to a training one", _named(_pairs(fold["near_copies"]))))
    if "same_clip" in fold:
        fields.append(("test clips that look the same as a training clip", _named(_pairs(fold["same_clip"]))))
        fields.append(("groups of the test part that train, too", _named(fold["shared_groups"])))
    if fold["unknown_subjects"]:
        fields.append(("test recordings of unknown subject", fold["unknown_subjects"]))
    if near:
        fields += [
            ("test frames with a training frame beside them", _percent(near["within_1"])),
            ("... at most two frames away", _percent(near["within_2"])),
        ]
    fields += [("unreadable", f"{name}: {problem}") for name, problem in fold["unreadable"].items()]
    print_fields([*fields, *(("note", note) for note in fold["notes"])])


def _pairs(same: Sequence[Sequence[str]]) -> list[str]:
    return [" = ".join(pair) for pair in same]


def _print_audit(summary: Mapping[str, Any]) -> None:
    """An audit for people: each fold, then every baseline."""
    print_fields([("data set", summary["dataset"]), ("folder", summary["root"])])
    rows: list[tuple[str, ...]] = []
    for fold in summary["folds"]:
        click.echo()
        _print_fold(fold)
        rows += [_baseline(name, fold["fold"] or "", scores) for name, scores in fold["baselines"].items()]
    if len(summary["folds"]) > 1:
        rows += [_baseline(name, "all", scores) for name, scores in summary["pooled"].items()]
    if rows:
        click.echo()
        print_table(("without learning", "fold", "accuracy", "macro F1", "macro recall"), rows)
    for group in summary["same_content_two_classes"]:
        click.echo(f"the same file in different classes: {', '.join(group)}")
    if summary.get("near_copies"):
        click.echo(f"nearly the same samples under two names: {_named(_pairs(summary['near_copies']))}")
    if "clips" in summary:
        _print_clips(summary)


def _print_clips(summary: Mapping[str, Any]) -> None:
    """Copies across groups and classes, and the random division as a warning."""
    clips, division = summary["clips"], summary["clips"]["random_division"]
    for clip in clips["same_clip"]:
        where = [f"{len(clip[of])} {of}" for of in ("groups", "labels") if len(clip[of]) > 1]
        how = "the same bytes" if clip["same_bytes"] else "the same pictures"
        click.echo(f"one clip in {' and '.join(where) or 'one group'} ({how}): {' = '.join(clip['ids'])}")
    if clips["alike_within_a_group"]:
        click.echo(f"clips that look like another one of their own group: {clips['alike_within_a_group']}")
    shared = [fold[what] for fold in summary["folds"] for what in ("shared_groups", "same_content", "same_clip")]
    if not clips["same_clip"] and not any(shared):
        click.echo("nothing is shared: no group is on both sides, and no clip is in two groups")
    if division is not None:
        _print_division(division, summary["pooled"])


def _print_division(division: Mapping[str, Any], pooled: Mapping[str, Mapping[str, float]]) -> None:
    """What published code would have measured, beside what the protocol measures."""
    from vskd.datasets.splits.fold_audit import NEAREST_PIXELS

    here = f", under this protocol {_percent(pooled[NEAREST_PIXELS]['accuracy'])}" if NEAREST_PIXELS in pooled else ""
    known = division["groups_in_training"]
    groups = (
        "nobody knows their groups"
        if known is None
        else f"{_percent(known)} of them have clips of their group in training"
    )
    click.echo(
        f"warning: divided at random 80/20, as published code does, the nearest clip is right on "
        f"{_percent(division['accuracy'])} of the test clips{here}; {groups}"
    )


def _baseline(name: str, fold: str, scores: Mapping[str, float]) -> tuple[str, ...]:
    return name, fold, *(_percent(scores[figure]) for figure in ("accuracy", "macro_f1", "macro_recall"))


@datasets.command(
    "audit",
    examples=(
        "vskd datasets audit driver-inattention --data IMAGES --protocol official",
        "vskd datasets audit driver-inattention --data IMAGES --protocol subject-folds --fold 1-6 --json",
        "vskd datasets audit utd-mhad --data UTD-MHAD --protocol cross-subject --stream depth",
        "vskd datasets audit ucf101 --data UCF101 --protocol official-1 --cache CACHE",
    ),
)
@data_set_arguments
@click.option("--protocol", required=True, metavar="NAME|FILE", help="Protocol of the data set, or a YAML file.")
@click.option("--fold", metavar="FOLD", help="One fold of a protocol that has folds; by default all of them.")
@click.option("--stream", metavar="STREAM", help="Stream to look at.  [default: image, or else the first by name]")
@click.option("--cache", type=FOLDER, help="Keep tiny pictures of clips here, so that the next audit decodes nothing.")
@json_option
def audit_command(
    name: str,
    data: Path | None,
    protocol: str,
    fold: str | None,
    stream: str | None,
    cache: Path | None,
    as_json: bool,
) -> None:
    """Measure how much the test part of a protocol on data set NAME leaks into its training part.

    Shared subjects and source videos, files of equal content, distances in time, and what copying would score: the most
    frequent class, the label of the nearest training frame, and that of the training image whose 32 x 18 grey pixels
    are nearest. A network has to beat these. Of clips, 8 such pictures of each are compared: copies are found, encoded
    anew or not, and the random division of published code is measured as a warning. Of sensors, copies
    are found that were cut, shifted or rounded, or have a little noise, and what else needs no pictures is measured.
    """
    from vskd.datasets.catalog import entry_and_root
    from vskd.datasets.splits.protocol import load_protocol
    from vskd.datasets.splits.protocol_audit import audit_protocol, audit_summary

    entry, root = entry_and_root(name, data)
    rule = load_protocol(entry.name, protocol)
    audited = audit_protocol(
        entry.index(root), rule, fold=fold, label_swap=entry.label_swap, stream=stream, cache=cache
    )
    summary = audit_summary(audited)
    print_json(summary) if as_json else _print_audit(summary)


@datasets.command(
    "make-synthetic",
    examples=("vskd datasets make-synthetic --out WORLD", "vskd datasets make-synthetic --subjects 4 --out WORLD"),
)
@click.option("--out", type=FOLDER, required=True, help="Folder to fill; an unfinished one is completed.")
@click.option("--subjects", type=click.IntRange(1), metavar="N", default=8, show_default=True, help="Number of people.")
@click.option("--actions", type=click.IntRange(1), metavar="N", default=8, show_default=True, help="Number of classes.")
@click.option(
    "--trials", type=click.IntRange(1), metavar="N", default=4, show_default=True, help="Trials of each action."
)
@click.option(
    "--seed", type=click.IntRange(0), metavar="N", default=0, show_default=True, help="Same seed, same bytes."
)
@click.option("--skeletons", is_flag=True, help="Write the joints that a depth camera's tracker would see, too.")
@json_option
def make_synthetic(
    out: Path, subjects: int, actions: int, trials: int, seed: int, skeletons: bool, as_json: bool
) -> None:
    """Write a synthetic world: wrist sensor and video of simulated people, in the layout of UTD-MHAD."""
    from vskd.datasets.synthetic.write import write_world

    written = write_world(out, subjects=subjects, actions=actions, trials=trials, seed=seed, skeletons=skeletons)
    total = subjects * actions * trials
    if as_json:
        print_json({"out": out, "recordings": total, "written": written})
    else:
        click.echo(f"{out}: {total} recordings, {written} of them written now")


datasets.add_command(import_command)
datasets.add_command(sync_command)
