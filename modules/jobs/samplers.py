"""The samplers and schedule types under A1111's names, and which of them go together.

Names only: which diffusers scheduler each one is, the engine knows.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from modules.errors import InvalidRequest


@dataclass(frozen=True)
class Schedule:
    """A way to spread the noise levels over the steps. `name` is A1111's internal id, `label` what people see."""

    name: str
    label: str
    aliases: tuple[str, ...] = ()
    default_rho: float = -1.0
    need_inner_model: bool = False


SCHEDULES: tuple[Schedule, ...] = (
    Schedule("automatic", "Automatic"),
    Schedule("uniform", "Uniform", need_inner_model=True),
    Schedule("karras", "Karras", default_rho=7.0),
    Schedule("exponential", "Exponential"),
    Schedule("sgm_uniform", "SGM Uniform", aliases=("SGMUniform",), need_inner_model=True),
    Schedule("beta", "Beta", need_inner_model=True),
)

_ANY_SCHEDULE = tuple(schedule.label for schedule in SCHEDULES)
# These step on whole timesteps: they can be spaced, but noise levels of one's own have no place in them. With A1111
# they take their own timesteps, whatever the schedule type.
_SPACED_SCHEDULES = ("Automatic", "Uniform", "SGM Uniform")


@dataclass(frozen=True)
class Sampler:
    """A method that takes the noise away step by step.

    `default_schedule` is the label that "Automatic" stands for; None means the scheduler's own spacing.
    `options` is what `GET /sdapi/v1/samplers` tells about it. `calls_per_step` is how often a step calls the denoiser;
    the last one of a picture does so once. `eta` is the usual one of a sampler that can add noise on the way, None: it
    has none; one that `churns` can add some before each step.
    """

    name: str
    aliases: tuple[str, ...]
    default_schedule: str | None = None
    schedules: tuple[str, ...] = _ANY_SCHEDULE
    options: dict[str, str] = field(default_factory=dict, hash=False)
    calls_per_step: int = 1
    eta: float | None = None
    churns: bool = False


_ANCESTRAL_OF_TWO_STEPS = {"scheduler": "karras", "uses_ensd": "True", "second_order": "True"}

SAMPLERS: tuple[Sampler, ...] = (
    Sampler("Euler", ("k_euler",), churns=True),
    Sampler("Euler a", ("k_euler_a", "k_euler_ancestral"), options={"uses_ensd": "True"}, eta=1.0),
    Sampler("DDIM", ("ddim",), schedules=_SPACED_SCHEDULES, eta=0.0),
    Sampler("DPM++ 2M", ("k_dpmpp_2m",), default_schedule="Karras", options={"scheduler": "karras"}),
    Sampler(
        "DPM++ 2M SDE",
        ("k_dpmpp_2m_sde",),
        default_schedule="Exponential",
        options={"scheduler": "exponential"},
        eta=1.0,
    ),
    Sampler(
        "DPM++ SDE",
        ("k_dpmpp_sde",),
        default_schedule="Karras",
        options={"scheduler": "karras", "second_order": "True"},
        calls_per_step=2,
        eta=1.0,
    ),
    Sampler(
        "DPM++ 2M SDE Heun",
        ("k_dpmpp_2m_sde_heun",),
        default_schedule="Exponential",
        options={"scheduler": "exponential"},
        eta=1.0,
    ),
    Sampler(
        "DPM++ 2S a",
        ("k_dpmpp_2s_a",),
        default_schedule="Karras",
        options=_ANCESTRAL_OF_TWO_STEPS,
        calls_per_step=2,
        eta=1.0,
    ),
    Sampler(
        "DPM++ 3M SDE",
        ("k_dpmpp_3m_sde",),
        default_schedule="Exponential",
        options={"scheduler": "exponential"},
        eta=1.0,
    ),
    Sampler("UniPC", ("unipc",)),
    Sampler("LCM", ("k_lcm",)),
    Sampler("Heun", ("k_heun",), options={"second_order": "True"}, calls_per_step=2, churns=True),
    Sampler("LMS", ("k_lms",)),
    Sampler(
        "DPM2",
        ("k_dpm_2",),
        default_schedule="Karras",
        options={"scheduler": "karras", "second_order": "True"},
        calls_per_step=2,
        churns=True,
    ),
    Sampler(
        "DPM2 a", ("k_dpm_2_a",), default_schedule="Karras", options=_ANCESTRAL_OF_TWO_STEPS, calls_per_step=2, eta=1.0
    ),
    Sampler("PLMS", ("plms",), schedules=_SPACED_SCHEDULES),
    Sampler("DEIS", ("deis",)),
)


def _key(text: str) -> str:
    return " ".join(text.casefold().split())


_SAMPLER_BY_KEY = {_key(name): sampler for sampler in SAMPLERS for name in (sampler.name, *sampler.aliases)}
_SCHEDULE_BY_KEY = {
    _key(name): schedule for schedule in SCHEDULES for name in (schedule.name, schedule.label, *schedule.aliases)
}


def find_sampler(name: str) -> Sampler:
    """Return the sampler called `name`, in any case, by its name or by A1111's internal id.

    Raises:
        InvalidRequest: there is none; the message lists the known ones.
    """
    sampler = _SAMPLER_BY_KEY.get(_key(name))
    if sampler is None:
        known = ", ".join(sampler.name for sampler in SAMPLERS)
        raise InvalidRequest(f"Sampler {name!r} is not known: use one of {known}.", field="sampler_name")
    return sampler


def find_schedule(name: str) -> Schedule:
    """Return the schedule type called `name`, in any case, by its label or by A1111's internal id.

    Raises:
        InvalidRequest: there is none; the message lists the known ones.
    """
    schedule = _SCHEDULE_BY_KEY.get(_key(name))
    if schedule is None:
        known = ", ".join(_ANY_SCHEDULE)
        raise InvalidRequest(f"Schedule type {name!r} is not known: use one of {known}.", field="scheduler")
    return schedule


def split_sampler(name: str) -> tuple[str, str | None]:
    """Split an old name such as "DPM++ 2M Karras" into sampler and schedule type; None where it names no schedule.

    Names that are not known come back as they are.
    """
    key = _key(name)
    if key in _SAMPLER_BY_KEY:
        return _SAMPLER_BY_KEY[key].name, None
    for ending, schedule in _SCHEDULE_BY_KEY.items():
        if key.endswith(f" {ending}"):
            rest = key.removesuffix(f" {ending}")
            if rest in _SAMPLER_BY_KEY:
                return _SAMPLER_BY_KEY[rest].name, schedule.label
    return name, None


def check_pair(sampler: Sampler, schedule: Schedule) -> None:
    """Check that the two go together.

    Raises:
        InvalidRequest: they do not; the message lists the schedule types that do.
    """
    if schedule.label not in sampler.schedules:
        possible = " or ".join(sampler.schedules)
        message = f"Schedule type {schedule.label} does not go with sampler {sampler.name}: use {possible}."
        raise InvalidRequest(message, field="scheduler")


def effective_schedule(sampler: Sampler, schedule: Schedule) -> Schedule:
    """Return what "Automatic" stands for with this sampler; any other schedule is itself."""
    if schedule.label == "Automatic" and sampler.default_schedule is not None:
        return find_schedule(sampler.default_schedule)
    return schedule
