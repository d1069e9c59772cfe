"""The entry of the command line: a catalog of commands, loaded only when used, and one manner of failing.

This file imports click and the standard library alone, so that `vskd --help` answers at once. The catalog holds each
command's short help for the same reason: listing the commands loads none of them.

Exit codes: 0 success, 1 error, 2 wrong usage, 130 stopped by Ctrl-C, 143 by TERM (128 + the signal, as shells expect).
"""

import importlib
import traceback
from collections.abc import Sequence
from typing import NamedTuple

import click

from vskd import __version__
from vskd.cli.exits import stop_of
from vskd.cli.options import Session, VskdGroup, say_left_out
from vskd.errors import MissingExtraError, VskdError

# Module -> package of the extra `train`. A base install lacks them and has bundles alone; all other commands need them.
OF_TRAINING = {
    **{name: name for name in ("torch", "torchvision", "lightning", "torchmetrics", "safetensors")},
    **{name: name for name in ("scipy", "pandas", "h5py", "matplotlib", "jinja2", "rich", "av")},
    "sklearn": "scikit-learn",
    "PIL": "pillow",
    "yaml": "PyYAML",
}
EXIT_OK, EXIT_ERROR, EXIT_USAGE = 0, 1, 2


class Entry(NamedTuple):
    """One line of the catalog: where the command lives, and what `vskd --help` says about it."""

    module: str
    attribute: str
    help: str


# In the order of a working day, which is also the order of the help page.
CATALOG: dict[str, Entry] = {
    "demo": Entry("vskd.cli.demo", "demo", "From nothing to a verified bundle, on a synthetic world."),
    "datasets": Entry("vskd.cli.datasets", "datasets", "List, describe and index data sets."),
    "doctor": Entry("vskd.cli.doctor", "doctor", "Say what is wrong with a data set, worst first."),
    "recipe": Entry("vskd.cli.recipe", "recipe", "List, show and validate recipes."),
    "preprocess": Entry("vskd.cli.preprocess", "preprocess", "Store windows, GAF images and frames in HDF5."),
    "weights": Entry("vskd.cli.weights", "weights", "Import public pretrained weights, safely."),
    "teach": Entry("vskd.cli.teach", "teach", "Train a teacher on what the recipe says that it sees."),
    "distill": Entry("vskd.cli.distill", "distill", "Train a student, with or without a teacher."),
    "forecast": Entry("vskd.cli.forecast", "forecast", "Foretell whether a teacher will help a student."),
    "evaluate": Entry("vskd.cli.evaluate", "evaluate", "Measure a run or a bundle on its test recordings."),
    "compare": Entry("vskd.cli.compare", "compare", "Run recipes over seeds and compare them in one table."),
    "export": Entry("vskd.cli.export", "export", "Turn a run into an int8 LiteRT bundle."),
    "bundle": Entry("vskd.cli.bundle", "bundle", "Verify, sign or show a bundle."),
    "firmware": Entry("vskd.cli.firmware", "firmware", "Turn a bundle into C99 and test it."),
    "serve": Entry("vskd.cli.serve", "serve", "Open a page that runs a bundle in the browser."),
    "link": Entry("vskd.cli.link", "link", "Record from a device, send it a bundle, or simulate one."),
    "predict": Entry("vskd.cli.predict", "predict", "Classify recordings, images or videos with a bundle."),
}


class LazyGroup(VskdGroup):
    """A group whose commands are imported when they are called, not when they are listed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of the catalog, in its order."""
        return list(CATALOG)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command called `cmd_name`; None if the catalog has none."""
        entry = CATALOG.get(cmd_name)
        if entry is None:
            return None
        command = getattr(importlib.import_module(entry.module), entry.attribute)
        if not isinstance(command, click.Command):
            raise TypeError(f"{entry.module}.{entry.attribute} is not a click command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands by the catalog's own help, without importing any of them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.help) for name, entry in CATALOG.items()])


@click.group(
    cls=LazyGroup,
    examples=(
        "vskd demo --out demo",
        "vskd datasets index utd-mhad --data UTD-MHAD",
        "vskd distill --teacher trn --student resnet18 --data UTD-MHAD --protocol cross-subject --out RUN",
        "vskd evaluate RUN",
        "vskd export RUN --out BUNDLE",
        "vskd predict BUNDLE recording.csv",
    ),
)
@click.version_option(__version__)
def cli() -> None:
    """Teach a wrist sensor with video: distil, measure honestly, ship a small int8 model.

    Exit codes: 0 success, 1 error, 2 wrong usage, 130 stopped by Ctrl-C, 143 by TERM.
    """


def _say_error(problem: str) -> None:
    """One line on stderr, whatever the message holds."""
    click.echo(f"error: {' '.join(problem.split())}", err=True)


def _say_usage_error(error: click.UsageError) -> None:
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        error.show()
        return
    command = error.ctx.command_path if error.ctx else "vskd"
    said = error.format_message().rstrip(". ")
    _say_error(f"{said}{'' if said.endswith('?') else '.'} Run '{command} --help' to see what it takes.")


def _say_stopped(error: BaseException) -> int:
    stop = stop_of(error)
    click.echo(stop.text, err=True)
    return stop.code


def run(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; every failure becomes one line on stderr.

    Args:
        arguments: the words after `vskd`; None takes them from the process.
    """
    session = Session()
    try:
        return _call(session, arguments)
    except click.UsageError as error:
        _say_usage_error(error)
        return EXIT_USAGE
    except click.ClickException as error:
        _say_error(error.format_message())
        return error.exit_code
    except (click.Abort, KeyboardInterrupt) as error:
        return _say_stopped(error)
    except SystemExit as error:
        # Lightning answers Ctrl-C by saving its state and calling sys.exit(1) while it handles the KeyboardInterrupt.
        if isinstance(error.__context__, KeyboardInterrupt):
            return _say_stopped(error)
        return error.code if isinstance(error.code, int) else EXIT_ERROR
    except VskdError as error:
        return _say_known(session, error)
    except ModuleNotFoundError as error:
        package = OF_TRAINING.get((error.name or "").partition(".")[0])
        return _say_known(session, MissingExtraError(package, "train")) if package else _say_unforeseen(session, error)
    except Exception as error:  # noqa: BLE001 - the last door: whatever nobody foresaw still ends in one clear line
        return _say_unforeseen(session, error)


def _call(session: Session, arguments: Sequence[str] | None) -> int:
    try:
        result = cli.main(arguments, prog_name="vskd", standalone_mode=False, obj=session)
    finally:
        say_left_out()
    return result if isinstance(result, int) else EXIT_OK


def _say_known(session: Session, error: VskdError) -> int:
    _show_traceback(session)
    _say_error(str(error))
    return EXIT_ERROR


def _say_unforeseen(session: Session, error: Exception) -> int:
    _show_traceback(session)
    hint = "" if session.debug else " Run the same command again with --debug to see where."
    _say_error(f"{type(error).__name__}: {error}.{hint}")
    return EXIT_ERROR


def _show_traceback(session: Session) -> None:
    if session.debug:
        traceback.print_exc()
