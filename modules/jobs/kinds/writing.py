"""From what people wrote to the prompts of a job."""

from __future__ import annotations

from collections.abc import Sequence

from modules.errors import InvalidRequest
from modules.jobs.kinds.base import PictureWords
from modules.jobs.kinds.fields import PROMPT_LONGEST
from modules.prompts.styles.style import Style, with_styles


def written(text: PictureWords, styles: Sequence[Style]) -> PictureWords:
    """Return the prompts with styles put into them, in their order.

    Raises:
        InvalidRequest: one becomes longer than prompts may be.
    """
    words = PictureWords(
        prompt=with_styles(text.prompt.strip(), [style.prompt for style in styles]),
        negative_prompt=with_styles(text.negative_prompt.strip(), [style.negative_prompt for style in styles]),
    )
    longest = max(len(words.prompt), len(words.negative_prompt))
    if styles and longest > PROMPT_LONGEST:
        message = (
            f"With its styles a prompt has {longest:,} characters: {PROMPT_LONGEST:,} are possible, leave some out."
        )
        raise InvalidRequest(message, "styles")
    return words
