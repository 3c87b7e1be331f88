"""A1111's patterns for the names of files and folders."""

from __future__ import annotations

import hashlib
import time
from pathlib import PurePosixPath
from typing import Any

import pytest
from hypothesis import given, settings, strategies

from modules.images.pattern_values import Occasion, values_of
from modules.images.patterns import NOTHING, clean_part, filled, inside, path_parts
from modules.images.saved_names import drawn_name
from modules.jobs.kinds.base import ResolvedJob
from modules.jobs.kinds.files import Naming
from modules.prompts.styles.style import Style
from tests.jobs.made_jobs import HASH
from tests.jobs.made_jobs import resolved_job as resolved

MADE = time.mktime((2026, 11, 24, 12, 0, 5, 0, 0, -1))
SAVED = 1_764_000_000.0  # 16:00 in UTC
PROMPT = "a Cat, sitting: on a/hill"


def occasion(**changes: Any) -> Occasion:
    values: dict[str, Any] = {
        "created_at": MADE, "now": SAVED, "owner": "me & you", "size": (512, 768), "image_hash": lambda: "f" * 64,
    }  # fmt: skip
    return Occasion(**(values | changes))


def named(pattern: str, job: ResolvedJob | None = None, index: int = 0) -> str:
    return filled(pattern, values_of(job or resolved(prompt=PROMPT), index, occasion()))


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        ("[seed]", "1000"),
        ("[SEED]-[steps]-[cfg]", "1000-20-7.0"),
        ("[width]x[height]", "512x768"),
        ("[sampler] [scheduler] [sampler_scheduler]", "Euler_a Automatic Euler_a_Automatic"),
        ("[model_name] [model_hash]", f"emoji {HASH[:10]}"),
        ("[vae_filename] [clip_skip] [styles] [user] [basename]", "None 1 None me_&_you img"),
        ("[date]_[job_timestamp]", "2026-11-24_20261124120005"),
        ("[datetime<%Y><UTC>]-[datetime<%H%M><Asia/Tokyo>]", "2025-0100"),
        ("[prompt]", "a_Cat,_sitting__on_a_hill"),
        ("[prompt_spaces]", "a Cat, sitting_ on a_hill"),
        ("[prompt_no_styles]", "a Cat, sitting_ on a_hill"),
        ("[prompt_words]", "a Cat sitting on a hill"),
        ("[prompt_hash]-[prompt_hash<4>]", "{0:.8}-{0:.4}".format(hashlib.sha256(PROMPT.encode()).hexdigest())),
        ("[negative_prompt_hash<3>]", hashlib.sha256(b"").hexdigest()[:3]),
        ("[full_prompt_hash]", hashlib.sha256(f"{PROMPT} ".encode()).hexdigest()[:8]),
        ("[image_hash<5>]", "fffff"),
        ("[image_hash]", "f" * 64),
        ("[hasprompt<cat|dog><bird|no bird>]", "catno_bird"),
        ("[none]", ""),
        ("[seed]-[batch_number]-[generation_number]-[seed_last]-[denoising]", "1000"),
        ("[foo]-[foo<bar>]", "[foo]-[foo<bar>]"),
        ("[prompt_hash<many>] [width<1>] [datetime<%Y><Mars/Crater>]", "[prompt_hash<many>] [width<1>] 2025"),
        ("[ [] [seed", "[ [] [seed"),
    ],
)
def test_what_each_pattern_stands_for(pattern: str, name: str) -> None:
    assert named(pattern) == name


def test_of_a_batch_the_places_are_told() -> None:
    job = resolved(batch_size=2, n_iter=3)
    assert named("[seed]-[batch_number]-[generation_number]", job, 3) == "1003-2-4"
    assert named("[batch_size] [seed_first] [seed_last]", job, 3) == "2 1000 1005"
    several = resolved(n_iter=3)
    assert named("[seed]-[batch_number]-[generation_number]", several, 2) == "1002-3"


def test_the_styles_of_a_prompt_are_told_and_it_without_them() -> None:
    styles = (Style("ink: fine", "ink of {prompt}!"), Style("oil", "oil"), Style("none"))
    of_job = occasion(styles=styles)
    for prompt, bare in (("ink of a Cat!, oil", "a Cat"), ("a Cat, oil", "a Cat"), ("a dog", "a dog")):
        values = values_of(resolved(prompt=prompt), 0, of_job)
        assert filled("[styles]/[prompt_no_styles]", values) == f"ink_ fine, oil, none/{bare}"


def test_automatic_is_what_it_stands_for_with_a_sampler() -> None:
    assert named("[sampler_scheduler]", resolved(sampler_name="DPM++ 2M")) == "DPM++_2M_Karras"
    assert named("[prompt_words]", resolved(prompt="...")) == "empty"


def test_a_part_is_what_every_file_system_takes() -> None:
    assert clean_part(' a<b>:"c"/d\\e|f?g*h\ni#\x7f ... ') == "a_b___c__d_e_f_g_h_i__"
    assert len(clean_part("x" * 500)) == 128


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("../../etc/passwd", ("etc", "passwd")),
        ("/root/.ssh/key", ("root", ".ssh", "key")),
        ("C:\\Windows\\x", ("C_", "Windows", "x")),
        ("a//./b/ . /..", ("a", "b")),
        ("nul/com1.txt", ("_nul", "_com1.txt")),
        ("a\0b\nc", ("a_b_c",)),
        ("", ()),
    ],
)
def test_no_name_leads_out_of_its_folder(text: str, parts: tuple[str, ...]) -> None:
    assert path_parts(text) == parts
    assert inside(PurePosixPath("outputs"), text) == PurePosixPath("outputs", *parts)


@settings(deadline=None, max_examples=200)
@given(strategies.text(), strategies.text())
def test_whatever_is_asked_for_is_a_name_within_outputs(pattern: str, prompt: str) -> None:
    job = resolved(prompt=prompt)
    naming = Naming(folder=pattern or None, folders=pattern, name=f"{pattern}/[prompt]", numbered=False)
    job = job.model_copy(update={"saving": job.saving.model_copy(update={"naming": naming})})
    name = drawn_name(job, 0, occasion(), ".png")
    whole = PurePosixPath(name.with_number(7))
    assert whole.parts[0] == "outputs" and ".." not in whole.parts and not whole.is_absolute()
    assert all(len(part.encode()) <= 230 and "\0" not in part for part in whole.parts)


@pytest.mark.parametrize("pattern", ["[" * 5_000, "[a" * 5_000, "[" + "<x>" * 5_000 + "]", "[a<" * 3_000, "<>" * 9_000])
def test_a_hostile_pattern_costs_no_more_than_its_length(pattern: str) -> None:
    assert isinstance(named(pattern), str)


def test_names_as_always_are_those_of_before() -> None:
    assert drawn_name(resolved(), 1, occasion(), ".png").with_number(12) == (
        "outputs/txt2img-images/2026-11-24/00012-1001.png"
    )
    assert NOTHING not in named("[batch_number]")
