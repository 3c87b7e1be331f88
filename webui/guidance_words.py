"""What the page says of guidance and shift: each kind of model has its own, under names that are easily confused."""

from __future__ import annotations

from modules.jobs.models.checkpoint import Checkpoint
from modules.jobs.models.families import can_be_told_of_picture, facts_of, predicts_flow, told_of_picture

# What a slider shows while no model with such a guidance was chosen; Flux.1 dev's.
USUAL_DISTILLED = 3.5

_CFG = "The prompt against the negative one; 1 is off, in half the time."
_TRUE = "True CFG: the prompt against the negative one; 1 is off, in half the time."
_BESIDE = "True CFG, beside the distilled one: above 1 the negative prompt counts, in twice the time; 1 is off."
_FROM_ZERO = "Counted from 1, which is off: on this model's cards, which count from 0, it is one less."
_NO_CFG = "Not used: this model has distilled guidance alone."
_DISTILLED = "Guidance that was distilled into the model: higher is closer to the prompt, lower more natural."
_READS = "Told of it, the model begins with noise: say what to change, whatever the denoising strength."
_IMAGE_CFG = "The picture against none: higher keeps more of it."
_SHIFT = "Moves the steps towards the noise: higher for large pictures, lower for fine detail. Empty: the model's own."
_OF_FAMILY = {
    "qwen-image": _TRUE, "z-image": _FROM_ZERO, "Krea2Pipeline": _FROM_ZERO, "Kandinsky3Pipeline": _FROM_ZERO,
}  # fmt: skip
# With these the negative prompt never has a part in the picture.
_WITHOUT_NEGATIVE = ("flux2",)
# Models whose cards want no more steps were distilled: what is measured of others says nothing of them.
_FEW_STEPS = 10


def words_of(one: Checkpoint) -> dict[str, object]:
    """Return what the page's scripts show of a model's guidance; for all models of its key (`key_of`) the same.

    `cfg`, `distilled`, `image_cfg`, `reads` and `shift` are words beside those fields, "" where the model has none.
    `own_shift`: None is worked out from the size. `strays`: is it of those with which samplers were measured?
    """
    facts = facts_of(one.family, one.variant)
    flow = predicts_flow(one.family, one.prediction)
    distilled = facts is not None and facts.guidance == "distilled"
    sprint = distilled and one.family == "sana"
    without = one.family in _WITHOUT_NEGATIVE or sprint
    return {
        "cfg": _NO_CFG if without else _OF_FAMILY.get(one.family, _BESIDE if distilled else _CFG),
        "distilled": _DISTILLED if distilled else "",
        "image_cfg": _IMAGE_CFG if told_of_picture(one.family, one.variant) == "always" else "",
        "reads": _READS if can_be_told_of_picture(one.family, one.variant) else "",
        "shift": _SHIFT if flow and not sprint else "",
        "own_shift": facts.shift if facts is not None else None,
        "negative": not without,
        "strays": flow and one.defaults.steps > _FEW_STEPS,
    }


def key_of(one: Checkpoint) -> str:
    """Return what models have in common of which the page says the same."""
    many = "" if one.defaults.steps > _FEW_STEPS else "few"
    return " ".join(part for part in (one.family, one.variant, one.prediction, many) if part)


def distilled_of(one: Checkpoint | None) -> float:
    """Return the distilled guidance that suits a model; of most it is not asked for."""
    facts = facts_of(one.family, one.variant) if one is not None else None
    found = facts.distilled_cfg_scale if facts is not None else None
    return USUAL_DISTILLED if found is None else found
