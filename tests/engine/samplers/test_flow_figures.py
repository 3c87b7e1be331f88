"""What people are told of samplers that stray with flow models is what is measured."""

import pytest
from diffusers import FlowMatchEulerDiscreteScheduler

from modules.jobs.flow_figures import FIGURES, SHIFT, STEPS, strays
from modules.jobs.samplers import SAMPLERS
from tests.engine.samplers.flow_of_mixture import flow, solution, start, strays_by


@pytest.mark.parametrize("sampler", [sampler.name for sampler in SAMPLERS])
def test_a_figure_is_the_one_that_is_measured(sampler: str) -> None:
    """With the model's own list, and where it is told of; the benchmark measures all."""
    for schedule in {"Automatic", *strays().get(sampler, {})}:
        measured = strays_by(sampler, schedule, STEPS, SHIFT)
        assert measured == pytest.approx(FIGURES[sampler][schedule], abs=1.0), schedule


def test_what_they_are_measured_against_is_where_many_steps_lead() -> None:
    own, sample = FlowMatchEulerDiscreteScheduler(shift=SHIFT), start()
    own.set_timesteps(400)
    for timestep in own.timesteps:
        sample = own.step(flow(sample, float(timestep)), timestep, sample).prev_sample
    assert (sample.flatten().sort().values - solution()).abs().mean() / solution().std() < 0.004
