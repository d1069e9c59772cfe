"""Presets written out as terms, lists of one's own, and what cannot be a distiller."""

from typing import Any

import pytest

from vskd.errors import RecipeError
from vskd.losses.catalog import LOSSES
from vskd.losses.presets.catalog import PRESETS
from vskd.recipe import Recipe, load_recipe, parse_recipe
from vskd.recipe.distiller import Confidence, Distiller, expanded_distiller, terms_that_need_labels, terms_that_reuse
from vskd.schema import parse


def temperatures(distiller: Distiller) -> dict[str, float]:
    return {term.title: term.temperature for term in distiller.terms if hasattr(term, "temperature")}


@pytest.mark.parametrize("name", list(PRESETS))
def test_a_presets_name_stands_for_its_terms(name: str) -> None:
    made = parse(Distiller, expanded_distiller(name))
    assert made.preset == made.title == name
    assert (made.terms, made.weighting) == (PRESETS[name].terms, PRESETS[name].weighting)
    assert made.teacher_outputs == "auto"
    assert made.needs_teacher == (name not in ("none", "krca-hl"))
    assert expanded_distiller(made.model_dump(mode="json")) == made.model_dump(mode="json")


def test_published_temperatures_reach_the_recipe() -> None:
    assert temperatures(parse(Distiller, expanded_distiller("dask"))) == {"kd": 4.0}
    assert temperatures(parse(Distiller, expanded_distiller("kd"))) == {"kd": 4.0}
    assert temperatures(parse(Distiller, expanded_distiller("krca"))) == {
        "tckd": 4.0,
        "nckd": 4.0,
        "sample_relation": 0.07,
    }
    assert temperatures(parse(Distiller, expanded_distiller("dangerous-driving"))) == {"kd": 7.0}
    assert temperatures(load_recipe("dangerous-driving").distiller) == {"kd": 3.0}
    assert temperatures(parse(Distiller, {"terms": [{"loss": "kd"}]})) == {"kd": 4.0}


def test_settings_of_a_presets_terms_may_differ() -> None:
    content = {"preset": "dask", "terms": {"kd": {"weight": 0.5, "temperature": 2.0}}, "teacher_outputs": "cached"}
    made = parse(Distiller, expanded_distiller(content))
    by_title = {term.title: term for term in made.terms}
    assert (by_title["kd"].weight, temperatures(made)) == (0.5, {"kd": 2.0})
    assert made.teacher_outputs == "cached"
    others = [term for term in PRESETS["dask"].terms if term.title != "kd"]
    assert [term for term in made.terms if term.title != "kd"] == others


def test_a_list_of_ones_own_is_called_by_its_terms_in_use() -> None:
    terms = [{"loss": "cross_entropy"}, {"loss": "kd", "name": "soft"}, {"loss": "rkd_angle", "weight": 0.0}]
    made = parse(Distiller, {"terms": terms})
    assert made.title == "cross_entropy+soft"
    assert made.needs_teacher
    assert made.weighting == "fixed"


def test_a_term_of_weight_zero_needs_no_teacher() -> None:
    assert not parse(Distiller, {"terms": [{"loss": "cross_entropy"}, {"loss": "kd", "weight": 0}]}).needs_teacher


@pytest.mark.parametrize(
    ("content", "needle"),
    [
        ("krac", "There is no distiller 'krac'; did you mean 'krca'?"),
        ({"preset": "dask", "terms": {"kdd": {"weight": 1}}}, "distiller.terms.kdd: preset 'dask' has no such term"),
        ({"preset": "dask", "terms": {"kd": 3}}, "distiller.terms.kd: should be keys with values, not 3"),
        ({"preset": "dask", "terms": "kd"}, "distiller.terms: should be a list"),
        ({"preset": "dask", "terms": [{"loss": "kd"}]}, "preset 'dask' has the terms cross_entropy, kd, embedding_mse"),
        ({"terms": []}, "distiller.terms"),
        ({"terms": [{"loss": "kd"}, {"loss": "kd"}]}, "two terms are called kd: give each a `name` of its own"),
        ({"terms": [{"loss": "hint"}]}, "distiller.terms.0.loss: 'hint' is not allowed"),
        ({"terms": [{"loss": "kd", "width": 3}]}, "distiller.terms.0.width: unknown key (of kd)"),
        ({"terms": [{"loss": "kd", "weight": -1}]}, "distiller.terms.0.weight"),
        ({"terms": [{"loss": "kd", "temperature_max": 9.0}]}, "temperature_max does nothing here"),
        ({"preset": "dask", "weightings": "fixed"}, "distiller.weightings: unknown key, did you mean 'weighting'?"),
        ({"weighting": "fixed"}, "distiller.terms: missing"),
    ],
)
def test_what_cannot_be_a_distiller_is_refused_with_its_path(content: Any, needle: str) -> None:
    with pytest.raises(RecipeError) as caught:
        parse_recipe({**load_recipe("vskd").model_dump(mode="json"), "distiller": content}, "test")
    assert needle in str(caught.value)


def test_a_teacher_must_be_there_where_a_term_listens() -> None:
    recipe: Recipe = load_recipe("vskd")
    with pytest.raises(RecipeError, match="distiller 'dask' needs a teacher: add one to `teachers`"):
        recipe.updated("teachers=[]")
    assert recipe.updated("distiller=none", "teachers=[]").teachers == ()


@pytest.mark.parametrize(
    ("ablation", "titles"),
    [
        ("krca-hl", {"cross_entropy"}),
        ("krca-sl", {"tckd", "nckd"}),
        ("krca-sr", {"cross_entropy", "sample_relation"}),
        ("krca-ia", {"cross_entropy", "deep_attention", "shallow_attention"}),
        ("krca-hl-sl", {"cross_entropy", "tckd", "nckd"}),
        ("krca-hl-sl-sr", {"cross_entropy", "tckd", "nckd", "sample_relation"}),
    ],
)
def test_an_ablation_changes_the_distiller_only(ablation: str, titles: set[str]) -> None:
    base, other = load_recipe("krca"), load_recipe("krca", [f"distiller={ablation}"])
    assert {term.title for term in other.distiller.terms} == titles
    kept = {term.title: term for term in base.distiller.terms}
    assert all(term == kept[term.title] for term in other.distiller.terms)
    parts = ("seed", "dataset", "student", "teachers", "export")
    assert other.hash_of(*parts) == base.hash_of(*parts)
    assert other.hash_of("distiller") != base.hash_of("distiller")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("distiller=none", "distiller.permuted=all"), "permuted does nothing here: no term compares with a teacher"),
        (("distiller.permuted=class", "distiller.teacher_outputs=online"), "set teacher_outputs to auto or cached"),
        (("distiller.permuted=some",), "permuted: 'some' is not allowed"),
    ],
)
def test_what_cannot_be_exchanged_is_refused(words: tuple[str, ...], told: str) -> None:
    with pytest.raises(RecipeError, match=told):
        load_recipe("demo", words)


def test_terms_that_need_labels_are_named_where_they_are_in_use() -> None:
    terms = [{"loss": "cross_entropy"}, {"loss": "tckd"}, {"loss": "nckd", "weight": 0}, {"loss": "kd"}]
    assert terms_that_need_labels(parse(Distiller, {"terms": terms}).terms) == ("tckd",)


def test_the_changes_of_terms_stay_with_who_gave_them() -> None:
    content = {"preset": "kd", "terms": {"kd": {"weight": 0.5}}}
    made = parse(Distiller, expanded_distiller(content))
    assert {term.title: term.weight for term in made.terms}["kd"] == 0.5
    assert content == {"preset": "kd", "terms": {"kd": {"weight": 0.5}}}


def test_terms_that_reuse_a_classifier_are_named_where_they_are_in_use() -> None:
    terms = [{"loss": "simkd"}, {"loss": "kd"}, {"loss": "simkd", "name": "idle", "weight": 0}]
    assert terms_that_reuse(parse(Distiller, {"terms": terms}).terms) == ("simkd",)


def test_what_is_sure_where_nothing_is_said() -> None:
    assert Confidence().model_dump() == {"threshold": 0.0, "share": 1.0, "by_class": False}


ALONE = {"terms": [{"loss": "cross_entropy"}, {"loss": "kd", "weight": 0}]}
LISTENS = {"terms": [{"loss": "cross_entropy"}, {"loss": "kd"}]}


@pytest.mark.parametrize(
    "words", [{"permuted": "all"}, {"permuted": "class"}, {"untrained": True}, {"confidence": {"threshold": 0.5}}]
)
def test_what_is_done_to_a_teacher_needs_one(words: dict[str, Any]) -> None:
    assert parse(Distiller, {**LISTENS, **words}).needs_teacher
    with pytest.raises(ValueError, match=f"{next(iter(words))} does nothing here: no term compares with a teacher"):
        parse(Distiller, {**ALONE, **words})


@pytest.mark.parametrize("outputs", ["auto", "cached", "online"])
def test_only_what_was_stored_is_exchanged(outputs: str) -> None:
    said = {**LISTENS, "teacher_outputs": outputs}
    assert parse(Distiller, said).teacher_outputs == outputs
    if outputs == "online":
        with pytest.raises(ValueError, match="permuted exchanges what was stored of other recordings"):
            parse(Distiller, {**said, "permuted": "all"})
    else:
        assert parse(Distiller, {**said, "permuted": "all"}).permuted == "all"


def test_all_titles_that_stand_twice_are_named_in_their_order() -> None:
    terms = [{"loss": loss} for loss in ("kd", "rkd_angle", "kd", "cross_entropy", "rkd_angle")]
    with pytest.raises(ValueError, match="two terms are called kd, rkd_angle: give each a `name` of its own"):
        parse(Distiller, {"terms": terms})


def test_what_is_said_beside_a_preset_is_stronger_than_it() -> None:
    said = expanded_distiller({"preset": "kd", "weighting": "uncertainty"})
    assert said["weighting"] == "uncertainty" and said["preset"] == "kd"
    assert expanded_distiller({"preset": "kd", "terms": None}) == expanded_distiller("kd")
    assert expanded_distiller({"preset": None, "terms": []}) == {"preset": None, "terms": []}
    assert expanded_distiller(3) == 3
    with pytest.raises(RecipeError, match="There is no distiller 'kdd'"):
        parse(Distiller, {"preset": "kdd", **LISTENS})


def test_many_titles_that_stand_twice_are_in_their_order() -> None:
    losses = ("rkd_angle", "kd", "cross_entropy", "tckd", "nckd", "rkd_distance", "crcd")
    terms = [{"loss": loss} for loss in losses if loss in LOSSES] * 2
    named = ", ".join(sorted({term["loss"] for term in terms}))
    assert named.count(",") >= 4
    with pytest.raises(ValueError, match=f"two terms are called {named}: give each"):
        parse(Distiller, {"terms": terms})
