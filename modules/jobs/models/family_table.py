"""The table of families: one row each, with the figures of the cards of its models."""

from __future__ import annotations

from modules.jobs.models.family_facts import FamilyFacts, VariantFacts

_PICTURE = "a picture that leads it, which it is drawn with in a later version"
_FEW_STEPS = "SGM Uniform"  # The noise levels that models of few steps were trained for.


# The ways in which Stable Diffusion is made to draw in few steps.
_FEW = (
    VariantFacts("turbo", "Turbo", ("turbo",), native_side=512, steps=4, cfg_scale=1.0, sampler_name="Euler a",
                 schedule=_FEW_STEPS),
    VariantFacts("lightning", "Lightning", ("lightning",), steps=4, cfg_scale=1.0, schedule=_FEW_STEPS),
    VariantFacts("hyper", "Hyper", ("hyper", "hypersd", "hypersdxl"), steps=8, cfg_scale=1.0, schedule=_FEW_STEPS),
    VariantFacts("lcm", "LCM", ("lcm",), steps=6, cfg_scale=1.0, sampler_name="LCM"),
    # The whole UNet was distilled: the scale is a number that it is given.
    VariantFacts("lcm-full", "LCM", steps=4, cfg_scale=8.0, sampler_name="LCM"),
    VariantFacts("dmd", "DMD", ("dmd", "dmd2"), steps=4, cfg_scale=1.0, sampler_name="LCM", schedule=_FEW_STEPS),
)  # fmt: skip


SD1 = FamilyFacts(
    "sd1",
    "Stable Diffusion 1.x",
    (
        "StableDiffusionPipeline", "StableDiffusionImg2ImgPipeline", "StableDiffusionInpaintPipeline",
        "StableDiffusionInstructPix2PixPipeline", "LatentConsistencyModelPipeline",
        "LatentConsistencyModelImg2ImgPipeline", "StableDiffusionControlNetPipeline",
        "StableDiffusionControlNetImg2ImgPipeline", "StableDiffusionControlNetInpaintPipeline",
        "StableDiffusionPAGPipeline", "StableDiffusionPAGImg2ImgPipeline", "StableDiffusionPAGInpaintPipeline",
        "StableDiffusionControlNetPAGPipeline", "StableDiffusionControlNetPAGInpaintPipeline",
        "StableDiffusionAdapterPipeline", "StableDiffusionSAGPipeline", "StableDiffusionPanoramaPipeline",
        "StableDiffusionAttendAndExcitePipeline",
    ),
    flow=False, native_side=512, multiple=8, steps=20, cfg_scale=7.0,
    denoiser="unet", text_encoders={"text_encoder": "clip_l"}, vae="sd",
    variants=(
        *_FEW,
        VariantFacts("inpaint", "Inpainting"),
        VariantFacts("instruct", "Instruct", cfg_scale=7.5, told_of_picture="always"),
    ),
)  # fmt: skip

SD2 = FamilyFacts(
    "sd2",
    "Stable Diffusion 2.x",
    ("StableDiffusionDepth2ImgPipeline",),  # All others are named by sd1's classes: the width of its words tells it.
    flow=False, native_side=512, multiple=8, steps=20, cfg_scale=7.5,
    denoiser="unet", text_encoders={"text_encoder": "clip_h"}, vae="sd",
    variants=(
        *_FEW,
        VariantFacts("inpaint", "Inpainting"),
        VariantFacts("depth", "Depth", later="a picture, whose depth it keeps"),
        VariantFacts("upscaler", "x4 Upscaler", later="a picture to make larger"),
        VariantFacts("unclip", "unCLIP", later="a picture, of which it draws others"),
    ),
)  # fmt: skip

SDXL = FamilyFacts(
    "sdxl",
    "Stable Diffusion XL",
    (
        "StableDiffusionXLPipeline", "StableDiffusionXLImg2ImgPipeline", "StableDiffusionXLInpaintPipeline",
        "StableDiffusionXLInstructPix2PixPipeline", "StableDiffusionXLControlNetPipeline",
        "StableDiffusionXLControlNetImg2ImgPipeline", "StableDiffusionXLControlNetInpaintPipeline",
        "StableDiffusionXLControlNetUnionPipeline", "StableDiffusionXLControlNetUnionImg2ImgPipeline",
        "StableDiffusionXLControlNetUnionInpaintPipeline", "StableDiffusionXLPAGPipeline",
        "StableDiffusionXLPAGImg2ImgPipeline", "StableDiffusionXLPAGInpaintPipeline",
        "StableDiffusionXLControlNetPAGPipeline", "StableDiffusionXLControlNetPAGImg2ImgPipeline",
        "StableDiffusionXLAdapterPipeline",
    ),
    flow=False, multiple=8, steps=28, cfg_scale=6.0,
    denoiser="unet", text_encoders={"text_encoder": "clip_l", "text_encoder_2": "clip_g"}, vae="sdxl",
    variants=(
        *_FEW,
        VariantFacts("inpaint", "Inpainting"),
        VariantFacts("instruct", "Instruct", told_of_picture="always"),
        VariantFacts("ssd-1b", "SSD-1B", steps=25, cfg_scale=9.0, whole_label=True),
        VariantFacts("vega", "Segmind Vega", steps=25, cfg_scale=9.0, whole_label=True),
        VariantFacts("koala", "KOALA", steps=25, cfg_scale=3.5, whole_label=True),
        VariantFacts("playground", "Playground 2.5", steps=50, cfg_scale=3.0, whole_label=True),
        VariantFacts("cosxl", "CosXL", steps=20, cfg_scale=7.0, whole_label=True),
    ),
)  # fmt: skip

SDXL_REFINER = FamilyFacts(
    "sdxl-refiner",
    "Stable Diffusion XL refiner",
    (),  # Its folders name StableDiffusionXLImg2ImgPipeline: that they have one text encoder, the second, tells it.
    flow=False, multiple=8, steps=28, cfg_scale=6.0,
    denoiser="unet", text_encoders={"text_encoder_2": "clip_g"}, vae="sdxl",
)  # fmt: skip

SD3 = FamilyFacts(
    "sd3",
    "Stable Diffusion 3",
    (
        "StableDiffusion3Pipeline", "StableDiffusion3Img2ImgPipeline", "StableDiffusion3InpaintPipeline",
        "StableDiffusion3ControlNetPipeline", "StableDiffusion3ControlNetInpaintingPipeline",
        "StableDiffusion3PAGPipeline", "StableDiffusion3PAGImg2ImgPipeline",
    ),
    steps=28, cfg_scale=7.0, shift=3.0,
    text_encoders={"text_encoder": "clip_l", "text_encoder_2": "clip_g", "text_encoder_3": "t5xxl"},
    optional_encoders=frozenset({"text_encoder_3"}), vae="sd3",
    variants=(
        VariantFacts("medium", "Stable Diffusion 3 Medium", whole_label=True),
        VariantFacts("3.5-medium", "Stable Diffusion 3.5 Medium", steps=40, cfg_scale=4.5, whole_label=True),
        VariantFacts("3.5-medium-turbo", "Stable Diffusion 3.5 Medium Turbo", ("turbo",), ("3.5-medium",),
                     steps=4, cfg_scale=1.0, whole_label=True),
        VariantFacts("3.5-large", "Stable Diffusion 3.5 Large", steps=28, cfg_scale=3.5, whole_label=True),
        VariantFacts("3.5-large-turbo", "Stable Diffusion 3.5 Large Turbo", ("turbo",), ("3.5-large",),
                     steps=4, cfg_scale=1.0, whole_label=True),
    ),
)  # fmt: skip

FLUX = FamilyFacts(
    "flux",
    "Flux.1",
    (
        "FluxPipeline", "FluxImg2ImgPipeline", "FluxInpaintPipeline", "FluxFillPipeline", "FluxKontextPipeline",
        "FluxKontextInpaintPipeline", "FluxControlPipeline", "FluxControlImg2ImgPipeline",
        "FluxControlInpaintPipeline", "FluxControlNetPipeline", "FluxControlNetImg2ImgPipeline",
        "FluxControlNetInpaintPipeline",
    ),
    guidance="distilled", steps=28, cfg_scale=1.0, distilled_cfg_scale=3.5,
    text_encoders={"text_encoder": "clip_l", "text_encoder_2": "t5xxl"}, vae="flux",
    variants=(
        VariantFacts("dev", "dev"),
        VariantFacts("schnell", "schnell", guidance="cfg", steps=4, shift=1.0),
        VariantFacts("turbo", "dev Turbo", ("turbo", "hyper"), ("dev",), steps=8),
        VariantFacts("krea", "Krea dev", ("krea",), ("dev",), distilled_cfg_scale=4.5),
        VariantFacts("kontext", "Kontext dev", ("kontext",), ("dev",), distilled_cfg_scale=2.5,
                     told_of_picture="if given"),
        VariantFacts("fill", "Fill", steps=50, distilled_cfg_scale=30.0),
        VariantFacts("depth", "Depth", ("depth",), ("control",), steps=30, distilled_cfg_scale=10.0, later=_PICTURE),
        VariantFacts("canny", "Canny", ("canny",), ("control",), steps=50, distilled_cfg_scale=30.0, later=_PICTURE),
        VariantFacts("control", "Control", steps=30, distilled_cfg_scale=10.0, later=_PICTURE),
    ),
)  # fmt: skip

FLUX2 = FamilyFacts(
    "flux2",
    "Flux.2",
    ("Flux2Pipeline",),
    guidance="distilled", steps=50, cfg_scale=1.0, distilled_cfg_scale=4.0,
    text_encoders={"text_encoder": "mistral3_24b"}, vae="flux2", single_file=False,
    variants=(VariantFacts("turbo", "dev Turbo", ("turbo",), steps=8, distilled_cfg_scale=2.5),),
)  # fmt: skip

FLUX2_KLEIN = FamilyFacts(
    "flux2-klein",
    "Flux.2 klein",
    ("Flux2KleinPipeline", "Flux2KleinInpaintPipeline", "Flux2KleinKVPipeline"),
    steps=4, cfg_scale=1.0, text_encoders={"text_encoder": "qwen3_4b"}, vae="flux2",
    variants=(
        VariantFacts("4b", "4B"),
        VariantFacts("4b-base", "4B base", ("base",), ("4b",), steps=50, cfg_scale=4.0),
        VariantFacts("9b", "9B", text_encoders={"text_encoder": "qwen3_8b"}),
        VariantFacts("9b-base", "9B base", ("base",), ("9b",), steps=50, cfg_scale=4.0,
                     text_encoders={"text_encoder": "qwen3_8b"}),
    ),
)  # fmt: skip

CHROMA = FamilyFacts(
    "chroma",
    "Chroma",
    ("ChromaPipeline", "ChromaImg2ImgPipeline", "ChromaInpaintPipeline"),
    steps=35, cfg_scale=5.0, shift=1.0, text_encoders={"text_encoder": "t5xxl"}, vae="flux",
    variants=(
        VariantFacts("flash", "Flash", ("flash",), steps=8, cfg_scale=1.0),
        VariantFacts("radiance", "Radiance", later="a decoder of its own, which no pipeline of diffusers has"),
    ),
)  # fmt: skip

Z_IMAGE = FamilyFacts(
    "z-image",
    "Z-Image",
    (
        "ZImagePipeline", "ZImageImg2ImgPipeline", "ZImageInpaintPipeline", "ZImageControlNetPipeline",
        "ZImageControlNetInpaintPipeline", "ZImageOmniPipeline",
    ),
    steps=9, cfg_scale=1.0, shift=3.0, text_encoders={"text_encoder": "qwen3_4b"}, vae="flux",
    variants=(
        VariantFacts("turbo", "Turbo"),
        # Their card has 4, counted from 0: that is 5 where 1 is none.
        VariantFacts("base", "base", ("base",), ("turbo",), steps=50, cfg_scale=5.0, shift=6.0),
        VariantFacts("omni", "Omni", steps=50, cfg_scale=5.0, shift=6.0,
                     later="encoders of pictures that this version does not load"),
    ),
)  # fmt: skip

QWEN_IMAGE = FamilyFacts(
    "qwen-image",
    "Qwen-Image",
    (
        "QwenImagePipeline", "QwenImageImg2ImgPipeline", "QwenImageInpaintPipeline", "QwenImageEditPipeline",
        "QwenImageEditInpaintPipeline", "QwenImageEditPlusPipeline", "QwenImageLayeredPipeline",
        "QwenImageControlNetPipeline", "QwenImageControlNetInpaintPipeline",
    ),
    native_side=1328, steps=50, cfg_scale=4.0, text_encoders={"text_encoder": "qwen25_7b"}, vae="qwen-image",
    variants=(
        VariantFacts("edit-plus", "Edit 2509 and later", ("2509", "2511"), native_side=1024, steps=40,
                     told_of_picture="always"),
        VariantFacts("edit", "Edit", ("edit",), native_side=1024, told_of_picture="always"),
        VariantFacts("lightning", "Lightning", ("lightning",), steps=8, cfg_scale=1.0),
        VariantFacts("layered", "Layered", native_side=640, later=_PICTURE),
    ),
)  # fmt: skip

LUMINA2 = FamilyFacts(
    "lumina2",
    "Lumina 2",
    ("Lumina2Pipeline", "Lumina2Text2ImgPipeline"),  # The second is its name of before.
    steps=30, cfg_scale=4.0, shift=6.0, text_encoders={"text_encoder": "gemma2_2b"}, vae="flux", single_file=False,
)  # fmt: skip

SANA = FamilyFacts(
    "sana",
    "Sana",
    ("SanaPipeline", "SanaPAGPipeline", "SanaControlNetPipeline", "SanaSprintPipeline", "SanaSprintImg2ImgPipeline"),
    multiple=32, steps=20, cfg_scale=4.5, shift=3.0, text_encoders={"text_encoder": "gemma2_2b"}, vae="dc-ae",
    single_file=False,
    variants=(
        VariantFacts("sprint", "Sprint", guidance="distilled", steps=2, cfg_scale=1.0,
                     distilled_cfg_scale=4.5),
    ),
)  # fmt: skip

PIXART_SIGMA = FamilyFacts(
    "pixart-sigma",
    "PixArt-Σ",
    ("PixArtSigmaPipeline", "PixArtSigmaPAGPipeline"),
    flow=False, multiple=8, steps=20, cfg_scale=4.5, text_encoders={"text_encoder": "t5xxl"}, vae="sdxl",
    single_file=False,
)  # fmt: skip

FAMILY_FACTS: tuple[FamilyFacts, ...] = (
    SD1, SD2, SDXL, SDXL_REFINER, SD3, FLUX, FLUX2, FLUX2_KLEIN, CHROMA, Z_IMAGE, QWEN_IMAGE, LUMINA2, SANA,
    PIXART_SIGMA,
)  # fmt: skip
# What the class in `model_index.json` says beyond the family.
VARIANT_OF_PIPELINE = {
    "LatentConsistencyModelPipeline": "lcm-full",
    "LatentConsistencyModelImg2ImgPipeline": "lcm-full",
    "StableDiffusionInstructPix2PixPipeline": "instruct",
    "StableDiffusionXLInstructPix2PixPipeline": "instruct",
    "StableDiffusionDepth2ImgPipeline": "depth",
    "FluxFillPipeline": "fill",
    "FluxKontextPipeline": "kontext",
    "FluxKontextInpaintPipeline": "kontext",
    "FluxControlPipeline": "control",
    "FluxControlImg2ImgPipeline": "control",
    "FluxControlInpaintPipeline": "control",
    "ZImageOmniPipeline": "omni",
    "QwenImageEditPipeline": "edit",
    "QwenImageEditInpaintPipeline": "edit",
    "QwenImageEditPlusPipeline": "edit-plus",
    "QwenImageLayeredPipeline": "layered",
    "SanaSprintPipeline": "sprint",
    "SanaSprintImg2ImgPipeline": "sprint",
}
