"""Samplers and schedule types by every name that A1111's clients use."""

import pytest

from modules.errors import InvalidRequest
from modules.jobs.samplers import (
    SAMPLERS,
    SCHEDULES,
    check_pair,
    effective_schedule,
    find_sampler,
    find_schedule,
    split_sampler,
)


@pytest.mark.parametrize(
    ("name", "found"),
    [("Euler", "Euler"), ("euler a", "Euler a"), ("k_euler_ancestral", "Euler a"), (" DPM++  2m sde ", "DPM++ 2M SDE")],
)
def test_samplers_are_found_by_name_and_alias(name: str, found: str) -> None:
    assert find_sampler(name).name == found


@pytest.mark.parametrize(
    ("name", "found"), [("automatic", "Automatic"), ("KARRAS", "Karras"), ("SGMUniform", "SGM Uniform")]
)
def test_schedules_are_found_by_name_label_and_alias(name: str, found: str) -> None:
    assert find_schedule(name).label == found


def test_unknown_names_list_the_known_ones() -> None:
    with pytest.raises(InvalidRequest) as caught:
        find_sampler("Restart")
    assert caught.value.field == "sampler_name"
    names = ", ".join(sampler.name for sampler in SAMPLERS)
    assert str(caught.value) == f"Sampler 'Restart' is not known: use one of {names}."
    with pytest.raises(InvalidRequest, match="use one of Automatic, Uniform, Karras, Exponential, SGM Uniform, Beta"):
        find_schedule("polyexponential")


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("DPM++ 2M Karras", ("DPM++ 2M", "Karras")),
        ("DPM++ 2M SDE Exponential", ("DPM++ 2M SDE", "Exponential")),
        ("DPM++ 2M SDE", ("DPM++ 2M SDE", None)),
        ("euler a sgm uniform", ("Euler a", "SGM Uniform")),
        ("Restart Karras", ("Restart Karras", None)),
        ("Karras", ("Karras", None)),
    ],
)
def test_old_names_split(name: str, parts: tuple[str, str | None]) -> None:
    assert split_sampler(name) == parts


def test_every_sampler_goes_with_automatic_and_splits_from_each_schedule() -> None:
    for sampler in SAMPLERS:
        check_pair(sampler, find_schedule("Automatic"))
        for schedule in SCHEDULES:
            assert split_sampler(f"{sampler.name} {schedule.label}") == (sampler.name, schedule.label)


def test_an_impossible_pair_names_the_possible_ones() -> None:
    with pytest.raises(InvalidRequest) as caught:
        check_pair(find_sampler("DDIM"), find_schedule("Karras"))
    assert caught.value.field == "scheduler"
    assert str(caught.value) == (
        "Schedule type Karras does not go with sampler DDIM: use Automatic or Uniform or SGM Uniform."
    )


def test_automatic_is_what_a1111_takes() -> None:
    automatic = find_schedule("Automatic")
    assert effective_schedule(find_sampler("DPM++ 2M"), automatic).label == "Karras"
    assert effective_schedule(find_sampler("Euler"), automatic) is automatic
    assert effective_schedule(find_sampler("DPM++ 2M"), find_schedule("Beta")).label == "Beta"


def test_the_list_says_second_order_of_samplers_that_call_the_denoiser_twice_a_step() -> None:
    twice = {sampler.name for sampler in SAMPLERS if sampler.calls_per_step == 2}
    assert twice == {"DPM++ SDE", "DPM++ 2S a", "Heun", "DPM2", "DPM2 a"}
    assert twice == {sampler.name for sampler in SAMPLERS if sampler.options.get("second_order") == "True"}
