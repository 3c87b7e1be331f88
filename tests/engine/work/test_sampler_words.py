"""What is said of a sampler that strays, or is not used."""

from diffusers import DDIMScheduler, FlowMatchEulerDiscreteScheduler, SCMScheduler

from modules.engine.work.sampler_words import describe_sampler
from modules.jobs.models.defaults import ModelDefaults
from tests.jobs.made_jobs import resolved_job

FLOW, NOISE, OWN = FlowMatchEulerDiscreteScheduler(), DDIMScheduler(), SCMScheduler()


def said(own: object, sampler: str, schedule: str = "Automatic", steps: int = 28) -> str | None:
    chosen = resolved_job(sampler_name=sampler, scheduler=schedule).passes[0]
    return describe_sampler(own, chosen, ModelDefaults(steps=steps, sampler_name="Euler"))


def test_a_pair_that_strays_is_told_of_with_flow_models_alone() -> None:
    told = said(FLOW, "Euler a", "Karras")
    assert told is not None and "strays: 20 steps end 12 %" in told
    assert said(FLOW, "Heun") is None
    assert said(NOISE, "Euler a", "Karras") is None
    assert said(FLOW, "Euler a", "Karras", steps=4) is None  # a distilled one, of which nothing was measured


def test_a_sampler_that_is_not_used_is_told_of() -> None:
    assert said(OWN, "Heun") == (
        "This model was made for a sampler of its own and is drawn with that: Heun is not used."
    )
    assert said(OWN, "Euler") is None
