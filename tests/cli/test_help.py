"""Help pages: complete, fast to show, and every command line shown anywhere is one that the program takes."""

import importlib
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from vskd.cli.main import CATALOG, cli, run
from vskd.cli.options import VskdCommand, VskdGroup

ROOT = Path(__file__).parents[2]
HEAVY = ("torch", "numpy", "h5py", "yaml", "pydantic", "rich", "pandas", "lightning", "av")


def all_commands() -> list[tuple[str, click.Command]]:
    found: list[tuple[str, click.Command]] = [("vskd", cli)]
    for name, entry in CATALOG.items():
        command = getattr(importlib.import_module(entry.module), entry.attribute)
        found.append((f"vskd {name}", command))
        if isinstance(command, click.Group):
            found += [(f"vskd {name} {sub}", c) for sub, c in command.commands.items()]
    return found


COMMANDS = all_commands()
NAMES = [name for name, _ in COMMANDS]


def modules_after(*words: str) -> set[str]:
    """Modules in a fresh interpreter after `vskd WORDS`."""
    call = f"import sys; from vskd.cli.main import run; run({list(words)!r})"
    code = f"{call}; print('|'.join(sys.modules), file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    return set(done.stderr.strip().splitlines()[-1].split("|"))


def loaded_after(*words: str) -> set[str]:
    """Top-level modules in a fresh interpreter after `vskd WORDS`."""
    return {name.split(".")[0] for name in modules_after(*words)}


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["distill", "--help"], ["predict", "--help"]])
def test_help_loads_nothing_heavy(words: list[str]) -> None:
    assert loaded_after(*words).isdisjoint(HEAVY)


def test_help_of_the_program_loads_no_command() -> None:
    assert modules_after("--help").isdisjoint(entry.module for entry in CATALOG.values())


@pytest.mark.parametrize(("name", "command"), COMMANDS, ids=NAMES)
def test_every_command_explains_itself_with_examples(name: str, command: click.Command) -> None:
    assert isinstance(command, VskdCommand | VskdGroup)
    assert command.examples, f"{name} has no examples"
    assert any(example.startswith(name) for example in command.examples)
    text = command.get_help(click.Context(command, info_name=name))
    assert "Examples:" in text
    assert all(f"  {example}\n" in text + "\n" for example in command.examples)  # never wrapped: it must be copyable
    assert command.help
    for option in command.params:
        if isinstance(option, click.Option):
            assert option.help, f"{name} {option.opts[0]} has no help"


@pytest.mark.parametrize(("name", "command"), COMMANDS, ids=NAMES)
def test_a_group_lists_its_commands_as_they_are_written_with_uncut_sentences(name: str, command: click.Command) -> None:
    if not isinstance(command, click.Group) or command is cli:
        return
    text = command.get_help(click.Context(command, info_name=name))
    assert "..." not in text.split("Commands:")[1].split("Examples:")[0]
    listed = re.findall(r"^  (\S+)  ", text.split("Commands:")[1].split("Examples:")[0], flags=re.MULTILINE)
    assert listed == list(command.commands)


@pytest.mark.parametrize(("name", "command"), COMMANDS, ids=NAMES)
def test_no_help_page_speaks_of_types_of_the_program(name: str, command: click.Command) -> None:
    text = command.get_help(click.Context(command, info_name=name))
    assert not re.search(r"\b(INTEGER|FLOAT|TEXT|RANGE)\b", text)


def test_the_help_page_lists_the_whole_catalog(vskd) -> None:
    answer = vskd("--help")
    assert answer.code == 0
    assert answer.err == ""
    for name, entry in CATALOG.items():
        assert f"  {name} " in answer.out
        assert entry.help in answer.out


def test_every_file_of_the_command_line_is_in_the_catalog() -> None:
    files = {p.stem for p in (ROOT / "vskd" / "cli").glob("*.py")}
    assert files - {
        "__init__",
        "__main__",
        "common_warnings",
        "datasets_import",
        "datasets_sync",
        "entry",
        "exits",
        "main",
        "options",
        "output",
        "predict_clips",
        "predict_images",
        "predict_recording",
        "predict_stream",
        "predict_timeline",
        "reading",
    } == set(CATALOG)


def command_lines(page: str) -> Iterator[str]:
    """The `vskd ...` lines inside the fenced blocks of a markdown page, continuation lines joined."""
    for block in re.findall(r"```[a-z]*\n(.*?)```", page, flags=re.DOTALL):
        for line in block.replace("\\\n", " ").splitlines():
            if line.strip().removeprefix("$ ").startswith("vskd "):
                yield line.strip().removeprefix("$ ")


PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    *sorted((ROOT / "docs").glob("**/*.md")),
    *sorted((ROOT / "results").glob("**/*.md")),
]
SHOWN = [(name, example) for name, command in COMMANDS for example in command.examples] + [
    (page.name, line) for page in PAGES for line in command_lines(page.read_text(encoding="utf-8"))
]


@pytest.mark.parametrize(("place", "line"), SHOWN, ids=[f"{place}: {line}" for place, line in SHOWN])
def test_every_command_line_we_show_is_accepted(place: str, line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Parsed by the real parser, with the work itself left out."""
    called: list[str] = []
    monkeypatch.setattr(VskdCommand, "invoke", lambda self, ctx: called.append(ctx.command_path))
    words = shlex.split(line.split(" > ")[0].split(" | ")[0].split("  #")[0])
    assert words[0] == "vskd"
    assert run(words[1:]) == 0, f"{place} shows a command that is refused: {line}"
    assert len(called) == 1
    assert line.startswith(called[0])


def test_the_reader_of_pages_finds_command_lines() -> None:
    page = "text\n```sh\n$ vskd teach --out A \\\n    --seed 1\nmake demo\n```\nvskd not this\n```\nvskd demo\n```\n"
    assert [shlex.split(line) for line in command_lines(page)] == [
        ["vskd", "teach", "--out", "A", "--seed", "1"],
        ["vskd", "demo"],
    ]


DATA = {"name", "data"}
NEEDED = {
    "datasets audit": {"name", "protocol"},
    "datasets import": {"folder", "out"},
    "datasets index": {"name"},
    "datasets info": {"name"},
    "datasets make-synthetic": {"out"},
    "datasets signals": {"name", "stream"},
    "datasets sync": {"name"},
    "doctor": {"name"},
    "recipe show": {"name"},
    "recipe validate": {"name"},
    "preprocess frames": {*DATA, "out"},
    "preprocess gaf": {"windows_file", "out"},
    "preprocess pose": {*DATA, "model"},
    "preprocess windows": {*DATA, "out"},
    "weights import": {"source", "network", "out"},
    "teach": {"out"},
    "distill": {"out"},
    "evaluate": {"target"},
    "compare": {"recipes", "out"},
    "export": {"run", "out"},
    "forecast": {"student", "teachers"},
    "bundle personalise": {"path", "recordings", "out"},
    "bundle show": {"path"},
    "bundle sign": {"path", "key"},
    "bundle verify": {"path"},
    "firmware generate": {"bundle", "out"},
    "firmware image": {"bundle", "out", "key", "version", "slot_bytes"},
    "firmware page": {"bundle", "out"},
    "firmware test": {"bundle"},
    "serve": {"bundle"},
    "link record": {"out"},
    "link send": {"bundle"},
    "link simulate": {"bundle", "recording", "tcp"},
    "predict": {"bundle", "recording"},
}
"""Arguments and options without which a command is no command."""
DEFAULTS = {
    "demo": {"out": Path("demo")},
    "datasets make-synthetic": {"subjects": 8, "actions": 8, "trials": 4, "seed": 0},
    "datasets sync": {"max_offset": 10.0},
    "doctor": {"window_s": 0.0},
    "preprocess frames": {"stream": "depth", "max_bad_fraction": 0.02, "size": 224, "fit": "centre-crop"},
    "preprocess gaf": {"method": "gasf", "scaling": "minmax", "limit": 4.0, "size": 64, "engine": "torch"},
    "preprocess pose": {
        "stream": "rgb",
        "max_bad_fraction": 0.02,
        "person": "nearest",
        "max_empty": 0.5,
        "threads": 1,
    },
    "preprocess windows": {"stream": "accelerometer", "max_bad_fraction": 0.02, "mode": "whole", "length": 128},
    "weights import": {"layout": "imagenet"},
    "teach": {"number": 0},
    "distill": {"rounds": 1},
    "evaluate": {"split": "test"},
    "compare": {"seeds": (0, 1, 2), "workers": 1},
    "bundle personalise": {"strength": 0.05, "variable": ""},
    "bundle show": {"part": "cortex-m4-256k", "battery_mah": 100.0},
    "firmware generate": {"weights": "auto"},
    "link record": {"baud": 115_200},
    "link send": {"baud": 115_200},
    "predict": {"variable": ""},
    "serve": {"port": 8765},
}
"""What an option is where it is not given; all others are left out then."""
LIMITS = {
    "bundle personalise": {"strength": (0, None), "time_column": (0, None), "every": (1, None)},
    "bundle show": {"battery_mah": (0, None), "decisions_per_hour": (0, None)},
    "firmware image": {"slot_bytes": (1, None)},
    "datasets import": {"rate_hz": (0, None), "range_limit": (0, None)},
    "datasets sync": {"video_rate": (0, None), "max_offset": (0, None)},
    "doctor": {"window_s": (0, None)},
    "datasets make-synthetic": {"subjects": (1, None), "actions": (1, None), "trials": (1, None), "seed": (0, None)},
    "preprocess frames": {
        "size": (16, 1024),
        "height": (16, 1024),
        "width": (16, 1024),
        "sequence_length": (1, 256),
        "workers": (1, 64),
        "max_bad_fraction": (0, 1),
    },
    "preprocess gaf": {"size": (4, 1024)},
    "preprocess pose": {"max_bad_fraction": (0, 1), "max_empty": (0, 1), "threads": (1, None)},
    "preprocess windows": {"length": (8, None), "stride": (1, None), "max_bad_fraction": (0, 1)},
    "compare": {"workers": (1, None)},
    "teach": {"number": (0, None)},
    "distill": {"rounds": (1, None)},
    "serve": {"port": (0, 65535)},
    "link record": {"baud": (300, 4_000_000), "seconds": (0, None)},
    "link send": {"baud": (300, 4_000_000)},
    "predict": {
        "time_column": (0, None),
        "every": (1, None),
        "piece": (0, None),
        "votes": (1, 31),
        "mean_seconds": (0, None),
        "min_seconds": (0, None),
        "unknown_below": (0, 1),
    },
}
"""Least and greatest number of an option."""
SEVERAL = {
    "recipe show": {"assignments"},
    "recipe validate": {"assignments"},
    "teach": {"assignments"},
    "distill": {"assignments", "teacher_runs"},
    "forecast": {"teachers"},
    "compare": {"assignments", "curve", "recipes"},
    "export": {"assignments"},
}
"""What may be given several times."""


@pytest.mark.parametrize(("name", "command"), COMMANDS, ids=NAMES)
def test_what_a_command_needs_and_what_it_takes_where_nothing_is_said(name: str, command: click.Command) -> None:
    if isinstance(command, click.Group):
        return
    short = name.removeprefix("vskd ")
    assert {p.name for p in command.params if p.required} == NEEDED.get(short, set())
    taken = command.make_context(short, [], resilient_parsing=True).params
    said = {key: value for key, value in taken.items() if value is not None and value is not False and value != ()}
    assert said == DEFAULTS.get(short, {})
    ranges = {
        p.name: (p.type.min, p.type.max)
        for p in command.params
        if isinstance(p.type, click.IntRange | click.FloatRange)
    }
    ranges.pop("verbose", None)
    assert ranges == LIMITS.get(short, {})
    several = {p.name for p in command.params if getattr(p, "multiple", False) or p.nargs != 1}
    assert several == SEVERAL.get(short, set())


@pytest.mark.parametrize(("name", "command"), COMMANDS, ids=NAMES)
def test_what_is_taken_where_nothing_is_said_stands_in_the_help(name: str, command: click.Command) -> None:
    if isinstance(command, click.Group):
        return
    context = click.Context(command, info_name=name)
    for option in command.params:
        value = DEFAULTS.get(name.removeprefix("vskd "), {}).get(str(option.name))
        if isinstance(option, click.Option) and value not in (None, ""):
            record = option.get_help_record(context)
            assert record is not None and "default: " in record[1], f"{name} {option.opts[0]}: {record}"


FILES = {
    "bundle personalise": {"recordings"},
    "bundle sign": {"key"},
    "bundle verify": {"keys"},
    "datasets sync": {"html"},
    "doctor": {"html"},
    "export": {"layers"},
    "firmware generate": {"stream_settings", "keys"},
    "firmware image": {"out", "key", "keys"},
    "firmware page": {"stream_settings", "keys"},
    "firmware test": {"stream_settings"},
    "link record": {"out"},
    "link send": {"keys"},
    "link simulate": {"recording", "flash"},
    "predict": {"stream_settings", "keys"},
    "preprocess frames": {"out"},
    "preprocess gaf": {"windows_file", "contact_sheet", "out"},
    "preprocess windows": {"out"},
    "serve": {"stream_settings", "keys"},
    "weights import": {"source", "out"},
}
"""What is a file, never a folder."""
FOLDERS = {
    "bundle personalise": {"path", "out"},
    "bundle show": {"path"},
    "bundle sign": {"path"},
    "bundle verify": {"path"},
    "compare": {"out", "teachers"},
    "datasets audit": {"data", "cache"},
    "datasets import": {"folder", "out"},
    "datasets index": {"data"},
    "datasets make-synthetic": {"out"},
    "datasets signals": {"data"},
    "datasets sync": {"data", "png"},
    "demo": {"out", "data"},
    "distill": {"student_run", "teacher_runs", "out", "cache"},
    "doctor": {"data"},
    "evaluate": {"target", "data", "out"},
    "export": {"run", "out"},
    "firmware generate": {"bundle", "out"},
    "firmware image": {"bundle"},
    "firmware page": {"bundle", "out"},
    "firmware test": {"bundle"},
    "forecast": {"teachers", "student"},
    "link record": {"decide"},
    "link send": {"bundle"},
    "link simulate": {"bundle"},
    "predict": {"bundle"},
    "preprocess frames": {"data", "jpeg", "npy", "table"},
    "preprocess gaf": {"png"},
    "preprocess pose": {"data", "out"},
    "preprocess windows": {"data"},
    "serve": {"bundle"},
    "teach": {"out", "cache"},
}
"""What is a folder, never a file."""
EITHER = {
    **{key: {"data"} for key in ("compare", "distill", "recipe show", "recipe validate", "teach")},
    "predict": {"recording", "out", "plot"},
    "preprocess pose": {"model"},
}
"""What may be a file or a folder."""
CHOICES = {
    "bundle show": {"part": "cortex-m4-256k cortex-m33 cortex-m55 wear-os"},
    "datasets import": {
        "time_unit": "s ms us ns text samples",
        "separator": "tab semicolon bar comma space",
        "pair_videos": "name time none",
    },
    "evaluate": {"split": "test validation"},
    "export": {"input_type": "int8 float32", "output_type": "int8 float32"},
    "firmware generate": {"weights": "auto array in-place"},
    "predict": {"smoothing": "none median majority hysteresis hmm"},
    "preprocess frames": {
        "fit": "centre-crop squash foreground projections",
        "sampling": "spread reference",
        "check": "used full",
    },
    "preprocess gaf": {"method": "gasf gadf gasf+gadf", "scaling": "minmax fixed", "engine": "torch pyts"},
    "preprocess pose": {"person": "nearest largest"},
    "preprocess windows": {"mode": "whole sliding"},
    "weights import": {"layout": "imagenet krca c3d"},
}
"""The words of an option."""
FLAGS = {
    "compare": {"int8"},
    "datasets import": {"clip", "uncalibrated", "whole_files"},
    "datasets make-synthetic": {"skeletons"},
    "datasets sync": {"clear_only", "dry_run"},
    "predict": {"stream"},
    "serve": {"no_browser"},
}
"""What is on where it is said, beside --json and --debug."""
NUMBERS = {
    **{key: {"seed": int, "epochs": int} for key in ("distill", "recipe show", "recipe validate")},
    "teach": {"seed": int, "teacher_epochs": int},
    "bundle personalise": {"rate_hz": float},
    "compare": {"epochs": int},
    "datasets import": {"offset": float},
    "predict": {"rate_hz": float},
    "preprocess gaf": {"limit": float},
    "preprocess windows": {"rate_hz": float},
}
"""Numbers without limits."""
NO_JSON = {
    *("bundle sign", "demo", "firmware", "link simulate", "recipe validate", "serve", "weights import"),
}


@pytest.mark.parametrize(("name", "command"), COMMANDS, ids=NAMES)
def test_of_which_kind_each_option_is(name: str, command: click.Command) -> None:
    """A folder in the place of a file is refused before anything is done, and paths are paths, not text."""
    if isinstance(command, click.Group):
        return
    short = name.removeprefix("vskd ")
    paths = {p.name: p.type for p in command.params if isinstance(p.type, click.Path)}
    assert {kind.type for kind in paths.values()} <= {Path}
    assert {key for key, kind in paths.items() if not kind.dir_okay} == FILES.get(short, set())
    assert {key for key, kind in paths.items() if not kind.file_okay} == FOLDERS.get(short, set())
    assert {key for key, kind in paths.items() if kind.file_okay and kind.dir_okay} == EITHER.get(short, set())
    words = {p.name: " ".join(p.type.choices) for p in command.params if isinstance(p.type, click.Choice)}
    assert words == CHOICES.get(short, {})
    flags = {p.name for p in command.params if isinstance(p, click.Option) and p.is_flag}
    assert flags == FLAGS.get(short, set()) | {"debug"} | (set() if short in NO_JSON else {"as_json"})
    kinds = {click.INT: int, click.FLOAT: float}
    assert {p.name: kinds[p.type] for p in command.params if p.type in kinds} == NUMBERS.get(short, {})
    ranges = [p for p in command.params if isinstance(p.type, click.IntRange | click.FloatRange)]
    of_numbers = {p.name for p in ranges if isinstance(p.type, click.FloatRange)}
    assert of_numbers == LIMITS.get(short, {}).keys() & FRACTIONAL
    assert {p.name for p in ranges if p.type.min_open} == LIMITS.get(short, {}).keys() & ABOVE_ZERO.get(short, set())


FRACTIONAL = {
    *("battery_mah", "decisions_per_hour", "max_bad_fraction", "max_empty", "max_offset", "mean_seconds"),
    *("min_seconds", "piece", "range_limit", "rate_hz", "seconds", "strength", "unknown_below", "video_rate"),
    "window_s",
}
"""Numbers with limits that need not be whole."""
ABOVE_ZERO = {
    "bundle personalise": {"strength"},
    "bundle show": {"battery_mah", "decisions_per_hour"},
    "datasets import": {"rate_hz", "range_limit"},
    "datasets sync": {"video_rate", "max_offset"},
    "predict": {"piece", "mean_seconds"},
}
"""Whose least number is itself refused."""


EXAMPLES = {
    "vskd": "demo | datasets | distill | evaluate | export | predict",
    "demo": "- | out | data",
    "datasets": "list | info | index | signals | audit | import | sync | make-synthetic",
    "datasets list": "- | json",
    "datasets info": "- | json",
    "datasets index": "data | json",
    "datasets signals": "data | data json",
    "datasets audit": "data | data fold json | data stream | data cache",
    "datasets make-synthetic": "- | subjects",
    "datasets import": (
        "- | pattern unit rate | columns time time-unit position | label-column subject-column | "
        "label-column whole-files null-class | unlabelled"
    ),
    "datasets sync": "data sensor video | data video-rate median html | data dry-run png",
    "doctor": "data | html | data protocol fold json",
    "recipe": "list | show | validate",
    "recipe list": "- | json",
    "recipe show": "- | set",
    "recipe validate": "- | set",
    "preprocess": "windows | gaf | frames | pose",
    "preprocess windows": "length | mode stride",
    "preprocess gaf": "contact-sheet | method scaling limit size | engine png",
    "preprocess frames": "stream size | stream size jpeg | stream sequence-length height width npy table",
    "preprocess pose": "stream | person max-empty",
    "weights": "import",
    "weights import": "- | format | format | data",
    "teach": "teacher data protocol | teacher video data epochs | teacher data protocol | recipe set",
    "distill": (
        "teacher student data protocol | teacher-run distiller data | distiller data seed epochs | recipe data | "
        "recipe student-run protocol labels data | recipe labels rounds data | recipe set"
    ),
    "forecast": "- | json",
    "evaluate": "- | split json | data protocol out",
    "compare": (
        "controls seeds data | controls data protocol fold | labels controls data | "
        "controls data workers teachers | curve curve controls data | seeds int8 set"
    ),
    "export": "- | input-type json | layers | set | set | set",
    "bundle": "verify | sign | personalise | show",
    "bundle personalise": "- | rate unit",
    "bundle verify": "- | require-signature | json",
    "bundle sign": "-",
    "bundle show": "- | json | part battery-mah",
    "firmware": "generate | page | test",
    "firmware generate": "- | stream-settings | weights json",
    "firmware image": "-",
    "firmware page": "- | stream-settings json",
    "firmware test": "- | stream-settings json",
    "serve": "- | port no-browser",
    "link": "record | send | simulate",
    "link record": "port | tcp seconds | tcp decide",
    "link send": "port | tcp require-signature",
    "link simulate": "- | flash",
    "predict": (
        "- | json | rate unit | columns rate unit | smoothing min-seconds out plot | smoothing mean-seconds | "
        "stream | box | json | every | piece"
    ),
}
"""The options of each example beside those that are needed, - for none; of a group, its commands that examples show."""


@pytest.mark.parametrize(("name", "command"), COMMANDS, ids=NAMES)
def test_what_examples_show(name: str, command: click.Command) -> None:
    depth, needed = len(name.split()), {flag for p in command.params if p.required for flag in p.opts}
    shown = []
    for words in (shlex.split(example)[depth:] for example in command.examples):
        flags = [word.removeprefix("--") for word in words if word.startswith("--") and word not in needed]
        shown.append(words[0] if isinstance(command, click.Group) else " ".join(flags) or "-")
    assert " | ".join(shown) == EXAMPLES[name.removeprefix("vskd ")]


TEXTS = {
    "bundle personalise": "box columns unit variable",
    "datasets info": "name",
    "datasets index": "name",
    "datasets signals": "name stream",
    "datasets audit": "fold name protocol stream",
    "datasets import": (
        "axes codes columns factor_columns label_column null_class pattern position "
        "signs stream subject_column table table_columns time time_zone unit unlabelled variable "
        "video_pattern video_table video_zone"
    ),
    "datasets sync": "median name sensor video",
    "doctor": "fold name protocol",
    "recipe show": "assignments dataset distiller fold name protocol sensor student teacher video",
    "recipe validate": "assignments dataset distiller fold name protocol sensor student teacher video",
    "preprocess windows": "name stream",
    "preprocess frames": "name stream",
    "preprocess pose": "name stream",
    "weights import": "network",
    "teach": "assignments dataset fold protocol recipe_name teacher video",
    "distill": "assignments dataset distiller fold protocol recipe_name sensor student teacher video",
    "evaluate": "dataset fold protocol",
    "compare": "assignments controls dataset fold protocol recipes seeds",
    "export": "assignments",
    "firmware image": "version",
    "link record": "port tcp",
    "link send": "port tcp",
    "link simulate": "tcp",
    "predict": "box columns unit variable",
}
"""What is text of any kind, or read by a callback of its own."""


@pytest.mark.parametrize(("name", "command"), COMMANDS, ids=NAMES)
def test_what_is_text(name: str, command: click.Command) -> None:
    if not isinstance(command, click.Group):
        found = " ".join(sorted(str(p.name) for p in command.params if p.type is click.STRING))
        assert found == TEXTS.get(name.removeprefix("vskd "), "")
