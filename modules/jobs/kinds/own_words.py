"""The words of each picture of a job, where wildcards and variants choose them by its seed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from modules.errors import InvalidRequest
from modules.jobs.kinds.base import PictureWords, ResolvedJob, Words
from modules.jobs.kinds.fields import BATCH_COUNT_HIGHEST, PROMPT_LONGEST
from modules.prompts.dynamic.combinations import TooManyCombinations, combinations
from modules.prompts.dynamic.expansion import expand
from modules.prompts.dynamic.template import is_template
from modules.prompts.dynamic.values import Lookup

# So that what is drawn by chance in one prompt says nothing of the other.
_NEGATIVE = "negative"


def all_prompts(prompt: str, wildcards: Lookup, times: int) -> tuple[str, ...]:
    """Return all that a prompt can become, each of which is drawn so many times; nothing where that is one.

    Raises:
        InvalidRequest: there are more than a job may draw.
    """
    most = BATCH_COUNT_HIGHEST // times
    try:
        found = combinations(prompt, wildcards, most, PROMPT_LONGEST)
    except TooManyCombinations as error:
        message = (
            f"The prompt has more than {most:,} combinations, too long ones, or a wildcard that leads to itself: "
            "take some out, or draw without all combinations."
        )
        raise InvalidRequest(message, "combinatorial") from error
    return found if len(found) > 1 else ()


def with_own_words(
    resolved: ResolvedJob,
    wildcards: Lookup,
    of_all: Sequence[str] = (),
    get_on: Callable[[], None] = lambda: None,
) -> ResolvedJob:
    """Return a job with the words of each of its pictures, in all passes. Pure: the same job gives the same words.

    `of_all` are the prompts that the job is to draw all of, each by as many pictures as the others, in order. `get_on`
    is called for each picture, of which there may be thousands, and may raise.
    """
    whole, count = resolved.words, resolved.image_count

    def templates_of(words: Words) -> Callable[[int], str]:
        """All that a prompt can become is drawn in each pass that has this prompt."""
        if not of_all or words.prompt != whole.prompt:
            return lambda _index: words.prompt
        return lambda index: of_all[index * len(of_all) // count]

    def own(words: Words) -> Words:
        seeds = (resolved.seed_of(index) for index in range(count))
        return _chosen(words, templates_of(words), seeds, wildcards, get_on)

    passes = tuple(
        one if one.words is None else one.model_copy(update={"words": own(one.words)}) for one in resolved.passes
    )
    return resolved.model_copy(update={"words": own(whole), "passes": passes})


def templates(words: Words, prompt: str, negative_prompt: str) -> dict[str, str]:
    """Return the prompts that the words of a job were made of, under these two names; those alone that choose."""
    if words.templates is None:
        return {}
    named = {prompt: words.templates.prompt, negative_prompt: words.templates.negative_prompt}
    return {name: text for name, text in named.items() if is_template(text)}


def _chosen(
    words: Words,
    template_of: Callable[[int], str],
    seeds: Iterable[int],
    wildcards: Lookup,
    get_on: Callable[[], None],
) -> Words:
    if not (is_template(words.prompt) or is_template(words.negative_prompt)):
        return words
    written = PictureWords(prompt=words.prompt, negative_prompt=words.negative_prompt)
    each: list[PictureWords] = []
    for index, seed in enumerate(seeds):
        get_on()
        prompt = expand(template_of(index), seed, wildcards, PROMPT_LONGEST)
        negative = expand(written.negative_prompt, seed, wildcards, PROMPT_LONGEST, _NEGATIVE)
        each.append(PictureWords(prompt=prompt, negative_prompt=negative))
    first, different = each[0], len(set(each)) > 1
    if first == written and not different:
        return words
    own = {"each": tuple(each) if different else (), "templates": written}
    return words.model_copy(update=own | first.model_dump())
