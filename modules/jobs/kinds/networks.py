"""The LoRAs and textual inversions that the words of a job call for, and what is wrong with such a call."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from modules.errors import InvalidRequest, ModelError
from modules.jobs.kinds.network_texts import Text, tags_of
from modules.jobs.models.catalogue import CheckpointCatalogue
from modules.jobs.models.checkpoint import Checkpoint
from modules.jobs.models.model_file import LABELS, ModelFile
from modules.jobs.models.word_widths import why_embedding_does_not_fit, why_lora_does_not_fit
from modules.prompts.extra_networks import NetworkTag, without_networks
from modules.prompts.token_names import names_by_tokens
from modules.prompts.tokens import token_ids

# Beyond it there is no picture left in any model.
_LARGEST_WEIGHT = 100.0
_MOST_TOLD = 12
_LONGEST_SHOWN = 80
# What prompts are written with beside words.
_MARKS = re.compile(r"[()\[\]|:\\]")
_ESCAPED = re.compile(r"\\([\\()\[\]])")


class Fault(NamedTuple):
    """Why something in a prompt is not done as it is written. With a `remedy` it is a network that is left out."""

    what: str
    why: str
    remedy: str = ""
    field: str = "prompt"

    def told(self) -> str:
        """Return what the notes of a job that goes on say."""
        return (
            f"{self.what} {self.why}, so it is left out: {self.remedy}." if self.remedy else f"{self.what} {self.why}."
        )

    def refused(self) -> InvalidRequest:
        """Return what is said where a job is not to go on so."""
        message = f"{self.what} {self.why}: {self.remedy}, or take it out of the prompt."
        return InvalidRequest(message, self.field)


@dataclass(frozen=True)
class Networks:
    """LoRAs by the names that prompts call them by, and embeddings by the words that stand for them, on disk."""

    loras: Mapping[str, ModelFile] = field(default_factory=dict)
    embeddings: Mapping[str, ModelFile] = field(default_factory=dict)
    faults: tuple[Fault, ...] = ()

    def told(self) -> tuple[str, ...]:
        """Return what people are told of a job that goes on with all faults; of very many the first."""
        told = tuple(dict.fromkeys(one.told() for one in self.faults))
        more = len(told) - _MOST_TOLD
        return (*told[:_MOST_TOLD], f"And {more:,} more of this kind.") if more > 0 else told

    def check(self) -> None:
        """Check that nothing is left out.

        Raises:
            InvalidRequest: with the field; something is.
        """
        for one in self.faults:
            if one.remedy:
                raise one.refused()


def find_networks(
    texts: Sequence[Text],
    models: Sequence[Checkpoint],
    catalogue: CheckpointCatalogue,
    known: Networks | None = None,
) -> Networks:
    """Return what these prompts call for. `models` draw, the first one reads; `known` are chosen already.

    What is missing, cannot be used or goes with none of the models is left out, with a fault.
    """
    loras: dict[str, ModelFile] = {}
    faults: list[Fault] = []
    missing: set[str] = set()
    for text, tag in tags_of(texts):
        faults += _faults_of_tag(tag, text.field)
        name = tag.name.strip()
        if tag.kind != "lora" or not name or tag.name in loras or tag.name in missing:
            continue
        found = known.loras.get(tag.name) if known is not None else None
        fault = None
        if found is None:
            found = catalogue.networks.find(name)
            fault = _fault_of_lora(name, found, models, text.field)
        if found is None or fault is not None:
            missing.add(tag.name)
            faults += [fault] if fault is not None else []
        else:
            loras[tag.name] = found
    embeddings, of_embeddings = _find_embeddings(texts, models, catalogue, known)
    return Networks(loras, embeddings, (*faults, *of_embeddings))


def only_settled(texts: Iterable[Text], found: Networks) -> Networks:
    """Return what was found without the faults of prompts in which something is to be chosen yet."""
    fields = {text.field for text in texts if text.is_open}
    faults = tuple(one for one in found.faults if one.field not in fields)
    return Networks(found.loras, found.embeddings, faults)


def _faults_of_tag(tag: NetworkTag, field: str) -> Iterable[Fault]:
    written = _shown(tag.written)
    if tag.kind == "hypernet":
        yield Fault(f"Hypernetwork {_shown(tag.name)!r}", "is of a kind that this version has not", field=field)
    elif tag.kind != "lora":
        yield Fault(written, "calls for nothing that is known here and is left out", field=field)
        return
    for problem in tag.problems:
        yield Fault("In the prompt", problem.rstrip("."), field=field)
    largest = max((tag.te, tag.unet), key=abs)
    if abs(largest) > _LARGEST_WEIGHT:
        why = f"has a weight of {largest:g}, which leaves no picture: most go from -2 to 2"
        yield Fault(written, why, field=field)


def _fault_of_lora(name: str, found: ModelFile | None, models: Sequence[Checkpoint], field: str) -> Fault | None:
    what, place = f"LoRA {_shown(name)!r}", LABELS["lora"][1]
    if found is None:
        return Fault(what, "is not here", f"put it into {place}", field)
    if found.problem is not None:
        return Fault(what, "cannot be used", found.problem.rstrip("."), field)
    whys = [why_lora_does_not_fit(found, model) for model in models]
    if whys and all(whys):
        return Fault(what, f"does not go with the model ({whys[0]})", "use one that was made for it", field)
    return None


def _find_embeddings(
    texts: Sequence[Text], models: Sequence[Checkpoint], catalogue: CheckpointCatalogue, known: Networks | None
) -> tuple[dict[str, ModelFile], list[Fault]]:
    tokenizer_file = models[0].tokenizer_file if models else None
    words = {**catalogue.networks.words(), **(known.embeddings if known is not None else {})}
    if tokenizer_file is None or not words:
        return {}, []
    whys = {word: _why_not_read(file, models) for word, file in words.items()}
    fitting = tuple(word for word, why in whys.items() if why is None)
    try:
        found = _words_in(texts, tokenizer_file, fitting)
        others = _words_in(texts, tokenizer_file, tuple(word for word in words if word not in fitting))
    except ModelError:
        return {}, []  # The model says of its tokenizer what is wrong with it when it is loaded.
    faults = [
        Fault(f"Embedding {word!r}", f"is read as plain text: {why}", field=where)
        for word, where in others.items()
        if (why := whys[word]) is not None
    ]
    return {word: words[word] for word in found}, faults


def _why_not_read(file: ModelFile, models: Sequence[Checkpoint]) -> str | None:
    if file.problem is not None:
        return f"it cannot be used: {file.problem.rstrip('.')}"
    whys = [why_embedding_does_not_fit(file, model) for model in models]
    return whys[0] if all(whys) else None


def _words_in(texts: Sequence[Text], tokenizer_file: Path, words: tuple[str, ...]) -> dict[str, str]:
    """Return which of these words are in the prompts, each with the field of the first one that has it."""
    if not words:
        return {}
    names = names_by_tokens(tokenizer_file, words)
    spoken = [(text.field, without_networks(text.text)[0]) for text in texts]
    forms: tuple[Callable[[str], str], ...] = (
        lambda text: _MARKS.sub(" ", text),
        lambda text: _ESCAPED.sub(r"\1", text),  # a name may have brackets in it
    )
    spoken_in = [where for where, _text in spoken for _form in forms]
    tokens = token_ids(tokenizer_file, [form(text) for _where, text in spoken for form in forms])
    found: dict[str, str] = {}
    for where, ids in zip(spoken_in, tokens, strict=True):
        for name in names.found_in(ids):
            found.setdefault(name, where)
    return found


def _shown(text: str) -> str:
    return text if len(text) <= _LONGEST_SHOWN else f"{text[: _LONGEST_SHOWN - 1]}…"
