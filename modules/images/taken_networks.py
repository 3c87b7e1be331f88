"""The LoRAs and embeddings of an infotext: named as they are here, told of where they are not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from modules.images.models_by_name import SHORTEST_HASH, hashes_in
from modules.jobs.kinds.fields import PROMPT_LONGEST
from modules.jobs.models.model_file import NETWORK_HASH_LENGTH, ModelFile
from modules.jobs.models.networks import NetworkCatalogue
from modules.prompts.extra_networks import NetworkTag, without_networks

_PROMPTS = ("prompt", "hr_prompt")
_Left = tuple[str, str, str]  # what, with which value, and why


def take_networks(
    found: Mapping[str, Any], pairs: Mapping[str, str], networks: NetworkCatalogue | None
) -> tuple[dict[str, str], list[_Left]]:
    """Return the prompts that call a LoRA by its name here where it has another one, and what is not here.

    As with A1111 a LoRA is known by the hash that the infotext tells of it, else by its name. `networks` None: nothing
    is known of what is here.
    """
    hashes = hashes_in(pairs.get("Lora hashes", ""))
    prompts: dict[str, str] = {}
    left: dict[_Left, None] = {}
    for field in _PROMPTS:
        text = found.get(field)
        if not isinstance(text, str) or len(text) > PROMPT_LONGEST or networks is None:
            continue  # What is longer goes into no field.
        taken = text
        for tag in dict.fromkeys(without_networks(text)[1]):
            if tag.kind != "lora":
                continue
            digest = hashes.get(_bare(tag.name), "")
            file, told = _find(tag.name, digest, networks)
            if told is not None:
                left[told] = None
            if file is not None and networks.find(tag.name) != file:
                taken = taken.replace(tag.written, _renamed(tag, networks.names().name_of(file)))
        if taken != text:
            prompts[field] = taken
    words = {} if networks is None else {word.casefold(): file for word, file in networks.words().items()}
    for word, digest in hashes_in(pairs.get("TI hashes", "")).items():
        if networks is not None and (why := _why_embedding_is_left(words.get(word.casefold()), digest)) is not None:
            left["Embedding", f"{word} [{digest}]", why] = None
    return prompts, list(left)


def _find(name: str, digest: str, networks: NetworkCatalogue) -> tuple[ModelFile | None, _Left | None]:
    """Return the LoRA that is meant, and what is to be told of it."""
    shown = f"{name} [{digest}]" if digest else name
    file = networks.of_hash(digest) if len(digest) >= SHORTEST_HASH else None
    if file is None:
        file = networks.find(name)
        if file is None:
            return None, ("LoRA", shown, "is not here; it stays in the prompt, and is left out of the picture")
        own = file.content_hash
        if digest and own is not None and not own.startswith(digest):
            why = f"the one of that name here has other weights [{own[:NETWORK_HASH_LENGTH]}], and is used"
            return file, ("LoRA", shown, why)
    if file.problem is not None:
        return file, ("LoRA", shown, f"cannot be used: {file.problem}")
    return file, None


def _why_embedding_is_left(file: ModelFile | None, digest: str) -> str | None:
    if file is None:
        return "is not here; its word is read as text"
    if file.problem is not None:
        return f"cannot be used: {file.problem}"
    own = file.sha256
    if digest and own is not None and not own.startswith(digest):
        return f"the one of that name here has other vectors [{own[:NETWORK_HASH_LENGTH]}], and is used"
    return None


def _bare(name: str) -> str:
    """Return a name as A1111 writes it among the hashes."""
    return name.replace(",", "").strip()


def _renamed(tag: NetworkTag, name: str) -> str:
    return tag.written.replace(f":{tag.name}", f":{name}", 1)
