"""What previews may cost, and what happens when they would cost more."""

import itertools
import random
from pathlib import Path

import pytest

from modules.engine.previews.budget import Budget, Choice, Loss
from modules.engine.previews.methods import Method
from modules.engine.progress.timings import Experience, Size, Timings

ALL: tuple[Method, ...] = ("full", "small", "linear")
ONE, CALL = Size(512, 512), Size(512, 512, 2)
COSTS: dict[Method, float] = {"full": 1.3, "small": 0.03, "linear": 0.003}


def experience(tmp_path: Path) -> Experience:
    return Timings(tmp_path / "timings.json").under("m", "bfloat16", "CPU", 2)


def run(budget: Budget, steps: int, step_seconds: float, share: float = 0.02, every: int = 1) -> list[Method]:
    """Draw steps of a job that makes a preview after each; what they cost does not hold it up."""
    chosen = []
    for _ in range(steps):
        choice = budget.choose(ALL, share, every)
        chosen.append(choice.method)
        budget.made(choice.method, COSTS[choice.method])
        budget.step_took(step_seconds, 0.0)
    return chosen


def test_the_best_method_that_fits_is_found_and_an_expensive_one_tried_once() -> None:
    budget = Budget()
    budget.begin(None, CALL)
    chosen = run(budget, 40, step_seconds=3.0)  # 60 ms a step
    assert chosen[0] == "small"  # until a step was timed
    assert chosen.count("full") == 1
    assert chosen[-30:] == ["small"] * 30
    reason = budget.choose(ALL, 0.02, 1).reason
    assert reason == "A full preview costs 1.3 s, and a step of 3.0 s may cost 2 % for previews."


def test_what_was_learned_spares_the_next_job_the_try(tmp_path: Path) -> None:
    known = experience(tmp_path)
    known.learn("step", 3.0, CALL)
    first, second = Budget(), Budget()
    first.begin(known, CALL)
    assert "full" in run(first, 20, step_seconds=3.0)
    second.begin(known, CALL)
    assert run(second, 20, step_seconds=3.0) == ["small"] * 20


def test_a_decoder_that_takes_longer_than_the_budget_even_with_all_cores_is_not_tried(tmp_path: Path) -> None:
    known = experience(tmp_path)
    known.learn("step", 3.0, CALL)
    known.learn("decode", 2.5, ONE)
    budget = Budget()
    budget.begin(known, CALL)
    assert "full" not in run(budget, 20, step_seconds=3.0)


def test_the_first_preview_that_was_measured_counts_instead_of_what_it_costs_at_least(tmp_path: Path) -> None:
    known = experience(tmp_path)
    known.learn("step", 3.0, CALL)
    known.learn("decode", 0.1, ONE)
    budget = Budget()
    budget.begin(known, CALL)
    assert run(budget, 3, step_seconds=3.0, share=0.2) == ["full", "small", "small"]


def test_it_goes_down_when_over_and_up_again_when_well_under() -> None:
    budget = Budget()
    budget.begin(None, CALL)
    run(budget, 20, step_seconds=3.0)
    assert run(budget, 30, step_seconds=0.4)[-1] == "linear"  # 8 ms a step
    assert run(budget, 60, step_seconds=3.0)[-1] == "small"


def test_near_the_border_it_does_not_go_to_and_fro() -> None:
    budget = Budget()
    budget.begin(None, CALL)
    run(budget, 20, step_seconds=3.0)
    draw = random.Random(1)
    chosen = [method for _ in range(200) for method in run(budget, 1, step_seconds=draw.uniform(1.4, 1.7))]
    switches = sum(one != other for one, other in itertools.pairwise(chosen))
    assert switches <= 1


def test_previews_at_fewer_steps_have_more_room() -> None:
    budget = Budget()
    budget.begin(None, CALL)
    assert run(budget, 20, step_seconds=3.0, every=32)[-1] == "full"
    assert budget.choose(ALL, float("inf"), 1).method == "full"


def test_a_method_that_failed_is_left_alone_for_the_rest_of_the_job() -> None:
    budget = Budget()
    budget.begin(None, CALL)
    run(budget, 20, step_seconds=3.0)
    budget.failed("small")
    assert set(run(budget, 20, step_seconds=3.0)) == {"linear"}
    budget.begin(None, CALL)
    assert "small" in run(budget, 20, step_seconds=3.0)


def test_the_pause_after_a_preview_keeps_the_budget_with_the_cheapest_too() -> None:
    budget = Budget()
    budget.begin(None, CALL)
    run(budget, 20, step_seconds=0.03)
    assert budget.choose(ALL, 0.02, 1).method == "linear"
    assert budget.pause_seconds(0.01) == pytest.approx(0.3, rel=0.3)
    budget.made("full", 1.3)
    assert budget.pause_seconds(0.01) == pytest.approx(0.3, rel=0.3)  # a try costs who watches nothing
    assert budget.pause_seconds(float("inf")) == 0.0


def test_a_job_that_begins_while_a_preview_is_made_leaves_the_pause_after_it_the_shortest() -> None:
    budget = Budget()
    budget.step_took(1.0, 0.0)
    budget.choose(["full", "small"], 0.02, 1)
    budget.begin(None, Size(64, 64))
    assert budget.pause_seconds(0.02) == 0.2


def test_with_fast_steps_previews_go_by_time_and_are_clean_from_the_first_on(tmp_path: Path) -> None:
    """As the embedded model draws: steps of 25 ms, a small decoder of 4 ms, which is too much after each step."""
    known, share = experience(tmp_path), 0.02
    for _job in range(3):
        budget, clock, made_at = Budget(), 0.0, [float("-inf")]
        budget.begin(known, CALL)
        rest_until = 0.0
        for _step in range(40):
            clock += 0.025
            if clock >= rest_until:
                choice = budget.choose(("small", "linear"), share, 1)
                assert choice == Choice("small", None)
                budget.made("small", 0.004, cold=known.seconds("preview_small", ONE) is None and len(made_at) == 1)
                rest_until = clock + budget.pause_seconds(share)
                made_at.append(clock)
            budget.step_took(0.025, 0.0)
        assert len(made_at) == 6  # one a fifth of a second
        assert min(later - one for one, later in itertools.pairwise(made_at)) >= 0.2
        known.learn("step", 0.025, CALL)


def test_the_first_use_of_a_decoder_is_neither_charged_nor_learned(tmp_path: Path) -> None:
    known = experience(tmp_path)
    known.learn("step", 0.033, CALL)
    for job in range(4):
        budget = Budget()
        budget.begin(known, CALL)
        for number in range(10):
            cold = job == number == 0
            assert budget.choose(("small", "linear"), 0.25, 1).method == "small"
            budget.made("small", 0.15 if cold else 0.006, cold)
            assert budget.pause_seconds(0.25) == 0.2
            budget.step_took(0.033, 0.0)
    assert known.seconds("preview_small", ONE) == 0.006


def test_a_decoder_whose_first_use_takes_seconds_is_not_used_a_second_time() -> None:
    budget = Budget()
    budget.begin(None, CALL)
    budget.step_took(3.0, 0.0)
    assert budget.choose(ALL, 0.02, 1).method == "full"
    budget.made("full", 9.0, cold=True)
    assert budget.choose(ALL, 0.02, 1).method == "small"


def test_what_a_grid_costs_is_no_measure_for_a_single_picture(tmp_path: Path) -> None:
    known = experience(tmp_path)
    for pictures in (16, 1):
        budget = Budget()
        budget.begin(known, CALL._replace(rows=2 * pictures), pictures)
        budget.step_took(0.03, 0.0)
        budget.choose(("small", "linear"), 1.0, 1)
        for _ in range(5):
            budget.made("small", 0.004 * pictures)
    assert known.seconds("preview_small", ONE) == pytest.approx(0.004)
    assert known.seconds("preview_small", ONE._replace(rows=16)) == pytest.approx(0.064)


@pytest.mark.parametrize("slope", [0.3, 1.0, 1.9])
def test_what_counts_is_what_the_job_loses(slope: float) -> None:
    """Previews of half a step, made during some of the steps, on a machine that is not quiet."""
    loss, draw = Loss(), random.Random(2)
    for _ in range(300):
        worked = draw.choice([0.0, 0.0, 0.5])
        loss.step(slope * worked + draw.gauss(0, 0.05), worked)
    assert loss.per_second == pytest.approx(slope, abs=0.25)


def test_previews_too_small_to_tell_count_as_their_own_time() -> None:
    loss, draw = Loss(), random.Random(3)
    for _ in range(300):
        loss.step(draw.gauss(0, 0.2), 0.005)
    assert loss.per_second == pytest.approx(Loss.LIKELY, abs=0.3)
