"""Short forms in a recipe, written out: names of networks and presets, defaults of a data set."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from vskd.datasets.catalog import get_dataset
from vskd.datasets.entry import DatasetEntry
from vskd.datasets.splits.own_protocols import usual_protocol
from vskd.errors import DataError, ProtocolError, RecipeError, nearest
from vskd.recipe.distiller import expanded_distiller

Content = dict[str, Any]


def merged(base: Content, changes: Mapping[str, Any]) -> Content:
    """`base` with `changes` laid over it, key by key, in place.

    A mapping laid over a list changes elements by their number; a list in place of a list replaces it. What is another
    thing than before (another network, another data set) takes nothing over from it.
    """
    for key, value in changes.items():
        if isinstance(value, Mapping) and isinstance(base.get(key), dict) and not _another(base[key], value):
            base[key] = merged(base[key], value)
        elif isinstance(value, Mapping) and isinstance(base.get(key), list):
            base[key] = _merged_list(base[key], value, key)
        else:
            base[key] = value
    return base


TELLS = ("name", "method", "modality", "preset", "loss")
"""Keys that say what a mapping is of."""


def _another(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    own_terms = bool(old.get("preset")) and "preset" not in new and isinstance(new.get("terms"), list)
    return own_terms or any(key in new and key in old and old[key] != new[key] for key in TELLS)


def _another_loss(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """Of elements of a list; there `name` is what a term is called, and not which it is."""
    return "loss" in new and "loss" in old and old["loss"] != new["loss"]


def _merged_list(base: list[Any], changes: Mapping[Any, Any], key: str) -> list[Any]:
    for place, change in changes.items():
        number = position(base, str(place), key)
        element = base[number]
        nested = isinstance(change, Mapping) and isinstance(element, dict) and not _another_loss(element, change)
        base[number] = merged(element, change) if nested else change
    return base


def position(elements: list[Any], key: str, where: str) -> int:
    """Place of the element of a list that is called `key` (its `name` or `loss`), or is the `key`-th, from 0.

    Raises:
        RecipeError: there is none; the message begins with `where`.
    """
    titles = [_title(element) for element in elements]
    if key and key in titles:
        return titles.index(key)
    if key.isdecimal() and int(key) < len(elements):
        return int(key)
    valid = [*(title for title in titles if title), *map(str, range(len(elements)))]
    hint = nearest(key, valid) if valid else "the list is empty"
    raise RecipeError(f"{where}: there is no element '{key}', {hint}", "See `vskd recipe show NAME`")


def _title(element: Any) -> str:
    """What an element of a list is called, empty where it has no name."""
    return str(element.get("name") or element.get("loss") or "") if isinstance(element, dict) else ""


def roles_of(content: Mapping[str, Any]) -> Iterator[Content]:
    """The student and the teachers of a recipe's content, as far as they are mappings."""
    teachers = content.get("teachers")
    for role in (content.get("student"), *(teachers if isinstance(teachers, list) else ())):
        if isinstance(role, dict):
            yield role


def expanded(content: Content) -> Content:
    """Short forms written out, in place: `network: cnn1d`, `encoding: raw`, `distiller: dask`.

    Raises:
        RecipeError: a preset that does not exist.
    """
    for role in roles_of(content):
        _name_first(role, "network", "name")
        if isinstance(role.get("sees"), dict):
            _name_first(role["sees"], "encoding", "method")
            if isinstance(role["sees"].get("streams"), str):
                role["sees"]["streams"] = [role["sees"]["streams"]]
    if "distiller" in content:
        content["distiller"] = expanded_distiller(content["distiller"])
    return content


def _name_first(place: Content, key: str, name: str) -> None:
    if isinstance(place.get(key), str):
        place[key] = {name: place[key]}


def dataset_of(content: Mapping[str, Any]) -> DatasetEntry | None:
    """The data set that a recipe's content names; None where it names none.

    Raises:
        RecipeError: there is no such data set.
    """
    section = content.get("dataset")
    if isinstance(section, str):
        section = {"name": section}
    if not isinstance(section, Mapping) or "name" not in section:
        return None
    try:
        return get_dataset(str(section["name"]))
    except DataError as error:
        raise RecipeError(f"dataset.name: {error.problem}", error.action) from error


def with_dataset_defaults(content: Content, entry: DatasetEntry) -> Content:
    """What a data set wants, wherever the recipe says nothing else: its protocol, and how its streams are seen.

    Raises:
        RecipeError: the folder has several protocols of its own, and none is named.
    """
    section = content["dataset"] if isinstance(content.get("dataset"), dict) else {"name": entry.name}
    if "protocol" not in section:
        path = section.get("path")
        try:
            protocol = usual_protocol(entry, Path(path) if isinstance(path, str) else None)
        except ProtocolError as error:
            raise RecipeError(f"dataset.protocol: {error.problem}", error.action) from error
        section = {"protocol": protocol, "fold": entry.fold} | section
    content["dataset"] = section
    for role in roles_of(content):
        sees = role.get("sees")
        if isinstance(sees, dict) and sees.get("modality") in entry.defaults:
            role["sees"] = merged(_copied(entry.defaults[sees["modality"]]), sees)
    return content


def _copied(value: Any) -> Any:
    """Plain dicts and lists of a catalog's read-only content."""
    if isinstance(value, Mapping):
        return {key: _copied(v) for key, v in value.items()}
    return [_copied(v) for v in value] if isinstance(value, list | tuple) else value


def overlay(entry: DatasetEntry | None, recipe: str) -> Content:
    """What a data set changes in a shipped recipe, e.g. fewer epochs because it is larger."""
    copied: Content = _copied(entry.recipes.get(recipe, {})) if entry is not None else {}
    return copied
