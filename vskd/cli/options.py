"""What the commands share: the classes that print examples, `--debug` and `-v`, and the options that edit a recipe.

Imports nothing that is slow to load; see main.py for why.
"""

import csv
import json
import logging
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, TypeVar, cast

import click

from vskd.cli.common_warnings import CommonWarnings
from vskd.errors import nearest
from vskd.library_logs import quiet_libraries

if TYPE_CHECKING:
    from vskd.recipe import Recipe

F = TypeVar("F", bound=Callable[..., Any])
PATH = click.Path(path_type=Path)
FILE = click.Path(dir_okay=False, path_type=Path)
FOLDER = click.Path(file_okay=False, path_type=Path)
_HANDLER = "vskd-terminal"
_META = "vskd.recipe_overrides"


@dataclass
class Session:
    """What one call of the program remembers, beside its command's own options."""

    debug: bool = False
    verbosity: int = 0


def configure_logging(verbosity: int) -> None:
    """Send the log to stderr: warnings only, `-v` for progress in words, `-vv` for everything of ours.

    Third-party libraries warn about their own affairs (worker counts, deprecated calls): shown from `-v` on.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # LiteRT's and the converter's C++ side read it at import
    root = logging.getLogger()
    for old in [handler for handler in root.handlers if handler.name == _HANDLER]:
        root.removeHandler(old)
    handler = logging.StreamHandler()
    handler.set_name(_HANDLER)
    handler.setLevel({0: logging.WARNING, 1: logging.INFO}.get(verbosity, logging.DEBUG))
    handler.setFormatter(logging.Formatter("%(levelname)s: %(message)s" if verbosity < 2 else "%(name)s: %(message)s"))
    if not verbosity:
        handler.addFilter(CommonWarnings())
    root.addHandler(handler)
    # INFO reaches the log file of a run whatever the terminal shows.
    logging.getLogger("vskd").setLevel(logging.DEBUG if verbosity > 1 else logging.INFO)
    quiet_libraries(verbosity)


def say_left_out() -> None:
    """Count the warnings that the terminal did not show, see common_warnings.py."""
    for handler in logging.getLogger().handlers:
        for common in handler.filters:
            if isinstance(common, CommonWarnings):
                common.say_left_out()


def _remember_debug(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    session = ctx.ensure_object(Session)
    session.debug = session.debug or value


def _remember_verbosity(ctx: click.Context, _: click.Parameter, value: int) -> None:
    session = ctx.ensure_object(Session)
    session.verbosity = max(session.verbosity, value)
    configure_logging(session.verbosity)


def _common_options() -> list[click.Parameter]:
    """`--debug` and `-v`: taken before and after the command's name, because people type both."""
    return [
        click.Option(
            ["--debug"], is_flag=True, expose_value=False, callback=_remember_debug, help="Show an error's traceback."
        ),
        click.Option(
            ["-v", "--verbose"],
            count=True,
            expose_value=False,
            callback=_remember_verbosity,
            help="Say more (-vv: most).",
        ),
    ]


def _write_examples(formatter: click.HelpFormatter, examples: Sequence[str]) -> None:
    if examples:
        with formatter.section("Examples"):
            for example in examples:  # written as they are: a wrapped command cannot be copied
                formatter.write(f"{'':>{formatter.current_indent}}{example}\n")


class VskdCommand(click.Command):
    """A command whose help ends with examples that can be copied, and which takes `--debug` and `-v`."""

    def __init__(self, *args: Any, examples: Sequence[str] = (), **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.examples = tuple(examples)
        self.params.extend(_common_options())

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples, where click writes an epilog; no command has one of its own."""
        _write_examples(formatter, self.examples)


UNCUT = 1000
"""Characters of a first sentence; none is as long."""


class VskdGroup(click.Group):
    """A group of `VskdCommand`s with examples of its own."""

    command_class = VskdCommand

    def __init__(self, *args: Any, examples: Sequence[str] = (), **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.examples = tuple(examples)
        self.params.extend(_common_options())

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order in which they are written, which is that of the work."""
        return list(self.commands)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; where there is none, name the nearest, or those that begin so, or all."""
        name, names = args[0], self.list_commands(ctx)
        if name not in names and not name.startswith("-"):
            hint = nearest(name, [one for one in names if one.startswith(name)] or names)
            raise click.exceptions.NoSuchCommand(
                name, f"No such command '{name}'. {hint[0].upper()}{hint[1:]}", ctx=ctx
            )
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List them with the whole first sentence of their help, which click cuts to a line."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, command.get_short_help_str(UNCUT)) for name, command in self.commands.items()])

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples, where click writes an epilog; no command has one of its own."""
        _write_examples(formatter, self.examples)


def json_option(function: F) -> F:
    """Add `--json`: pure JSON on stdout, for a program to read."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON, for a program to read.")(function)


def as_one(name: str, kind: type[Any], *options: Callable[[F], F]) -> Callable[[F], F]:
    """Options that a command gets as one value.

    Args:
        name: of the command's parameter.
        kind: a dataclass; its fields are called as the options are.
        options: each as `click.option` gives it, in the order of the help page.
    """
    names = [field.name for field in fields(kind)]

    def add(function: F) -> F:
        @wraps(function)
        def call(**given: Any) -> Any:
            one = kind(**{option: given.pop(option) for option in names})
            return function(**given, **{name: one})

        for option in reversed(options):
            option(call)
        return cast("F", call)

    return add


def data_set_arguments(function: F) -> F:
    """Add NAME|FOLDER and `--data`: a data set by its name and folder, or a folder that `vskd datasets import` wrote.

    `vskd.datasets.catalog.entry_and_root` reads them.
    """
    function = click.option(
        "--data", type=FOLDER, help="Folder of the data set NAME; not for one that `import` wrote."
    )(function)
    return click.argument("name", metavar="NAME|FOLDER")(function)


class LabelsType(click.ParamType[str]):
    """`all`, or one rule of who carries labels, as the content of a recipe's `labels` in JSON."""

    name = "labels"
    lists = ("subjects", "trials", "classes")
    words: ClassVar[dict[str, str]] = {"all": "{}", "untested-subjects": '{"untested_subjects": true}'}

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Read `subjects=1,3`, `subjects="Doe, J.",3`, `fraction=0.1` ...; what was read already is left as it is."""
        if value.startswith("{"):
            return value
        if value in self.words:
            return self.words[value]
        key, separator, text = (part.strip() for part in value.partition("="))
        if not separator or not text or key not in (*self.lists, "fraction", "ids"):
            self.fail(
                f"'{value}' says nobody; write all, or one of subjects=1,3 trials=1 classes=wave untested-subjects "
                "fraction=0.1 ids=list.csv",
                param,
                ctx,
            )
        if key in self.lists:
            names = next(csv.reader([text], skipinitialspace=True))  # one with a comma stands in quotation marks
            return json.dumps({key: [name.strip() for name in names if name.strip()]})
        return json.dumps({key: self._number(text, param, ctx) if key == "fraction" else text})

    def _number(self, text: str, param: click.Parameter | None, ctx: click.Context | None) -> float:
        try:
            number = float(text)
        except ValueError:
            self.fail(f"fraction should be a number such as 0.1, not '{text}'", param, ctx)
        if not 0 < number <= 1:
            self.fail(f"fraction should be above 0 and at most 1, not {text}", param, ctx)
        return number


class RecipeOption(NamedTuple):
    """A plain option that is a short way of writing `--set key=value`."""

    flag: str
    key: str
    kind: click.ParamType[Any] | type[str] | type[int]
    metavar: str
    help: str


RECIPE_OPTIONS: dict[str, RecipeOption] = {
    "data": RecipeOption("--data", "dataset.path", PATH, "PATH", "Folder of the data set."),
    "dataset": RecipeOption("--dataset", "dataset.name", str, "NAME", "Data set; see 'vskd datasets list'."),
    "protocol": RecipeOption("--protocol", "dataset.protocol", str, "NAME", "Protocol, e.g. cross-subject."),
    "fold": RecipeOption("--fold", "dataset.fold", str, "FOLD", "Fold of a protocol that has folds."),
    "labels": RecipeOption(
        "--labels",
        "labels",
        LabelsType(),
        "WHO",
        "Who carries labels in the training part: subjects=1,3 trials=1 classes=wave untested-subjects fraction=0.1 "
        "ids=list.csv or all.",
    ),
    "sensor": RecipeOption("--sensor", "student.sees.streams", str, "STREAM", "Stream the student sees."),
    "video": RecipeOption(
        "--video", "teachers.0.sees.streams", str, "STREAM", "Stream the teacher sees: depth, rgb..."
    ),
    "teacher": RecipeOption(
        "--teacher", "teachers.0.network", str, "NAME", "Teacher network, e.g. trn, convnext-tiny."
    ),
    "student": RecipeOption("--student", "student.network", str, "NAME", "Student network, e.g. resnet18."),
    "distiller": RecipeOption("--distiller", "distiller", str, "NAME", "Distiller, e.g. dask, kd, krca or none."),
    "student_run": RecipeOption(
        "--student-run", "student.weights", FOLDER, "RUN", "Finished run of the same student to go on from."
    ),
    "seed": RecipeOption("--seed", "seed", int, "N", "Seed of everything random."),
    "epochs": RecipeOption("--epochs", "student.training.epochs", int, "N", "Epochs of the student's training."),
    "teacher_epochs": RecipeOption(
        "--epochs", "teachers.0.training.epochs", int, "N", "Epochs of the teacher's training."
    ),
}


def _remember_override(ctx: click.Context, param: click.Parameter, value: object) -> None:
    if value is not None and param.name is not None:
        ctx.meta.setdefault(_META, {})[param.name] = value


def recipe_options(*names: str) -> Callable[[F], F]:
    """Add the plain options `names` of `RECIPE_OPTIONS` and `--set`; the command reads them by `recipe_overrides`."""

    def add(function: F) -> F:
        function = click.option(
            "--set",
            "assignments",
            multiple=True,
            metavar="KEY=VALUE",
            expose_value=False,
            callback=_remember_override,
            help="Change any setting of the recipe, e.g. student.training.epochs=5; may be repeated.",
        )(function)
        for name in reversed(names):
            option = RECIPE_OPTIONS[name]
            function = click.option(
                option.flag,
                name,
                type=option.kind,
                metavar=option.metavar,
                expose_value=False,
                callback=_remember_override,
                help=option.help,
            )(function)
        return function

    return add


def recipe_overrides(ctx: click.Context) -> list[str]:
    """The plain options and `--set`s that were given, as `key=value`; `--set` comes last and so wins.

    A recipe's fold is one of its protocol: another protocol begins without.
    """
    given = ctx.meta.get(_META, {})
    dropped = ["dataset.fold=null"] if "protocol" in given and "fold" not in given else []
    plain = [
        f"{option.key}={given[name] if isinstance(option.kind, LabelsType) else _quoted(given[name])}"
        for name, option in RECIPE_OPTIONS.items()
        if name in given
    ]
    return [*dropped, *plain, *given.get("assignments", ())]


def _quoted(value: object) -> str:
    """JSON, which is YAML; quoting keeps a folder called 2024 from becoming a number."""
    return json.dumps(value if isinstance(value, int) else str(value))


def fitting_recipe(ctx: click.Context) -> str:
    """The shipped recipe that the given teacher, student, distiller or data set belongs to, in this order."""
    from vskd.recipe.systems import fitting_recipe

    given = ctx.meta.get(_META, {})
    return fitting_recipe((given.get(name) for name in ("teacher", "student", "distiller")), given.get("dataset"))


def chosen_recipe(ctx: click.Context, name_or_path: str | None) -> "Recipe":
    """Load the recipe `name_or_path`, or the fitting one, with the options that this command was given."""
    from vskd.recipe import load_recipe

    return load_recipe(name_or_path or fitting_recipe(ctx), recipe_overrides(ctx))


def recipe_name_option(function: F) -> F:
    """Add `--recipe NAME|FILE`."""
    return click.option(
        "--recipe",
        "recipe_name",
        metavar="NAME|FILE",
        help="Shipped recipe or YAML file that the other options change.  "
        "[default: wrist; where networks, a distiller or data of images are named, theirs, e.g. krca]",
    )(function)


def cache_option(function: F) -> F:
    """Add `--cache FOLDER`."""
    return click.option(
        "--cache",
        type=FOLDER,
        help="Store of windows, frames, images and teacher outputs, shared between runs.  [default: cache, beside RUN]",
    )(function)


signature_option = click.option(
    "--require-signature",
    "keys",
    type=FILE,
    metavar="KEYS",
    help="Only go on if BUNDLE was signed by a key in KEYS: an allowed_signers file of OpenSSH, or an id_ed25519.pub.",
)


def check_signature(bundle: Path, keys: Path | None) -> None:
    """Refuse a bundle that none of the keys has signed; without keys nothing is asked for.

    Raises:
        BundleError: see `vskd.bundle.signature.verify_signature`.
    """
    if keys is not None:
        from vskd.bundle.signature import verify_signature

        verify_signature(bundle, keys)
