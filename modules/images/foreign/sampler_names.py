"""Samplers and schedule types of other programs under A1111's names; what is not known keeps its own."""

from __future__ import annotations

from modules.errors import InvalidRequest
from modules.jobs.samplers import find_sampler

# Of ComfyUI and SwarmUI, InvokeAI, Fooocus, NovelAI, without "k_" before them.
_SAMPLERS = {
    "euler": "Euler", "euler_a": "Euler a", "euler_ancestral": "Euler a", "heun": "Heun", "heunpp2": "HeunPP2",
    "dpm_2": "DPM2", "dpm2": "DPM2", "kdpm_2": "DPM2", "dpm_2_a": "DPM2 a", "dpm_2_ancestral": "DPM2 a",
    "kdpm_2_a": "DPM2 a", "lms": "LMS", "dpm_fast": "DPM fast", "dpm_adaptive": "DPM adaptive",
    "dpmpp_2s_a": "DPM++ 2S a", "dpmpp_2s_ancestral": "DPM++ 2S a", "dpmpp_sde": "DPM++ SDE",
    "dpmpp_sde_gpu": "DPM++ SDE", "dpmpp_2": "DPM++ 2M", "dpmpp_2m": "DPM++ 2M", "dpmpp_2m_sde": "DPM++ 2M SDE",
    "dpmpp_2m_sde_gpu": "DPM++ 2M SDE", "dpmpp_2m_sde_heun": "DPM++ 2M SDE Heun",
    "dpmpp_2m_sde_heun_gpu": "DPM++ 2M SDE Heun", "dpmpp_3m_sde": "DPM++ 3M SDE", "dpmpp_3m_sde_gpu": "DPM++ 3M SDE",
    "lcm": "LCM", "ddim": "DDIM", "ddim_v3": "DDIM", "pndm": "PLMS", "plms": "PLMS", "deis": "DEIS", "unipc": "UniPC",
    "uni_pc": "UniPC", "uni_pc_bh2": "UniPC", "restart": "Restart",
}  # fmt: skip
_SCHEDULES = {
    "normal": "Uniform", "native": "Uniform", "karras": "Karras", "exponential": "Exponential",
    "polyexponential": "Polyexponential", "sgm_uniform": "SGM Uniform", "simple": "Simple", "beta": "Beta",
    "ddim_uniform": "DDIM", "kl_optimal": "KL Optimal", "align_your_steps": "Align Your Steps", "turbo": "Turbo",
}  # fmt: skip
_KARRAS_ENDING = "_k"


def sampler_pairs(sampler: object, schedule: object = None) -> dict[str, str]:
    """Return `Sampler` and `Schedule type` of an infotext; nothing for no sampler."""
    if not isinstance(sampler, str) or not sampler.strip():
        return {}
    key = _key(sampler).removeprefix("k_")
    pairs = {"Sampler": _SAMPLERS.get(key, sampler.strip())}
    if isinstance(schedule, str) and schedule.strip():
        pairs["Schedule type"] = _SCHEDULES.get(_key(schedule), schedule.strip())
    return pairs


def diffusers_sampler_pairs(scheduler: object) -> dict[str, str]:
    """Return the same of InvokeAI's one name, which ends in "_k" with the noise levels of Karras."""
    if not isinstance(scheduler, str):
        return {}
    key = _key(scheduler)
    if key.endswith(_KARRAS_ENDING):
        return sampler_pairs(key.removesuffix(_KARRAS_ENDING), "karras")
    pairs = sampler_pairs(key)
    return pairs | ({"Schedule type": "Uniform"} if _means_another_schedule(pairs.get("Sampler", "")) else {})


def _means_another_schedule(sampler: str) -> bool:
    """Tell whether a sampler alone stands for noise levels that the other program did not take."""
    try:
        return find_sampler(sampler).default_schedule is not None
    except InvalidRequest:
        return False


def _key(name: str) -> str:
    return name.strip().casefold().replace(" ", "_")
