"""The prompts of a job, as far as networks are named in them, and which networks each picture has."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from modules.jobs.kinds.base import PictureWords, ResolvedJob, Source, Words
from modules.prompts.extra_networks import NetworkTag, without_networks

# What variants and wildcards are written with: which words these become is known when they are.
_OPEN = re.compile(r"__\S|[{}]")


class Text(NamedTuple):
    """A prompt of a job, and the request's field that it stands in. Only those that `calls` have tags that count."""

    text: str
    field: str = "prompt"
    calls: bool = True

    @property
    def is_open(self) -> bool:
        """Whether something in it is to be chosen yet."""
        return _OPEN.search(self.text) is not None


def texts_sent(prompts: Sequence[PictureWords], *, calls: bool) -> tuple[Text, ...]:
    """Return the prompts of a request, of its first pass and the second one; those that both have once."""
    found: dict[str, Text] = {}
    for one, prefix in zip(prompts, ("", "hr_"), strict=False):
        found.setdefault(f"+{one.prompt}", Text(one.prompt, f"{prefix}prompt", calls))
        negative = Text(one.negative_prompt, f"{prefix}negative_prompt", calls=False)
        found.setdefault(f"-{one.negative_prompt}", negative)
    return tuple(found.values())


def texts_of(resolved: ResolvedJob, index: int | None = None) -> tuple[Text, ...]:
    """Return the prompts of a job, or of one of its pictures, in all passes; none where they are plain text."""
    found: dict[Text, None] = {}
    for words, prefix in ((resolved.words, ""), *((one.words, "hr_") for one in resolved.passes)):
        if words is None or words.syntax == "plain":
            continue
        for one in _words_of(words, index):
            found[Text(one.prompt, f"{prefix}prompt")] = None
            found[Text(one.negative_prompt, f"{prefix}negative_prompt", calls=False)] = None
    return tuple(found)


def tags_of(texts: Sequence[Text]) -> Iterable[tuple[Text, NetworkTag]]:
    """Yield the tags that count, each with the prompt that it stands in."""
    for text in texts:
        if text.calls:
            yield from ((text, tag) for tag in without_networks(text.text)[1])


def networks_in(resolved: ResolvedJob, index: int) -> tuple[dict[str, Source], dict[str, Source]]:
    """Return the LoRAs and the embeddings of the picture with this index, in the order of its words."""
    sources = resolved.sources
    if not sources.networks and not sources.embeddings:
        return {}, {}
    texts = texts_of(resolved, index)
    called = dict.fromkeys(tag.name for _text, tag in tags_of(texts) if tag.kind == "lora")
    loras = {name: sources.networks[name] for name in called if name in sources.networks}
    if not has_words_of_each(resolved):
        return loras, dict(sources.embeddings)  # As they were found by their tokens; all pictures have the same words.
    spoken = [" ".join(without_networks(text.text)[0].split()).casefold() for text in texts]
    return loras, {word: one for word, one in sources.embeddings.items() if any(_holds(text, word) for text in spoken)}


def calls_of(resolved: ResolvedJob, index: int) -> tuple[tuple[str, str], ...]:
    """Return the tags of a picture's prompts as they are written, each with the field of its prompt."""
    return tuple((text.field, tag.written) for text, tag in tags_of(texts_of(resolved, index)))


def _words_of(words: Words, index: int | None) -> Sequence[PictureWords]:
    if index is not None:
        return (words.of(index),)
    return words.each or (words.of(0),)


def has_words_of_each(resolved: ResolvedJob) -> bool:
    """Tell whether the pictures of a job have words of their own, in any pass."""
    return any(words is not None and words.each for words in (resolved.words, *(one.words for one in resolved.passes)))


def _holds(text: str, word: str) -> bool:
    """Tell whether a word is in a text, both case-folded but for the word: at the end of one of the text's words."""
    wanted = " ".join(word.split()).casefold()
    ends = r"(?![^\W\d_])" if wanted[-1:].isalpha() else ""
    return re.search(re.escape(wanted) + ends, text) is not None
