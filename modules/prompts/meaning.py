"""What a prompt says as a whole: the networks that it calls for, and what is read at each step."""

from __future__ import annotations

from typing import NamedTuple

from modules.prompts.attention import Piece, pieces_of
from modules.prompts.composition import SubPrompt, subprompts_of
from modules.prompts.extra_networks import NetworkTag, without_networks
from modules.prompts.schedule_tree import texts_in, tree_of
from modules.prompts.schedules import Stretch, schedule_of


class ScheduledPrompt(NamedTuple):
    """One of the prompts that are added up: its weight, and what it says in the course of the steps."""

    weight: float
    schedule: tuple[Stretch, ...]


class Meaning(NamedTuple):
    """The networks of a prompt, and its parts: one, or as many as AND joins."""

    networks: tuple[NetworkTag, ...]
    prompts: tuple[ScheduledPrompt, ...]


def meaning_of(
    text: str,
    steps: int,
    base_steps: int | None = None,
    *,
    syntax: str = "a1111",
    old: bool = False,
    negative: bool = False,
) -> Meaning:
    """Return what a prompt means in so many calls of the denoiser; `schedule_of` says what the values are.

    `syntax` "plain" takes all as text. AND in a negative prompt is text, as in A1111. Comments are no part of a job's
    prompts: they are taken out when it is sent. Weights are in the texts still: `pieces_of` reads them.
    """
    if syntax == "plain":
        return Meaning((), (ScheduledPrompt(1.0, (Stretch(steps, text),)),))
    said, networks = without_networks(text)
    parts = (SubPrompt(said),) if negative else subprompts_of(said)
    return Meaning(
        networks, tuple(ScheduledPrompt(part.weight, schedule_of(part.text, steps, base_steps, old)) for part in parts)
    )


def has_syntax(text: str, negative: bool = False) -> bool:
    """Tell whether a prompt means anything else than its text."""
    said, networks = without_networks(text)
    if networks or (not negative and subprompts_of(said) != (SubPrompt(said.rstrip()),)):
        return True
    changes = any(not isinstance(item, str) for item in tree_of(said) or ())
    return changes or pieces_of(said) != ((Piece(said),) if said else ())


def has_brackets(text: str) -> bool:
    """Tell whether a bracket is left in what is read at some step: A1111 tells of another emphasis only then."""
    said, _networks = without_networks(text)
    items = tree_of(said)
    return any("(" in one or "[" in one for one in ((said,) if items is None else texts_in(items)))
