"""Which samplers people are told of, and in which words."""

from modules.jobs.flow_figures import FIGURES, STRAYS_PERCENT, describe_straying, strays
from modules.jobs.samplers import SAMPLERS


def test_every_pair_has_its_figure() -> None:
    assert {name: tuple(figures) for name, figures in FIGURES.items()} == {one.name: one.schedules for one in SAMPLERS}


def test_those_that_stray_are_told_of_with_their_figure_and_eulers() -> None:
    assert describe_straying("Euler a", "Karras") == (
        "With flow models Euler a with the schedule type Karras strays: 20 steps end 12 % from a fine solution, "
        "those of Euler 7 %."
    )
    assert describe_straying("Euler", "Automatic") is None
    told = {(sampler, schedule) for sampler, figures in strays().items() for schedule in figures}
    assert told == {
        (sampler.name, schedule)
        for sampler in SAMPLERS
        for schedule in sampler.schedules
        if describe_straying(sampler.name, schedule)
    }
    assert all(figure >= STRAYS_PERCENT for figures in strays().values() for figure in figures.values())
    assert set(strays()["Euler"]) == {"Exponential"}
