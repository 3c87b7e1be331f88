"""Texts out of sight, in which the page's scripts and the listeners of a drawing tab hand things to each other."""

from __future__ import annotations

from dataclasses import dataclass

from webui.components import hidden_text
from webui.listeners import Component


@dataclass(frozen=True)
class Texts:
    """`job` and `retry_of` are ids that the scripts put in; the others are JSON that the server answers, or ""."""

    job: Component
    retry_of: Component
    answer: Component
    refusal: Component
    taken: Component


def build(prefix: str) -> Texts:
    """Make them."""
    return Texts(
        job=hidden_text(f"{prefix}_job"),
        retry_of=hidden_text(f"{prefix}_retry_of"),
        answer=hidden_text(f"{prefix}_answer"),
        refusal=hidden_text(f"{prefix}_refusal"),
        taken=hidden_text(f"{prefix}_taken_over"),
    )
