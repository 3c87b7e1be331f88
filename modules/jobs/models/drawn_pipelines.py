"""The pipelines of diffusers that the engine draws with, by the class that `model_index.json` names, without torch."""

from __future__ import annotations

from collections.abc import Mapping

_SD = ("unet", "vae", "text_encoder", "tokenizer", "scheduler")
_SDXL = ("unet", "vae", "text_encoder_2", "tokenizer_2", "scheduler")
_SD3 = ("transformer", "vae", "text_encoder", "tokenizer", "text_encoder_2", "tokenizer_2", "scheduler")
_FLUX = ("transformer", "vae", "text_encoder", "tokenizer", "text_encoder_2", "tokenizer_2", "scheduler")
_ONE_ENCODER = ("transformer", "vae", "text_encoder", "tokenizer", "scheduler")

# The parts that a folder must have, by the class, of the families that have a name.
PARTS_OF_NAMED: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(
        (
            "StableDiffusionPipeline", "StableDiffusionImg2ImgPipeline", "StableDiffusionInpaintPipeline",
            "StableDiffusionInstructPix2PixPipeline", "LatentConsistencyModelPipeline",
            "LatentConsistencyModelImg2ImgPipeline", "StableDiffusionPAGPipeline", "StableDiffusionControlNetPipeline",
            "StableDiffusionControlNetPAGPipeline",
        ),
        _SD,
    ),
    **dict.fromkeys(
        (
            "StableDiffusionXLPipeline", "StableDiffusionXLImg2ImgPipeline", "StableDiffusionXLInpaintPipeline",
            "StableDiffusionXLInstructPix2PixPipeline", "StableDiffusionXLPAGPipeline",
            "StableDiffusionXLControlNetPipeline", "StableDiffusionXLControlNetUnionPipeline",
            "StableDiffusionXLControlNetPAGPipeline",
        ),
        _SDXL,
    ),
    **dict.fromkeys(
        (
            "StableDiffusion3Pipeline", "StableDiffusion3Img2ImgPipeline", "StableDiffusion3InpaintPipeline",
            "StableDiffusion3PAGPipeline", "StableDiffusion3ControlNetPipeline",
        ),
        _SD3,
    ),
    **dict.fromkeys(
        (
            "FluxPipeline", "FluxImg2ImgPipeline", "FluxInpaintPipeline", "FluxFillPipeline", "FluxKontextPipeline",
            "FluxControlNetPipeline",
        ),
        _FLUX,
    ),
    **dict.fromkeys(
        ("QwenImageEditPipeline", "QwenImageEditInpaintPipeline", "QwenImageEditPlusPipeline"),
        (*_ONE_ENCODER, "processor"),
    ),
    **dict.fromkeys(
        (
            "ChromaPipeline", "ChromaImg2ImgPipeline", "ChromaInpaintPipeline", "Flux2Pipeline", "Flux2KleinPipeline",
            "ZImagePipeline", "ZImageImg2ImgPipeline", "ZImageInpaintPipeline", "QwenImagePipeline",
            "QwenImageImg2ImgPipeline", "QwenImageInpaintPipeline", "QwenImageControlNetPipeline", "Lumina2Pipeline",
            "Lumina2Text2ImgPipeline", "SanaPipeline", "SanaPAGPipeline", "SanaControlNetPipeline",
            "PixArtSigmaPipeline", "PixArtSigmaPAGPipeline",
        ),
        _ONE_ENCODER,
    ),
}  # fmt: skip
