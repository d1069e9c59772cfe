"""How teachers guide the student: a published preset, or a list of weighted loss terms of one's own."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from vskd.errors import RecipeError, lookup, nearest
from vskd.losses.catalog import AnyTerm
from vskd.losses.presets.catalog import PRESETS
from vskd.losses.term import TermSettings
from vskd.schema import Fraction, Strict


class Confidence(Strict):
    """Which pairs without labels the student learns from.

    Attributes:
        threshold: those of which the teacher's highest probability is at least this.
        share: of these the surest.
        by_class: the share is taken of each class that the teacher names.
    """

    threshold: Fraction = 0.0
    share: Annotated[float, Field(gt=0, le=1)] = 1.0
    by_class: bool = False


class Distiller(Strict):
    """The loss of a student's training.

    Attributes:
        preset: the published system that the terms are those of, their settings perhaps changed; None for a list of
            one's own.
        terms: weighted losses; their sum is the loss.
        weighting: `fixed` weights alone, or balanced by learned uncertainties (Kendall et al., CVPR 2018) beside them.
        teacher_outputs: `cached` computes what the teacher says once, of the unchanged recording; `online` runs the
            teacher on the student's own batch, changed samples included, and is there where both see the same. `auto`
            is `online` where samples are changed at random and both see the same, else `cached`.
        permuted: a control: what the teacher says is exchanged between training recordings, among all or within each
            class.
        untrained: a control: in place of each teacher speaks its network as it was drawn, before it learned anything.
        confidence: leaves pairs without labels out of which the teacher is not sure; None keeps all. An epoch has as
            many steps either way.
        fusion: how several teachers become one: the mean of their probabilities, with `equal` weights or with those
            that say most of the true classes of the `validation` recordings.
    """

    preset: str | None = None
    terms: Annotated[tuple[AnyTerm, ...], Field(min_length=1)]
    weighting: Literal["fixed", "uncertainty"] = "fixed"
    teacher_outputs: Literal["auto", "cached", "online"] = "auto"
    permuted: Literal["none", "all", "class"] = "none"
    untrained: bool = False
    confidence: Confidence | None = None
    fusion: Literal["equal", "validation"] = "equal"

    @model_validator(mode="after")
    def _only_what_is_said_can_be_exchanged(self) -> "Distiller":
        if self.permuted == "none":
            return self
        if not self.needs_teacher:
            raise ValueError("permuted does nothing here: no term compares with a teacher")
        if self.teacher_outputs == "online":
            raise ValueError(
                "permuted exchanges what was stored of other recordings: set teacher_outputs to auto or cached"
            )
        return self

    @model_validator(mode="after")
    def _only_a_teacher_is_untrained(self) -> "Distiller":
        if self.untrained and not self.needs_teacher:
            raise ValueError("untrained does nothing here: no term compares with a teacher")
        return self

    @model_validator(mode="after")
    def _only_a_teacher_is_sure(self) -> "Distiller":
        if self.confidence is not None and not self.needs_teacher:
            raise ValueError("confidence does nothing here: no term compares with a teacher")
        return self

    @model_validator(mode="after")
    def _terms_are_those_of_the_preset(self) -> "Distiller":
        titles = [term.title for term in self.terms]
        twice = sorted({title for title in titles if titles.count(title) > 1})
        if twice:
            raise ValueError(f"two terms are called {', '.join(twice)}: give each a `name` of its own")
        if self.preset is not None:
            own = [term.title for term in lookup(PRESETS, self.preset, "distiller", RecipeError).terms]
            if own != titles:
                raise ValueError(
                    f"preset '{self.preset}' has the terms {', '.join(own)}, not {', '.join(titles)}: "
                    "leave `preset` out for a list of your own"
                )
        return self

    @property
    def title(self) -> str:
        """What tables call it: the preset, or its terms."""
        return self.preset or "+".join(term.title for term in self.terms if term.weight)

    @property
    def needs_teacher(self) -> bool:
        """Whether any term with a weight compares with a teacher."""
        return any(term.weight and term.needs_teacher for term in self.terms)


def terms_that_need_labels(terms: Sequence[TermSettings]) -> tuple[str, ...]:
    """Titles of the terms in use that cannot do without the label of every sample."""
    return tuple(term.title for term in terms if term.weight and term.needs_labels)


def terms_that_reuse(terms: Sequence[TermSettings]) -> tuple[str, ...]:
    """Titles of the terms in use for which the student takes over the teacher's classifier."""
    return tuple(term.title for term in terms if term.weight and term.reuses_classifier)


def expanded_distiller(content: Any) -> Any:
    """The content of a recipe's `distiller` with its preset's terms written out.

    Args:
        content: a preset's name; or a mapping. Beside `preset`, `terms` may map a term's title to the settings that
            differ.

    Raises:
        RecipeError: there is no such preset, or it has no such term.
    """
    if isinstance(content, str):
        content = {"preset": content}
    if not isinstance(content, Mapping) or content.get("preset") is None or isinstance(content.get("terms"), list):
        return content
    preset = lookup(PRESETS, str(content["preset"]), "distiller", RecipeError)
    changes = content.get("terms") or {}
    if not isinstance(changes, Mapping):
        return content  # said to be wrong where the whole recipe is read
    changes = dict(changes)
    terms = [_changed(term, changes.pop(term.title, {})) for term in preset.terms]
    if changes:
        strange, titles = str(next(iter(changes))), [term.title for term in preset.terms]
        raise RecipeError(
            f"distiller.terms.{strange}: preset '{content['preset']}' has no such term, {nearest(strange, titles)}",
            f"Choose one of: {', '.join(titles)}",
        )
    return {"weighting": preset.weighting, **content, "terms": terms}


def _changed(term: TermSettings, changes: Any) -> dict[str, Any]:
    """The content of a preset's term with some of its settings changed."""
    if not isinstance(changes, Mapping):
        raise RecipeError(
            f"distiller.terms.{term.title}: should be keys with values, not {changes!r}",
            f"Write e.g. {term.title}: {{weight: 0.5}}",
        )
    return {**term.model_dump(mode="json"), **changes}
