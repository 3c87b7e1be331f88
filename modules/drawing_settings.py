"""The settings of how pictures are drawn, in the order in which the settings page shows them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from modules.setting_field import setting


@dataclass(frozen=True)
class DrawingSettings:
    """Models, prompts, pictures to begin with, enlarging and sampling."""

    sd_model_checkpoint: str = setting(
        "emoji", "Models", "Checkpoint", "The model that draws when a request names none."
    )
    sd_vae: str = setting(
        "Automatic",
        "Models",
        "VAE",
        "What turns latents into pictures. Automatic: the one beside the checkpoint that has its name, else its own; "
        "None: its own; or a file in models/VAE.",
    )
    CLIP_stop_at_last_layers: int = setting(
        1,
        "Models",
        "Clip skip",
        "Read prompts with an earlier layer of CLIP: 2 for many anime models. For Stable Diffusion 1 only.",
        minimum=1,
        maximum=12,
    )
    auto_vae_precision: bool = setting(
        True,
        "Models",
        "Decode once more in float32 where the VAE gives no numbers",
        "Half precision is too small for some VAEs, as the first one of SDXL. Off: such a picture fails.",
    )
    torch_dtype: Literal["auto", "float32", "bfloat16", "float16"] = setting(
        "auto",
        "Models",
        "Number format",
        "auto picks what the device does best; on a CPU the faster of float32 and bfloat16, measured once for each "
        "kind of large model and kept.",
        needs="engine",
    )
    torch_threads: int = setting(
        0,
        "Models",
        "CPU threads",
        "0 lets the program choose: all cores, or half of them for small models.",
        minimum=0,
        maximum=256,
        needs="engine",
    )
    sd_checkpoints_limit: int = setting(
        8,
        "Models",
        "Most models kept in memory",
        "Who goes back to one of them has it at once. 1: only the one that draws.",
        minimum=1,
        maximum=100,
    )
    kept_models_percent: int = setting(
        50,
        "Models",
        "Most of the memory that kept models may take, in percent",
        "Those that were not used for longest leave first, also where less is free.",
        minimum=1,
        maximum=100,
    )
    hub_downloads: bool = setting(
        False,
        "Models",
        "Allow downloads from the Hugging Face Hub",
        "The one thing that leaves this machine: huggingface.co is asked for models that you name in the Models tab.",
    )
    networks_missing: Literal["go on", "refuse"] = setting(
        "go on",
        "Extra networks",
        "When a prompt calls for a LoRA that is missing or for other models",
        "go on: the picture is drawn without it, and the job's notes say so; refuse: the job is not taken, or ends "
        "before its first step where only then a file turns out to change nothing.",
    )
    lora_preferred_name: Literal["Alias from file", "Filename"] = setting(
        "Alias from file",
        "Extra networks",
        "Name by which a LoRA is put into a prompt",
        "The alias is the name that it was trained under. The file's name is used where two have the same alias.",
    )
    extra_networks_default_multiplier: float = setting(
        1.0,
        "Extra networks",
        "Weight with which a LoRA is put into a prompt",
        "Where nothing beside its file says another one.",
        minimum=0,
        maximum=10,
    )
    emphasis: Literal["Original", "No norm", "Ignore", "None"] = setting(
        "Original",
        "Prompts",
        "Emphasis",
        "How (more:1.3) and [less] count. Original: weighed, with the mean of the whole as it was; No norm: weighed "
        "alone; Ignore: read and not weighed; None: brackets are text.",
    )
    enable_prompt_comments: bool = setting(
        True, "Prompts", "Comments", "A # in a prompt hides the rest of its line, also from the infotext."
    )
    comma_padding_backtrack: int = setting(
        20,
        "Prompts",
        "Keep what follows a comma together within N tokens",
        "Where a chunk of 75 tokens is full, what follows a comma among the last N goes into the next one. 0: never.",
        minimum=0,
        maximum=74,
    )
    use_old_scheduling: bool = setting(
        False,
        "Prompts",
        "Old prompt editing timelines",
        "As before A1111 1.6: in [from:to:when] what is below 1 is a part of the steps, and hires fix repeats the "
        "schedule of the first pass.",
    )
    img2img_fix_steps: bool = setting(
        False,
        "From a picture",
        "Do exactly as many steps as are asked for",
        "Off: of 20 steps a denoising strength of 0.75 does 16, as the picture needs fewer the more of it stays.",
    )
    img2img_background_color: str = setting(
        "#ffffff",
        "From a picture",
        "Colour under what is transparent",
        "Models draw on no transparent picture.",
        colour=True,
    )
    img2img_color_correction: bool = setting(
        False,
        "From a picture",
        "Match the colours of the result to those of the picture",
        "Against drifting colours where a picture is worked on again and again.",
    )
    initial_noise_multiplier: float = setting(
        1.0,
        "From a picture",
        "Noise multiplier",
        "How much of the noise is added to the picture; 1 is as much as the steps take away.",
        minimum=0,
        maximum=1.5,
    )
    img2img_extra_noise: float = setting(
        0.0,
        "From a picture",
        "Extra noise",
        "More noise, for more detail; 0 is none. Hires fix gets it too.",
        minimum=0,
        maximum=1,
    )
    inpainting_mask_weight: float = setting(
        1.0,
        "From a picture",
        "Inpainting conditioning mask strength",
        "How well a model made for inpainting is told of the mask; less lets it follow the picture under it.",
        minimum=0,
        maximum=1,
    )
    dynamic_prompts: bool = setting(
        True,
        "Prompts",
        "Wildcards and variants in prompts",
        "{red|blue} is one of the two and __name__ a line of wildcards/name.txt, chosen by each picture's seed.",
    )
    infotext_styles: Literal["Ignore", "Apply", "Discard", "Apply if any"] = setting(
        "Apply",
        "Prompts",
        "Styles that stand in prompts which are taken over",
        "Ignore leaves them there. Apply takes them out and chooses them in place of the chosen ones; Apply if any "
        "does so where there are some. Discard takes them out alone.",
    )
    infotext_skip_pasting: str = setting(
        "",
        "Prompts",
        "Fields that stay as they are when settings are taken over",
        "Their keys in infotexts with commas between, such as Seed, Size, Model.",
        names=True,
    )
    hires_fix_refiner_pass: Literal["first pass", "second pass", "both passes"] = setting(
        "second pass", "Upscaling", "Passes of hires fix in which a refiner takes part"
    )
    upscaler_for_img2img: str = setting(
        "None",
        "Upscaling",
        "Upscaler for img2img",
        "What enlarges pictures that are smaller than img2img draws. None: Lanczos.",
    )
    ESRGAN_tile: int = setting(
        192,
        "Upscaling",
        "Tile of upscalers from files, in pixels",
        "They see so many a side at a time, which bounds the memory. 0: the whole picture.",
        minimum=0,
        maximum=2048,
    )
    ESRGAN_tile_overlap: int = setting(
        8, "Upscaling", "Overlap of these tiles, in pixels", "Against seams.", minimum=0, maximum=256
    )
    eta_ancestral: float = setting(
        1.0,
        "Sampling",
        "Eta of samplers that add noise",
        "Euler a, DPM2 a, DPM++ 2S a and those with SDE in their name: 0 adds none, 1 as much as they are known for.",
        minimum=0,
        maximum=1,
    )
    eta_ddim: float = setting(0.0, "Sampling", "Eta of DDIM", "1 makes it add noise.", minimum=0, maximum=1)
    s_churn: float = setting(
        0.0,
        "Sampling",
        "Sigma churn",
        "How much noise Euler, Heun and DPM2 add before their steps, over all of them.",
        minimum=0,
        maximum=100,
    )
    s_tmin: float = setting(
        0.0, "Sampling", "Sigma tmin", "Churn adds nothing below this noise level.", minimum=0, maximum=10
    )
    s_tmax: float = setting(
        0.0, "Sampling", "Sigma tmax", "Churn adds nothing above this noise level; 0: no limit.", minimum=0, maximum=999
    )
    s_noise: float = setting(
        1.0,
        "Sampling",
        "Sigma noise",
        "How strong the noise is that a sampler adds, as a part of what is due.",
        minimum=0,
        maximum=1.1,
    )
    eta_noise_seed_delta: int = setting(
        0,
        "Sampling",
        "Eta noise seed delta (ENSD)",
        "Added to the seed of the noise that samplers add on the way: 31337 in pictures of NovelAI.",
        minimum=-(2**31),
        maximum=2**31 - 1,
    )
