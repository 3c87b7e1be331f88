"""What the names in patterns for files stand for, of a picture that is drawn."""

from __future__ import annotations

import datetime
import hashlib
import re
import string
import time
import zoneinfo
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from modules.images.patterns import NOTHING, Value, clean_part
from modules.jobs.kinds.base import ResolvedJob
from modules.jobs.models.names import without_suffix
from modules.jobs.samplers import effective_schedule, find_sampler, find_schedule
from modules.prompts.styles.style import Style, without_styles

_NO_WORDS = re.compile(f"[\\s{re.escape(string.punctuation)}]+")
_HASH_LENGTH = 8
_MOMENT = "%Y%m%d%H%M%S"
_DAY = "%Y-%m-%d"
_BASENAME = "img"


@dataclass(frozen=True)
class Occasion:
    """What a name tells beside the picture itself: times in seconds since the epoch, whose job it is, and its pixels.

    `created_at` is when the job was made, `now` when the picture is saved. `image_hash` is asked for where it is named.
    `styles` are those that its prompts have.
    """

    created_at: float
    now: float
    owner: str
    size: tuple[int, int]
    image_hash: Callable[[], str]
    prompt_words: int = 8
    styles: tuple[Style, ...] = ()


def values_of(resolved: ResolvedJob, index: int, occasion: Occasion) -> Mapping[str, Value]:
    """Return what each name of a pattern stands for, of the picture with this index."""
    words = resolved.words.of(index)
    return {
        **_of_words(words.prompt, words.negative_prompt, occasion),
        **_of_drawing(resolved, index),
        **_of_batch(resolved, index),
        **_of_occasion(occasion),
    }


def _of_words(prompt: str, negative: str, occasion: Occasion) -> dict[str, Value]:
    styles, count = occasion.styles, occasion.prompt_words

    def hasprompt(*words: str) -> str:
        found = [_word(word, prompt.lower()) for word in words if word]
        return clean_part("".join(found), spaces=False)

    def first_words() -> str:
        words = [word for word in _NO_WORDS.split(prompt) if word]
        return clean_part(" ".join(words[:count]) or "empty")

    return {
        "prompt": lambda: clean_part(prompt, spaces=False),
        "prompt_no_styles": lambda: clean_part(without_styles(prompt, [style.prompt for style in styles])),
        "prompt_spaces": lambda: clean_part(prompt),
        "prompt_words": first_words,
        "hasprompt": hasprompt,
        "prompt_hash": lambda length="": _digest(prompt, length),
        "negative_prompt_hash": lambda length="": _digest(negative, length),
        "full_prompt_hash": lambda length="": _digest(f"{prompt} {negative}", length),
        "styles": lambda: clean_part(", ".join(style.name for style in styles) or "None"),
    }


def _word(argument: str, prompt: str) -> str:
    """Return the word where it is in the prompt, else what stands behind a "|"."""
    word, _, otherwise = argument.partition("|")
    return word.lower() if word.lower() in prompt else otherwise


def _digest(text: str, length: str) -> str:
    return hashlib.sha256(text.encode("utf-8", errors="surrogatepass")).hexdigest()[: int(length or _HASH_LENGTH)]


def _of_drawing(resolved: ResolvedJob, index: int) -> dict[str, Value]:
    first, sources = resolved.passes[0], resolved.sources
    schedule = effective_schedule(find_sampler(first.sampler_name), find_schedule(first.scheduler)).label
    strengths = (one.denoising_strength for one in resolved.passes)
    strength = next((one for one in strengths if one is not None), None)
    vae = "None" if sources.vae is None else without_suffix(sources.vae.name).rpartition("/")[2]
    return {
        "seed": lambda: str(resolved.seed_of(index)),
        "steps": lambda: str(first.steps if first.steps_asked is None else first.steps_asked),
        "cfg": lambda: str(first.cfg_scale),
        "sampler": lambda: clean_part(first.sampler_name, spaces=False),
        "scheduler": lambda: clean_part(schedule, spaces=False),
        "sampler_scheduler": lambda: clean_part(f"{first.sampler_name} {schedule}", spaces=False),
        "model_name": lambda: clean_part(without_suffix(sources.checkpoint.name).rpartition("/")[2]),
        "model_hash": lambda: sources.checkpoint.short_hash,
        "vae_filename": lambda: clean_part(vae),
        "clip_skip": lambda: str(resolved.words.clip_skip),
        "denoising": lambda: NOTHING if strength is None else f"{strength:g}",
    }


def _of_batch(resolved: ResolvedJob, index: int) -> dict[str, Value]:
    size, count = resolved.batch_size, resolved.image_count
    return {
        "batch_size": lambda: str(size),
        "batch_number": lambda: NOTHING if size == 1 else str(index % size + 1),
        "generation_number": lambda: NOTHING if count == 1 else str(index + 1),
        "seed_first": lambda: NOTHING if size == 1 else str(resolved.seed_of(0)),
        "seed_last": lambda: NOTHING if size == 1 else str(resolved.seed_of(count - 1)),
    }


def _of_occasion(occasion: Occasion) -> dict[str, Value]:
    width, height = occasion.size
    return {
        **times_of(occasion.created_at),
        "width": lambda: str(width),
        "height": lambda: str(height),
        "datetime": lambda form="", zone="": _moment(occasion.now, form, zone),
        "image_hash": lambda length="": occasion.image_hash()[: int(length) if length else None],
        "user": lambda: clean_part(occasion.owner, spaces=False),
        "basename": lambda: _BASENAME,
        "none": lambda: "",
    }


def times_of(created_at: float) -> dict[str, Value]:
    """Return what names tell of when a job was made."""
    made = time.localtime(created_at)
    return {"date": lambda: time.strftime(_DAY, made), "job_timestamp": lambda: time.strftime(_MOMENT, made)}


def _moment(now: float, form: str, zone: str) -> str:
    """Return a time; of a zone that is not known the local one, of a form that is none the usual one."""
    try:
        where = zoneinfo.ZoneInfo(zone) if zone else None
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        where = None
    at = datetime.datetime.fromtimestamp(now, tz=datetime.UTC).astimezone(where)
    try:
        told = at.strftime(form or _MOMENT)
    except ValueError:
        told = ""
    return clean_part(told or at.strftime(_MOMENT))
