"""The recipe: one experiment as strict, validated YAML.

Unknown keys are refused, all problems are reported at once, and every message gives the key's path and, for a
misspelled key or name, the nearest valid one. Components never see a recipe; they take plain arguments.
"""

from vskd.errors import nearest
from vskd.recipe.files import RECIPES_FOLDER, dump_recipe, list_recipes, load_recipe
from vskd.recipe.schema import Recipe, parse_recipe
from vskd.recipe.sections import TrainingSection

__all__ = [
    "RECIPES_FOLDER",
    "Recipe",
    "TrainingSection",
    "dump_recipe",
    "list_recipes",
    "load_recipe",
    "nearest",
    "parse_recipe",
]
