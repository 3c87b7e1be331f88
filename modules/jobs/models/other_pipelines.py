"""The other text-to-image pipelines of diffusers, without torch: which are drawn with, and why some are not.

`tests/engine/families/test_known.py` compares the names with those of the installed diffusers; `docs/models.md`
tells what works with each.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec

from modules.jobs.models.drawn_pipelines import PARTS_OF_NAMED

# Those that are driven by what their call takes.
GENERIC: frozenset[str] = frozenset(
    {
        "AltDiffusionPipeline", "AuraFlowPipeline", "BriaFibo2Pipeline", "BriaFiboPipeline", "BriaPipeline",
        "CogView3PlusPipeline", "CogView4Pipeline", "Cosmos2TextToImagePipeline", "DreamLiteMobilePipeline",
        "DreamLitePipeline", "ErnieImagePipeline", "Flux2KleinKVPipeline", "GlmImagePipeline", "HiDreamImagePipeline",
        "HunyuanDiTPAGPipeline", "HunyuanDiTPipeline", "HunyuanImagePipeline", "IFPipeline", "Ideogram4Pipeline",
        "Kandinsky3Pipeline", "Kandinsky5T2IPipeline", "KolorsPAGPipeline", "KolorsPipeline", "Krea2Pipeline",
        "LongCatImagePipeline", "LuminaPipeline",
        "NucleusMoEImagePipeline", "OvisImagePipeline", "PRXPipeline", "PRXPixelPipeline", "PixArtAlphaPipeline",
        "QwenImage21Pipeline", "ZImageOmniPipeline",
    }
)  # fmt: skip
_CHAIN = "chains several models: this version draws with one"
_PICTURE = "begins with a picture: this version draws from words alone"
_TOKENS = "draws with tokens: this version draws with noise that is taken away"
_LOOP = "goes through its steps in a way of its own, which this version cannot stop or go on with"
_VIDEO = "draws videos: this version draws pictures"
_SOUND = "makes sound: this version draws pictures"
_MODULAR = "is made of blocks, not of a pipeline: use the same model as a pipeline"
# Pipelines that draw from words, and why they are not drawn with.
NOT_DRAWN: Mapping[str, str] = {
    **dict.fromkeys(
        (
            "KandinskyCombinedPipeline", "KandinskyPriorPipeline", "KandinskyV22CombinedPipeline",
            "KandinskyV22PriorPipeline", "StableCascadeCombinedPipeline", "StableCascadeDecoderPipeline",
            "StableCascadePriorPipeline", "StableUnCLIPPipeline", "UnCLIPPipeline", "WuerstchenCombinedPipeline",
            "WuerstchenDecoderPipeline", "WuerstchenPriorPipeline",
        ),
        _CHAIN,
    ),
    **dict.fromkeys(
        (
            "CogView4ControlPipeline", "FluxControlPipeline", "StableDiffusionControlNetXSPipeline",
            "StableDiffusionDiffEditPipeline", "StableDiffusionPix2PixZeroPipeline",
            "StableDiffusionXLControlNetXSPipeline", "ZImageControlNetInpaintPipeline", "ZImageControlNetPipeline",
        ),
        _PICTURE,
    ),
    **dict.fromkeys(("AmusedPipeline", "VQDiffusionPipeline"), _TOKENS),
    **dict.fromkeys(
        (
            "LDMTextToImagePipeline", "OmniGenPipeline", "SemanticStableDiffusionPipeline",
            "StableDiffusionAttendAndExcitePipeline", "StableDiffusionGLIGENPipeline",
            "StableDiffusionGLIGENTextImagePipeline", "StableDiffusionLDM3DPipeline",
            "StableDiffusionModelEditingPipeline", "StableDiffusionPanoramaPipeline",
            "StableDiffusionParadigmsPipeline", "StableDiffusionSAGPipeline", "UniDiffuserPipeline",
            "VersatileDiffusionTextToImagePipeline",
        ),
        _LOOP,
    ),
    "SanaSprintPipeline": "ends with what only its last step knows, which this version cannot go on with",
    **dict.fromkeys(("HeliosPipeline", "HeliosPyramidPipeline"), _VIDEO),
}  # fmt: skip
# Packages that this program does without, and what cannot be drawn with meanwhile.
NEEDS: Mapping[str, str] = {
    "BriaFibo2Pipeline": "torchvision",
    "Cosmos2TextToImagePipeline": "cosmos_guardrail",
    "DreamLiteMobilePipeline": "torchvision",
    "DreamLitePipeline": "torchvision",
    "GlmImagePipeline": "torchvision",
    "KolorsPAGPipeline": "sentencepiece",
    "KolorsPipeline": "sentencepiece",
    "PRXPipeline": "ftfy",
    "PRXPixelPipeline": "ftfy",
    "QwenImage21Pipeline": "torchvision",
}
# What the name of a class says of those that do not draw from words alone.
_BY_WORDS: tuple[tuple[tuple[str, ...], str], ...] = (
    (("Modular",), _MODULAR),
    (("Audio", "Music", "Sound", "AceStep"), _SOUND),
    (
        (
            "Video", "Animate", "AnyFlow", "Allegro", "Latte", "LTX", "Mochi", "Wan", "SkyReels", "Cosmos", "PIA",
            "I2VGen", "T2V", "I2V", "TI2V", "ConsisID",
        ),
        _VIDEO,
    ),
    (
        (
            "Img2Img", "Inpaint", "Edit", "I2I", "Control", "Upscale", "SuperResolution", "Pix2Pix", "Adapter",
            "Depth", "Variation", "Redux", "Fill", "Layered", "Refiner", "Marigold", "RePaint",
        ),
        _PICTURE,
    ),
)  # fmt: skip


def why_not_drawn(class_name: str) -> str | None:
    """Say why no picture is drawn with a class of pipelines, to go on after "which"; None: they are drawn with."""
    needed = NEEDS.get(class_name)
    if needed is not None and find_spec(needed) is None:
        return f"needs the package {needed}: install it into .venv"
    if class_name in PARTS_OF_NAMED or class_name in GENERIC:
        return None
    if class_name in NOT_DRAWN:
        return NOT_DRAWN[class_name]
    for words, reason in _BY_WORDS:
        if any(word in class_name for word in words):
            return reason
    return "this version does not know: use a model that draws from words"
