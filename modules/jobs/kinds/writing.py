"""From what people wrote to the prompts of a job."""

from __future__ import annotations

from collections.abc import Sequence

from modules.jobs.kinds.base import PictureWords, Words
from modules.jobs.kinds.fields import PROMPT_LONGEST
from modules.options import Settings
from modules.prompts.comments import without_comments
from modules.prompts.styles.style import Style, with_styles


def written(text: PictureWords, styles: Sequence[Style], settings: Settings) -> PictureWords:
    """Return the prompts with styles put into them, in their order, and without comments where the settings have these.

    Raises:
        InvalidRequest: one becomes longer than prompts may be.
    """
    negative_texts = [style.negative_prompt for style in styles]
    words = PictureWords(
        prompt=with_styles(text.prompt.strip(), [style.prompt for style in styles], PROMPT_LONGEST),
        negative_prompt=with_styles(text.negative_prompt.strip(), negative_texts, PROMPT_LONGEST),
    )
    if not settings.enable_prompt_comments:
        return words
    return PictureWords(
        prompt=without_comments(words.prompt).strip(), negative_prompt=without_comments(words.negative_prompt).strip()
    )


def words_of(text: PictureWords, clip_skip: int, settings: Settings) -> Words:
    """Return the words of a pass, and how they are read: the settings as they are now are kept with the job."""
    return Words(
        prompt=text.prompt,
        negative_prompt=text.negative_prompt,
        clip_skip=clip_skip,
        syntax="a1111",
        emphasis=settings.emphasis,
        old_editing=settings.use_old_scheduling,
        comma_backtrack=settings.comma_padding_backtrack,
    )
