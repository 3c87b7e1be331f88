"""What the header of a LoRA or of a textual inversion tells of it, beside the family that it is for."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from modules.jobs.models.detection.adapters import vectors_of_embedding, words_width_of_lora
from modules.jobs.models.detection.tensors import Tensors
from modules.jobs.models.tensor_header import TensorHeader

# By the ends of names that one has alone, the first that fits.
_ALGORITHMS = (
    ((".hada_w1_a",), "LoHa"),
    ((".lokr_w1", ".lokr_w1_a"), "LoKr"),
    ((".oft_blocks", ".oft_diag"), "OFT"),
    ((".on_input",), "(IA)3"),
    ((".a1.weight",), "GLoRA"),
    ((".dora_scale",), "DoRA"),
    ((".lora_mid.weight",), "LoCon"),
)
_RANKED = (
    ".lora_down.weight", ".lora_A.weight", ".lora.down.weight", "_lora.down.weight", ".lora_A.default.weight",
    ".hada_w1_b", ".lokr_w1_b", ".lokr_w2_b", "_lora1.down.weight", "_lora2.down.weight",
    ".lora_linear_layer.down.weight",
)  # fmt: skip
_FULL = (".diff", ".diff_b", ".w_norm", ".b_norm")
_BUNDLED = "bundle_emb."
_MOST_TAGS = 40
_LONGEST_TAG = 120
_LONGEST_TEXT = 1_000
_MOST_BUNDLED = 64


@dataclass(frozen=True)
class NetworkFacts:
    """`algorithm` is how it changes weights ("LoRA", "LoHa" …), `rank` that of its largest part; None is unknown.

    `alias` is the name that it was trained under. `width` is that of the words that it reads or stands for: of a LoRA
    what the cross attention is given, of an embedding all vectors for one token side by side; None: it does not tell.
    `vectors` is how many tokens an embedding takes. `trigger` are the words that its maker put into the file, `tags`
    those that its training pictures had, the most frequent first, each with how many pictures. `bundled` are names of
    embeddings inside a LoRA. `told_hash` is the hash of its tensors as its metadata have it.
    """

    alias: str = ""
    algorithm: str = ""
    rank: int | None = None
    width: int | None = None
    vectors: int | None = None
    trigger: str = ""
    tags: tuple[tuple[str, int], ...] = ()
    bundled: tuple[str, ...] = ()
    told_hash: str = ""


def facts_of_lora(header: TensorHeader) -> NetworkFacts:
    """Return what a LoRA tells of itself."""
    tensors, metadata = Tensors(header.tensors), header.metadata
    return NetworkFacts(
        alias=_line(metadata.get("ss_output_name", "")),
        algorithm=_algorithm(tensors),
        rank=_rank(tensors, metadata),
        width=words_width_of_lora(tensors),
        trigger=_line(metadata.get("modelspec.trigger_phrase", "")),
        tags=_tags(metadata.get("ss_tag_frequency", "")),
        bundled=_bundled(tensors),
        told_hash=_line(metadata.get("sshs_model_hash", "")).casefold(),
    )


def facts_of_embedding(header: TensorHeader) -> NetworkFacts:
    """Return what a textual inversion tells of itself."""
    vectors, width = vectors_of_embedding(Tensors(header.tensors))
    trigger = _line(header.metadata.get("modelspec.trigger_phrase", ""))
    return NetworkFacts(algorithm="Textual inversion", vectors=vectors, width=width, trigger=trigger)


def _algorithm(tensors: Tensors) -> str:
    for ends, name in _ALGORITHMS:
        if tensors.ends(*ends):
            return name
    return "Full" if tensors.ends(*_FULL) and not tensors.ends(*_RANKED) else "LoRA"


def _rank(tensors: Tensors, metadata: Mapping[str, str]) -> int | None:
    ranks = [entry.shape[0] for name, entry in tensors.entries.items() if name.endswith(_RANKED) and entry.shape]
    if ranks:
        return max(ranks)
    said = metadata.get("ss_network_dim", "")
    return int(said) if said.isascii() and said.isdigit() and len(said) < 7 else None


def _tags(text: str) -> tuple[tuple[str, int], ...]:
    """Return the most frequent tags of all folders of training pictures; what is no table of them tells none."""
    try:
        folders = json.loads(text) if text else {}
    except (ValueError, RecursionError):
        return ()
    counts: Counter[str] = Counter()
    for tags in folders.values() if isinstance(folders, dict) else ():
        for tag, count in tags.items() if isinstance(tags, dict) else ():
            if type(count) is int and count > 0 and (name := tag.strip()):
                counts[name[:_LONGEST_TAG]] += count
    return tuple(counts.most_common(_MOST_TAGS))


def _bundled(tensors: Tensors) -> tuple[str, ...]:
    names = (name.split(".")[1] for name in tensors if name.startswith(_BUNDLED))
    return tuple(dict.fromkeys(names))[:_MOST_BUNDLED]


def _line(text: str) -> str:
    return " ".join(text[:_LONGEST_TEXT].split())
