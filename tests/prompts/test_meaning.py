"""A prompt as a whole: networks out, parts added up, each with its schedule."""

from __future__ import annotations

from modules.prompts.extra_networks import NetworkTag
from modules.prompts.meaning import Meaning, ScheduledPrompt, meaning_of
from modules.prompts.schedules import Stretch


def test_a_prompt_is_read_in_a1111s_order() -> None:
    assert meaning_of("[a<lora:x:1>:b:3] AND (c:1.1) :0.5", 10) == Meaning(
        (NetworkTag("lora", "x", written="<lora:x:1>"),),
        (
            ScheduledPrompt(1.0, (Stretch(3, "a"), Stretch(10, "b"))),
            ScheduledPrompt(0.5, (Stretch(10, " (c:1.1)"),)),
        ),
    )
    assert meaning_of("[a:b:12]", 10, 10).prompts == (ScheduledPrompt(1.0, (Stretch(2, "a"), Stretch(10, "b"))),)
    assert meaning_of("[a:b:1.5]", 10, old=True).prompts == (ScheduledPrompt(1.0, (Stretch(1, "a"), Stretch(10, "b"))),)


def test_and_is_text_in_a_negative_prompt() -> None:
    said = Stretch(10, "a AND b:2")
    assert meaning_of("a AND b:2", 10, negative=True) == Meaning((), (ScheduledPrompt(1.0, (said,)),))


def test_words_of_before_mean_what_they_say() -> None:
    text = "a <lora:x:1> AND [b:c:3] # d"
    assert meaning_of(text, 10, syntax="plain") == Meaning((), (ScheduledPrompt(1.0, (Stretch(10, text),)),))
