"""`vskd recipe`: the experiments as strict YAML."""

import click

from vskd.cli.options import VskdGroup, chosen_recipe, json_option, recipe_options
from vskd.cli.output import print_json, print_table

PLAIN_OPTIONS = (
    "data",
    "dataset",
    "protocol",
    "fold",
    "sensor",
    "video",
    "teacher",
    "student",
    "distiller",
    "seed",
    "epochs",
)


@click.group(
    cls=VskdGroup,
    examples=("vskd recipe list", "vskd recipe show vskd > mine.yaml", "vskd recipe validate mine.yaml"),
)
def recipe() -> None:
    """List, show and validate recipes."""


@recipe.command("list", examples=("vskd recipe list", "vskd recipe list --json"))
@json_option
def list_command(as_json: bool) -> None:
    """List the shipped recipes; those marked * give students for microcontrollers."""
    from vskd.recipe import list_recipes

    recipes = list_recipes()
    if as_json:
        print_json([recipe._asdict() for recipe in recipes])
    else:
        rows = [(name + " *" * small, description) for name, description, small in recipes]
        print_table(("recipe", "description (* gives a student for microcontrollers)"), rows)


@recipe.command(
    "show",
    examples=(
        "vskd recipe show vskd",
        "vskd recipe show vskd --set student.training.epochs=5 > mine.yaml",
    ),
)
@click.argument("name", metavar="NAME|FILE")
@recipe_options(*PLAIN_OPTIONS)
@json_option
@click.pass_context
def show(ctx: click.Context, name: str, as_json: bool) -> None:
    """Print a recipe with every setting resolved, as YAML that can be edited and run.

    A comment in front says where the student is made for microcontrollers; the hardware that it must fit, if any, is
    export.budget.
    """
    from vskd.recipe import dump_recipe

    chosen = chosen_recipe(ctx, name)
    if as_json:
        print_json(chosen.model_dump(mode="json"))
    else:
        small = "# The student is made for microcontrollers.\n" if chosen.for_microcontrollers else ""
        click.echo(small + dump_recipe(chosen), nl=False)


@recipe.command("validate", examples=("vskd recipe validate mine.yaml", "vskd recipe validate mine.yaml --set seed=1"))
@click.argument("name", metavar="NAME|FILE")
@recipe_options(*PLAIN_OPTIONS)
@click.pass_context
def validate(ctx: click.Context, name: str) -> None:
    """Check a recipe; all its problems are reported at once, each with the nearest valid name."""
    chosen_recipe(ctx, name)
    click.echo(f"{name}: valid")
