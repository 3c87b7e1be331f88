"""Every text-to-image pipeline of the installed diffusers is known: by a family, its signature, or a reason."""

import inspect
import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import diffusers
import pytest
from diffusers.pipelines.auto_pipeline import AUTO_TEXT2IMAGE_PIPELINES_MAPPING

from modules.engine.families.generic import Generic
from modules.engine.families.known import BY_CLASS, FAMILIES, family_of
from modules.errors import ModelError
from modules.jobs.models.drawn_pipelines import PARTS_OF_NAMED
from modules.jobs.models.families import facts_of, facts_of_pipeline
from modules.jobs.models.other_pipelines import GENERIC, NEEDS, NOT_DRAWN, why_not_drawn

IN_ITS_TABLE = {pipeline.__name__ for pipeline in AUTO_TEXT2IMAGE_PIPELINES_MAPPING.values()}
INSTALLED = {name for name in {*NEEDS.values(), "json"} if find_spec(name)}


def pipelines() -> dict[str, Any]:
    """Return the pipelines that the installed diffusers can load."""
    named = {name: getattr(diffusers, name) for name in dir(diffusers) if name.endswith("Pipeline")}
    return {
        name: one
        for name, one in named.items()
        if isinstance(one, type) and issubclass(one, diffusers.DiffusionPipeline)
    }


def draws_from_words(pipeline: Any) -> bool:
    """Tell by the signature whether a pipeline makes pictures of words and of nothing else."""
    known = inspect.signature(pipeline.__call__).parameters
    needed = [name for name, one in known.items() if one.default is one.empty and name not in ("self", "prompt")]
    others = ("image", "frame", "video", "audio", "control", "hint")
    return (
        {"prompt", "height", "num_inference_steps"} <= set(known)
        and not needed
        and not any(name.startswith(others) or "_frames" in name for name in known)
    )


def indexed(folder: Path, class_name: str, **parts: Any) -> Path:
    (folder / "model_index.json").write_text(json.dumps({"_class_name": class_name, **parts}))
    return folder


def test_every_pipeline_that_draws_from_words_is_known_or_has_a_reason() -> None:
    known = {*PARTS_OF_NAMED, *GENERIC, *NOT_DRAWN}
    assert known >= IN_ITS_TABLE
    drawing = {name for name, one in pipelines().items() if draws_from_words(one)}
    told = {name for name in drawing - known if why_not_drawn(name) and "does not know" not in str(why_not_drawn(name))}
    assert drawing - known - told == set()


def test_every_name_is_one_of_the_installed_diffusers() -> None:
    renamed = {"Lumina2Text2ImgPipeline", "LatentConsistencyModelImg2ImgPipeline"}
    assert {*PARTS_OF_NAMED, *GENERIC, *NOT_DRAWN} - renamed - set(dir(diffusers)) == set()


@pytest.mark.parametrize("class_name", sorted({*GENERIC, *BY_CLASS}))
def test_no_text_to_image_pipeline_is_refused(tmp_path: Path, class_name: str) -> None:
    if NEEDS.get(class_name, "json") not in INSTALLED:
        with pytest.raises(ModelError, match=f"which needs the package {NEEDS[class_name]}: install it"):
            family_of(indexed(tmp_path, class_name))
        return
    family = family_of(indexed(tmp_path, class_name, text_encoder=["transformers", "CLIPTextModel"]))
    assert isinstance(family, Generic) == (class_name in GENERIC)
    assert family.denoiser in inspect.signature(family.pipeline.__init__).parameters


@pytest.mark.parametrize(
    ("class_name", "words"),
    [
        ("WanPipeline", "which draws videos"),
        ("StableAudioPipeline", "which makes sound"),
        ("FluxControlPipeline", "which begins with a picture"),
        ("KandinskyV22CombinedPipeline", "which chains several models"),
        ("os.system", "which this version does not know"),
        ("DiffusionPipeline", "which this version does not know"),
        ("x" * 5000, "which this version does not know"),
    ],
)
def test_others_are_told_honestly(tmp_path: Path, class_name: str, words: str) -> None:
    with pytest.raises(ModelError, match=words) as told:
        family_of(indexed(tmp_path, class_name))
    assert len(str(told.value)) < 300


def test_the_families_have_the_names_of_their_facts() -> None:
    assert [name for name in FAMILIES if facts_of(name) is None] == []
    for class_name, family in BY_CLASS.items():
        facts = facts_of_pipeline(class_name)
        assert facts is not None and facts.name == family.name, class_name


def test_a_refiner_and_a_stable_diffusion_2_are_told_apart_by_their_parts(tmp_path: Path) -> None:
    xl = "StableDiffusionXLImg2ImgPipeline"
    assert family_of(indexed(tmp_path, xl, text_encoder=[None, None])).name == "sdxl-refiner"
    assert family_of(indexed(tmp_path, xl, text_encoder=["transformers", "CLIPTextModel"])).name == "sdxl"
    (tmp_path / "unet").mkdir()
    for width, name in ((768, "sd1"), (1024, "sd2")):
        (tmp_path / "unet" / "config.json").write_text(json.dumps({"cross_attention_dim": width}))
        assert family_of(indexed(tmp_path, "StableDiffusionPipeline")).name == name
