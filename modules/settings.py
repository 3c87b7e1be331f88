"""All settings: typed, each with the words that the settings page shows, in the order in which that shows them.

Names are those of A1111 where it has the setting.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any, Literal, get_args, get_origin, get_type_hints

from modules.setting_field import Needs, SettingField


def _setting(
    default: object,
    section: str,
    label: str,
    help: str = "",
    minimum: float | None = None,
    maximum: float | None = None,
    needs: Needs = "nothing",
    colour: bool = False,
) -> Any:
    words = {"section": section, "label": label, "help": help, "minimum": minimum, "maximum": maximum, "needs": needs}
    return field(default=default, metadata=words | {"colour": colour})


@dataclass(frozen=True)
class Settings:
    """A snapshot of all settings."""

    sd_model_checkpoint: str = _setting(
        "emoji", "Models", "Checkpoint", "The model that draws when a request names none."
    )
    sd_vae: str = _setting(
        "Automatic",
        "Models",
        "VAE",
        "What turns latents into pictures. Automatic: the one beside the checkpoint that has its name, else its own; "
        "None: its own; or the name of a file in models/VAE.",
    )
    CLIP_stop_at_last_layers: int = _setting(
        1,
        "Models",
        "Clip skip",
        "Read prompts with an earlier layer of CLIP: 2 for many anime models. For Stable Diffusion 1 only.",
        minimum=1,
        maximum=12,
    )
    auto_vae_precision: bool = _setting(
        True,
        "Models",
        "Decode once more in float32 where the VAE gives no numbers",
        "Half precision is too small for some VAEs, as the first one of SDXL. Off: such a picture fails.",
    )
    torch_dtype: Literal["auto", "float32", "bfloat16", "float16"] = _setting(
        "auto",
        "Models",
        "Number format",
        "auto picks what the device does best; on a CPU the faster of float32 and bfloat16, measured once for each "
        "kind of large model and kept.",
        needs="engine",
    )
    torch_threads: int = _setting(
        0,
        "Models",
        "CPU threads",
        "0 lets the program choose: all cores, or half of them for small models.",
        minimum=0,
        maximum=256,
        needs="engine",
    )
    sd_checkpoints_limit: int = _setting(
        8,
        "Models",
        "Most models kept in memory",
        "Who goes back to one of them has it at once. 1: only the one that draws.",
        minimum=1,
        maximum=100,
    )
    kept_models_percent: int = _setting(
        50,
        "Models",
        "Most of the memory that kept models may take, in percent",
        "Those that were not used for longest leave first, also where less is free.",
        minimum=1,
        maximum=100,
    )
    hub_downloads: bool = _setting(
        False,
        "Models",
        "Allow downloads from the Hugging Face Hub",
        "The one thing that leaves this machine: huggingface.co is asked for models that you name in the Models tab.",
    )
    networks_missing: Literal["go on", "refuse"] = _setting(
        "go on",
        "Extra networks",
        "When a prompt calls for a LoRA that is missing or for other models",
        "go on: the picture is drawn without it, and the job's notes say so; refuse: the job is not taken.",
    )
    lora_preferred_name: Literal["Alias from file", "Filename"] = _setting(
        "Alias from file",
        "Extra networks",
        "Name by which a LoRA is put into a prompt",
        "The alias is the name that it was trained under. The file's name is used where two have the same alias.",
    )
    extra_networks_default_multiplier: float = _setting(
        1.0,
        "Extra networks",
        "Weight with which a LoRA is put into a prompt",
        "Where nothing beside its file says another one.",
        minimum=0,
        maximum=10,
    )
    emphasis: Literal["Original", "No norm", "Ignore", "None"] = _setting(
        "Original",
        "Prompts",
        "Emphasis",
        "How (more:1.3) and [less] count. Original: weighed, with the mean of the whole as it was; No norm: weighed "
        "alone; Ignore: read and not weighed; None: brackets are text.",
    )
    enable_prompt_comments: bool = _setting(
        True, "Prompts", "Comments", "A # in a prompt hides the rest of its line, also from the infotext."
    )
    comma_padding_backtrack: int = _setting(
        20,
        "Prompts",
        "Keep what follows a comma together within N tokens",
        "Where a chunk of 75 tokens is full, what follows a comma among the last N goes into the next one. 0: never.",
        minimum=0,
        maximum=74,
    )
    use_old_scheduling: bool = _setting(
        False,
        "Prompts",
        "Old prompt editing timelines",
        "As before A1111 1.6: in [from:to:when] what is below 1 is a part of the steps, and hires fix repeats the "
        "schedule of the first pass.",
    )
    img2img_fix_steps: bool = _setting(
        False,
        "From a picture",
        "Do exactly as many steps as are asked for",
        "Off: of 20 steps a denoising strength of 0.75 does 16, as the picture needs fewer the more of it stays.",
    )
    img2img_background_color: str = _setting(
        "#ffffff",
        "From a picture",
        "Colour under what is transparent",
        "Models draw on no transparent picture.",
        colour=True,
    )
    img2img_color_correction: bool = _setting(
        False,
        "From a picture",
        "Match the colours of the result to those of the picture",
        "Against drifting colours where a picture is worked on again and again.",
    )
    initial_noise_multiplier: float = _setting(
        1.0,
        "From a picture",
        "Noise multiplier",
        "How much of the noise is added to the picture; 1 is as much as the steps take away.",
        minimum=0,
        maximum=1.5,
    )
    img2img_extra_noise: float = _setting(
        0.0,
        "From a picture",
        "Extra noise",
        "More noise, for more detail; 0 is none. Hires fix gets it too.",
        minimum=0,
        maximum=1,
    )
    inpainting_mask_weight: float = _setting(
        1.0,
        "From a picture",
        "Inpainting conditioning mask strength",
        "How well a model made for inpainting is told of the mask; less lets it follow the picture under it.",
        minimum=0,
        maximum=1,
    )
    dynamic_prompts: bool = _setting(
        True,
        "Prompts",
        "Wildcards and variants in prompts",
        "{red|blue} is one of the two and __name__ a line of wildcards/name.txt, chosen by each picture's seed.",
    )
    infotext_styles: Literal["Ignore", "Apply", "Discard", "Apply if any"] = _setting(
        "Apply if any",
        "Prompts",
        "Styles that stand in prompts which are taken over",
        "Ignore leaves them there. Apply takes them out and chooses them in place of the chosen ones; Apply if any "
        "does so where there are some. Discard takes them out alone.",
    )
    hires_fix_refiner_pass: Literal["first pass", "second pass", "both passes"] = _setting(
        "second pass", "Upscaling", "Passes of hires fix in which a refiner takes part"
    )
    ESRGAN_tile: int = _setting(
        192,
        "Upscaling",
        "Tile of upscalers from files, in pixels",
        "They see so many a side at a time, which bounds the memory. 0: the whole picture.",
        minimum=0,
        maximum=2048,
    )
    ESRGAN_tile_overlap: int = _setting(
        8, "Upscaling", "Overlap of these tiles, in pixels", "Against seams.", minimum=0, maximum=256
    )
    eta_ancestral: float = _setting(
        1.0,
        "Sampling",
        "Eta of samplers that add noise",
        "Euler a, DPM2 a, DPM++ 2S a and those with SDE in their name: 0 adds none, 1 as much as they are known for.",
        minimum=0,
        maximum=1,
    )
    eta_ddim: float = _setting(0.0, "Sampling", "Eta of DDIM", "1 makes it add noise.", minimum=0, maximum=1)
    s_churn: float = _setting(
        0.0,
        "Sampling",
        "Sigma churn",
        "How much noise Euler, Heun and DPM2 add before their steps, over all of them.",
        minimum=0,
        maximum=100,
    )
    s_tmin: float = _setting(
        0.0, "Sampling", "Sigma tmin", "Churn adds nothing below this noise level.", minimum=0, maximum=10
    )
    s_tmax: float = _setting(
        0.0, "Sampling", "Sigma tmax", "Churn adds nothing above this noise level; 0: no limit.", minimum=0, maximum=999
    )
    s_noise: float = _setting(
        1.0,
        "Sampling",
        "Sigma noise",
        "How strong the noise is that a sampler adds, as a part of what is due.",
        minimum=0,
        maximum=1.1,
    )
    eta_noise_seed_delta: int = _setting(
        0,
        "Sampling",
        "Eta noise seed delta (ENSD)",
        "Added to the seed of the noise that samplers add on the way: 31337 in pictures of NovelAI.",
        minimum=-(2**31),
        maximum=2**31 - 1,
    )
    samples_save: bool = _setting(
        True, "Saving images", "Always save all generated images", "Off: pictures are kept for some hours only."
    )
    save_incomplete_images: bool = _setting(
        False,
        "Saving images",
        "Keep partial images of stopped jobs",
        "What an interrupted or skipped image had become is kept, marked as partial.",
    )
    mark_incomplete_images: bool = _setting(
        True, "Saving images", "Mark partial images", "Their infotext says so, for example Partial: 12/30."
    )
    save_init_img: bool = _setting(
        False,
        "Saving images",
        "Save the pictures that img2img begins with",
        "In outputs/init-images, named by what the infotext tells as Init image hash.",
    )
    results_kept_hours: int = _setting(
        24, "Saving images", "Hours to keep pictures that are not saved", minimum=1, maximum=8760
    )
    add_model_name_to_info: bool = _setting(True, "Infotext", "Add the model's name to the infotext")
    add_model_hash_to_info: bool = _setting(True, "Infotext", "Add the model's hash to the infotext")
    add_version_to_infotext: bool = _setting(True, "Infotext", "Add the program's version to the infotext")
    lora_add_hashes_to_infotext: bool = _setting(
        True,
        "Infotext",
        "Add hashes of LoRAs to the infotext",
        "By them a picture's LoRAs are found where they are called otherwise.",
    )
    textual_inversion_add_hashes_to_infotext: bool = _setting(
        True, "Infotext", "Add hashes of embeddings to the infotext"
    )
    live_previews_enable: bool = _setting(True, "Live previews", "Show live previews")
    show_progress_every_n_steps: int = _setting(
        1,
        "Live previews",
        "Preview every N steps",
        "Where steps are faster there are five previews a second. -1 shows an image only when it is complete.",
        minimum=-1,
        maximum=32,
    )
    live_previews_image_format: Literal["jpeg", "png", "webp"] = _setting("jpeg", "Live previews", "Preview format")
    live_preview_max_size: int = _setting(
        512, "Live previews", "Longest side of a preview, in pixels", minimum=64, maximum=2048
    )
    show_progress_type: Literal["Full", "Approx NN", "Approx cheap", "TAESD"] = _setting(
        "Approx NN",
        "Live previews",
        "How previews are made",
        "Full decodes with the model's own VAE, Approx NN and TAESD with a small decoder where there is one, "
        "Approx cheap with a table of colours.",
    )
    live_preview_share_percent: int = _setting(
        2,
        "Live previews",
        "Most that previews may cost, in percent of the job's time",
        "What would cost more is made with something cheaper, or less often. 0 is without limit.",
        minimum=0,
        maximum=100,
    )
    live_preview_content: Literal["Prompt", "Negative prompt", "Combined"] = _setting(
        "Prompt",
        "Live previews",
        "What previews show",
        "What the prompt or the negative prompt alone would make of the image; Combined is what it becomes by both.",
    )
    show_progress_grid: bool = _setting(
        True, "Live previews", "Show all images of a batch", "Off: only the first image of a batch is previewed."
    )
    queue_limit: int = _setting(
        1000, "Queue", "Most jobs that wait", "More are refused. 0 is without limit.", minimum=0, maximum=100_000
    )
    queue_limit_per_owner: int = _setting(
        500,
        "Queue",
        "Most jobs of one owner that wait",
        "An owner is a browser or a REST client. More are refused, also of one address that names many owners. "
        "0 is without limit.",
        minimum=0,
        maximum=100_000,
    )
    only_own_jobs: bool = _setting(
        False,
        "Queue",
        "Only a job's owner may stop or change it",
        "Off: everyone who reaches the page may, and it is written down who did.",
    )
    snapshot_every_seconds: int = _setting(
        30,
        "Durability",
        "Keep a snapshot of the running job every N seconds",
        "A job goes on from it after a crash. 0: only when it is paused or the engine ends.",
        minimum=0,
        maximum=86_400,
    )
    recycle_stalled_after_seconds: int = _setting(
        300,
        "Durability",
        "Restart the engine after N seconds without a sign of life",
        "Counted from when a step takes longer than it can be explained. 0: never.",
        minimum=0,
        maximum=86_400,
    )
    engine_memory_limit_percent: int = _setting(
        50,
        "Durability",
        "Restart the engine when its memory grew by N percent",
        "Compared with what the model itself takes; done between two jobs. 0: never.",
        minimum=0,
        maximum=1000,
    )
    jobs_kept_days: int = _setting(
        0,
        "History",
        "Keep finished jobs for N days",
        "Older ones are deleted with their prompts; saved pictures stay. 0: for ever.",
        minimum=0,
        maximum=36_500,
    )
    jobs_kept_count: int = _setting(
        0,
        "History",
        "Keep the last N finished jobs",
        "Those before them are deleted with their prompts, once they ended ten minutes ago; saved pictures stay. "
        "0: all.",
        minimum=0,
        maximum=1_000_000,
    )
    interrupt_after_current: bool = _setting(
        False,
        "User interface",
        "Interrupt finishes the current image first",
        "Off: Interrupt stops at once, in the middle of a step.",
    )
    show_progress_in_title: bool = _setting(True, "User interface", "Show the progress in the page's title")
    queue_history_shown: int = _setting(
        50, "User interface", "Finished jobs shown in the queue", minimum=0, maximum=1000
    )
    theme: Literal["auto", "light", "dark"] = _setting(
        "auto",
        "User interface",
        "Colours",
        "auto follows the system. The button at the top right chooses for one browser, until this is changed.",
    )


def fields_of_settings() -> tuple[SettingField, ...]:
    """Return every setting in the order of the settings page."""
    return _FIELDS


def _describe_fields() -> tuple[SettingField, ...]:
    hints = get_type_hints(Settings)
    described = []
    for one in fields(Settings):
        hint = hints[one.name]
        choices = get_args(hint) if get_origin(hint) is Literal else ()
        described.append(
            SettingField(
                name=one.name,
                type=str if choices else hint,
                default=one.default,  # type: ignore[arg-type]  # dataclasses types it as any object
                choices=choices,
                **one.metadata,
            )
        )
    return tuple(described)


_FIELDS = _describe_fields()
