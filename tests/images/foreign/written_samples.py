"""Infotexts of A1111 and of those who write as it does, in the files that they come in."""

from __future__ import annotations

from tests.images.foreign.sample import Sample

_BASE = "Steps: 20, Sampler: Euler a, CFG scale: 7, Seed: 1, Size: 512x768"
_PAIRS = {"Steps": "20", "Sampler": "Euler a", "CFG scale": "7", "Seed": "1", "Size": "512x768"}
_TEXT = f"a cat, (sitting:1.2)\nsecond line\nNegative prompt: blurry\nlow quality\n{_BASE}"
_READ = {"Prompt": "a cat, (sitting:1.2)\nsecond line", "Negative prompt": "blurry\nlow quality", **_PAIRS}
_JAPANESE = f"赤いハート\n{_BASE}"
_CIVITAI = (
    'Civitai resources: [{"type":"checkpoint","modelVersionId":290640,"modelName":"Pony","modelVersionName":"V6, XL"},'
    '{"type":"lora","weight":0.8,"modelVersionId":7,"modelName":"Ink"}], Civitai metadata: {"a":[1,2]}'
)


def _a1111(name: str, line: str, pairs: dict[str, str], prompt: str = "a cat", form: str = "PNG") -> Sample:
    text = f"{prompt}\n{_BASE}{line}"
    return Sample(name, "A1111", {"parameters": text}, {"Prompt": prompt, "Negative prompt": "", **_PAIRS, **pairs},
                  form=form)  # fmt: skip


SAMPLES = (
    *(
        Sample(f"a1111 in {form}", "A1111", {"parameters": _TEXT}, _READ, form=form)
        for form in ("PNG", "zTXt", "JPEG", "WEBP", "AVIF", "GIF", "text", "JPEG little", "WEBP marked", "AVIF ascii",
                     "JPEG undefined", "JPEG eight")
    ),
    Sample("jis", "A1111", {"parameters": _JAPANESE}, {"Prompt": "赤いハート", "Negative prompt": "", **_PAIRS},
           form="JPEG jis"),
    Sample("beyond latin-1", "A1111", {"parameters": _JAPANESE},
           {"Prompt": "赤いハート", "Negative prompt": "", **_PAIRS}),
    Sample("no words", "A1111", {"parameters": _BASE}, {"Prompt": "", "Negative prompt": "", **_PAIRS}),
    Sample("only a negative prompt", "A1111", {"parameters": f"Negative prompt: blurry\n{_BASE}"},
           {"Prompt": "", "Negative prompt": "blurry", **_PAIRS}),
    _a1111("quoted values", r', Model: "odd, \"name\": é\\", Version: v1.10.1',
           {"Model": 'odd, "name": é\\', "Version": "v1.10.1"}),
    _a1111("hires fix", ", Denoising strength: 0.5, Hires upscale: 1.5, Hires steps: 8, Hires upscaler: Latent",
           {"Denoising strength": "0.5", "Hires upscale": "1.5", "Hires steps": "8", "Hires upscaler": "Latent"}),
    _a1111("inpainting",
           ", Denoising strength: 0.75, Mask blur: 4, Inpaint area: Only masked, Masked area padding: 32",
           {"Denoising strength": "0.75", "Mask blur": "4", "Inpaint area": "Only masked",
            "Masked area padding": "32"}),
    _a1111("networks", ', Model hash: 6ce0161689, Model: v1-5, Lora hashes: "ink: 0123456789ab, oil: ba9876543210"',
           {"Model hash": "6ce0161689", "Model": "v1-5", "Lora hashes": "ink: 0123456789ab, oil: ba9876543210"},
           prompt="a cat <lora:ink:0.8> <lora:oil:1:0.5>"),
    _a1111("refiner", ", Refiner: xl_refiner [7440042bbd], Refiner switch at: 0.8",
           {"Refiner": "xl_refiner [7440042bbd]", "Refiner switch at": "0.8"}),
    _a1111("seeds", ", Variation seed: 5, Variation seed strength: 0.3, Seed resize from: 512x512, ENSD: 31337",
           {"Variation seed": "5", "Variation seed strength": "0.3", "Seed resize from": "512x512", "ENSD": "31337"}),
    _a1111("control net", ', ControlNet 0: "Module: canny, Model: control_v11p [d14c016b], Weight: 1"',
           {"ControlNet 0": "Module: canny, Model: control_v11p [d14c016b], Weight: 1"}),
    Sample("two pairs are a prompt's", "A1111", {"parameters": f"a sign: open, hours: late\n{_BASE}"},
           {"Prompt": "a sign: open, hours: late", "Negative prompt": "", **_PAIRS}),
    Sample("forge with flux", "Forge", {"parameters": (
        "a cat\nSteps: 20, Sampler: Euler, Schedule type: Simple, CFG scale: 1, Distilled CFG Scale: 3.5, Seed: 1, "
        "Size: 896x1152, Model hash: bea01d51bd, Model: flux1-dev-bnb-nf4-v2, Version: f2.0.1v1.10.1-previous-224, "
        "Module 1: ae, Module 2: t5xxl_fp16"
    )}, {
        "Prompt": "a cat", "Negative prompt": "", "Steps": "20", "Sampler": "Euler", "Schedule type": "Simple",
        "CFG scale": "1", "Distilled CFG Scale": "3.5", "Seed": "1", "Size": "896x1152", "Model hash": "bea01d51bd",
        "Model": "flux1-dev-bnb-nf4-v2", "Version": "f2.0.1v1.10.1-previous-224", "Module 1": "ae",
        "Module 2": "t5xxl_fp16",
    }),
    Sample("forge neo", "Forge", {"parameters": f"a cat\n{_BASE}, Version: neo"},
           {"Prompt": "a cat", "Negative prompt": "", **_PAIRS, "Version": "neo"}),
    Sample("sd.next", "SD.Next", {"parameters": (
        "a cat\nNegative prompt: blurry\nSteps: 20, Size: 1024x1024, Sampler: DPM++ 2M, Scheduler: karras, Seed: 5, "
        "CFG scale: 6, Model: juggernaut, Model hash: 847403d47a, App: SD.Next, Version: 8b73cb6, "
        "Pipeline: StableDiffusionXLPipeline, Operations: txt2img, LoRA networks: ink:0.6"
    )}, {
        "Prompt": "a cat <lora:ink:0.6>", "Negative prompt": "blurry", "Steps": "20", "Size": "1024x1024",
        "Sampler": "DPM++ 2M", "Schedule type": "Karras", "Seed": "5", "CFG scale": "6", "Model": "juggernaut",
        "Model hash": "847403d47a", "Version": "8b73cb6",
    }),
    Sample("sd.next, the model's own sampler", "SD.Next", {"parameters": (
        "a cat <lora:ink:0.6>\nSteps: 20, Size: 64x64, Sampler: Default, Seed: 5, App: SD.Next, Parser: native, "
        "LoRA networks: ink:0.6"
    )}, {"Prompt": "a cat <lora:ink:0.6>", "Negative prompt": "", "Steps": "20", "Size": "64x64", "Seed": "5"},
        form="JPEG"),
    Sample("civitai's resources", "Civitai", {"parameters": f"a cat\n{_BASE}, Created Date: 2024-01-01, {_CIVITAI}"},
           {"Prompt": "a cat", "Negative prompt": "", **_PAIRS, "Created Date": "2024-01-01"}, ("Checkpoint", "LoRA")),
    Sample("civitai's resources in the middle", "Civitai", {"parameters": f"a cat\n{_CIVITAI}, {_BASE}"},
           {"Prompt": "a cat", "Negative prompt": "", **_PAIRS}, ("Checkpoint", "LoRA"), form="JPEG"),
    Sample("fooocus, as a1111", "Fooocus", {"fooocus_scheme": "a1111", "parameters": (
        "a cat, cinematic\nNegative prompt: anime\nSteps: 30, Sampler: DPM++ 2M SDE Karras, Seed: 7, Size: 1152x896, "
        'CFG scale: 4, Sharpness: 2, ADM Guidance: "(1.5, 0.8, 0.3)", Model: juggernautXL, Model hash: aeb7e9e689, '
        "Performance: Speed, Scheduler: karras, VAE: Default (model), Raw prompt: a cat, Raw negative prompt: , "
        'Lora hashes: "offset: 4852686128", Lora weights: "offset: 0.1", Version: Fooocus v2.5.5'
    )}, {
        "Prompt": "a cat, cinematic <lora:offset:0.1>", "Negative prompt": "anime", "Steps": "30",
        "Sampler": "DPM++ 2M SDE", "Schedule type": "Karras", "Seed": "7", "Size": "1152x896", "CFG scale": "4",
        "Model": "juggernautXL", "Model hash": "aeb7e9e689", "Lora hashes": "offset: 4852686128",
        "Version": "Fooocus v2.5.5",
    }, ("Sharpness", "ADM Guidance", "Performance")),
    Sample("a node of comfyui that writes an infotext", "ComfyUI",
           {"parameters": f"a cat\n{_BASE}, Version: ComfyUI", "prompt": "{}", "workflow": "{}"},
           {"Prompt": "a cat", "Negative prompt": "", **_PAIRS, "Version": "ComfyUI"}),
)  # fmt: skip
