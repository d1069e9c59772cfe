"""The recipe: one experiment as strict, validated YAML, in terms of roles.

It is assembled from the catalogs of modalities, networks and losses, whose settings stand beside their code. Unknown
keys, and keys that would have no effect, are refused; all problems are reported at once, each with the key's path and
the nearest valid name. Components never see a recipe; they take plain arguments.
"""

from vskd.recipe.files import RECIPES_FOLDER, dump_recipe, list_recipes, load_recipe
from vskd.recipe.schema import DECIDING, Recipe, parse_recipe
from vskd.recipe.training import Training

__all__ = [
    "DECIDING",
    "RECIPES_FOLDER",
    "Recipe",
    "Training",
    "dump_recipe",
    "list_recipes",
    "load_recipe",
    "parse_recipe",
]
