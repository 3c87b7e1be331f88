"""What a card of a LoRA or an embedding tells beside what all cards do, and what a click on it puts into a prompt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from modules.api.models.entries import Entry
from modules.api.models.sidecars import Texts
from modules.jobs.models.checkpoint import Checkpoint
from modules.jobs.models.model_file import NETWORK_HASH_LENGTH
from modules.jobs.models.word_widths import why_embedding_does_not_fit, why_lora_does_not_fit
from modules.options import Settings

NETWORKS = ("lora", "embedding")


@dataclass(frozen=True)
class Inserting:
    """How networks are put into a prompt: by their alias or their file's name, and with which weight where none is
    preferred.
    """

    by_alias: bool = True
    weight: float = 1.0

    @classmethod
    def of(cls, settings: Settings) -> Inserting:
        """Return it as the settings have it."""
        return cls(settings.lora_preferred_name == "Alias from file", settings.extra_networks_default_multiplier)


def network_card(entry: Entry, texts: Texts, inserting: Inserting) -> dict[str, Any]:
    """Return what is told of a LoRA or an embedding; nothing of any other kind.

    `insert` is what A1111's cards put into the prompt, with the trigger words, and `insert_negative` into the negative
    one. `suggested_weight` is None where nobody wrote one. `tags` are pairs of a word and how many pictures had it.
    """
    file = entry.file
    if file is None or entry.kind not in NETWORKS:
        return {}
    facts, digest = file.network, file.content_hash
    name = entry.alias if inserting.by_alias else entry.called
    return {
        "call": name,
        "alias": facts.alias if facts is not None else "",
        "algorithm": facts.algorithm if facts is not None else "",
        "rank": facts.rank if facts is not None else None,
        "vectors": facts.vectors if facts is not None else None,
        "tags": [list(one) for one in facts.tags] if facts is not None else [],
        "trigger": facts.trigger if facts is not None else "",
        "network_hash": digest[:NETWORK_HASH_LENGTH] if digest else None,
        "negative_text": texts.negative_text,
        "suggested_weight": texts.preferred_weight or None,
        "sd_version": texts.sd_version,
        "insert": _insert(entry, name, texts, inserting.weight),
        "insert_negative": texts.negative_text,
    }


def fits(entry: Entry, checkpoint: Checkpoint) -> bool:
    """Tell whether a network may go with a model, as far as its header tells; what is no network does."""
    if entry.file is None or entry.kind not in NETWORKS:
        return True
    why = why_lora_does_not_fit if entry.kind == "lora" else why_embedding_does_not_fit
    return why(entry.file, checkpoint) is None


def _insert(entry: Entry, name: str, texts: Texts, weight: float) -> str:
    if entry.kind == "embedding":
        return name
    tag = f"<lora:{name}:{texts.preferred_weight or weight:g}>"
    trigger = texts.activation_text or (entry.network.trigger if entry.network is not None else "")
    return f"{tag} {trigger}" if trigger else tag
