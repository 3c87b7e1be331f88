"""All tiny models by what they are, and why some pipelines have none."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import torch

from tests.engine.tiny_models import named, others, others_packed

# By what the row is called: the class of the pipeline, and what else tells the model from others of that class.
TINY_MODELS: Mapping[str, Callable[[], Any]] = {
    "StableDiffusionPipeline": named.stable_diffusion,
    "StableDiffusionPipeline, v-prediction": partial(named.stable_diffusion, "v_prediction"),
    "LatentConsistencyModelPipeline": named.latent_consistency,
    "StableDiffusionXLPipeline": named.stable_diffusion_xl,
    "StableDiffusionXLImg2ImgPipeline, refiner": named.refiner,
    "StableDiffusion3Pipeline": named.stable_diffusion_3,
    "FluxPipeline": named.flux,
    "Flux2Pipeline": others_packed.flux_2,
    "Flux2KleinPipeline": named.flux_2_klein,
    "ChromaPipeline": named.chroma,
    "ZImagePipeline": named.z_image,
    "QwenImagePipeline": named.qwen_image,
    "Lumina2Pipeline": named.lumina_2,
    "SanaPipeline": named.sana,
    "PixArtSigmaPipeline": named.pixart_sigma,
    "AuraFlowPipeline": others.aura_flow,
    "BriaPipeline": others_packed.bria,
    "BriaFiboPipeline": others_packed.bria_fibo,
    "CogView3PlusPipeline": others.cogview_3,
    "CogView4Pipeline": others.cogview_4,
    "ErnieImagePipeline": others_packed.ernie,
    "HunyuanDiTPipeline": others.hunyuan_dit,
    "HunyuanDiTPAGPipeline": others.hunyuan_dit_pag,
    "HunyuanImagePipeline": others_packed.hunyuan_image,
    "IFPipeline": others.deep_floyd,
    "Ideogram4Pipeline": others_packed.ideogram_4,
    "Kandinsky3Pipeline": others.kandinsky_3,
    "Krea2Pipeline": others_packed.krea_2,
    "LongCatImagePipeline": others_packed.longcat,
    "LuminaPipeline": others.lumina,
    "NucleusMoEImagePipeline": others_packed.nucleus,
    "OvisImagePipeline": others_packed.ovis,
    "PixArtAlphaPipeline": others.pixart_alpha,
}
_AS_OTHERS = "as its family draws, without what its class adds: a control network or another kind of guidance"
# Pipelines that are drawn with and have no tiny model.
WITHOUT_MODEL: Mapping[str, str] = {
    "AltDiffusionPipeline": "not tried: diffusers gives it up, and loads it no more by its own tests",
    "Flux2KleinKVPipeline": "not tried: it differs from klein by what it keeps of pictures to begin with",
    "HiDreamImagePipeline": "tried by hand: it draws 1024 × 1024 whatever it is asked for, too much for a test",
    "Kandinsky5T2IPipeline": "tried by hand: it draws the sizes of its own list only, too large for a test",
    "ZImageOmniPipeline": "not tried: it has an encoder of pictures to begin with",
    **dict.fromkeys(
        (
            "FluxControlNetPipeline", "QwenImageControlNetPipeline", "SanaControlNetPipeline", "SanaPAGPipeline",
            "StableDiffusion3ControlNetPipeline", "StableDiffusion3PAGPipeline",
            "StableDiffusionControlNetPAGPipeline", "StableDiffusionControlNetPipeline", "StableDiffusionPAGPipeline",
            "StableDiffusionXLControlNetPAGPipeline", "StableDiffusionXLControlNetPipeline",
            "StableDiffusionXLControlNetUnionPipeline", "StableDiffusionXLPAGPipeline", "PixArtSigmaPAGPipeline",
        ),
        _AS_OTHERS,
    ),
    **dict.fromkeys(
        ("QwenImageEditPipeline", "QwenImageEditPlusPipeline"), "changes a picture, and draws nothing from words alone"
    ),
    "FluxFillPipeline": "as FluxPipeline, told of a mask and of what is around it",
    "FluxKontextPipeline": "as FluxPipeline, from words alone or told of a picture",
}  # fmt: skip


def tiny_model(row: str) -> Any:
    """Return the pipeline of a row, with weights that are the same each time."""
    torch.manual_seed(0)
    return TINY_MODELS[row]()
