"""What guests send is bounded by the day: of one network, and of all of them."""

import pytest

from modules.errors import TooMuchSent
from modules.jobs.inputs.allowance import SECONDS, Bound, GuestAllowance
from tests.jobs.conftest import Clock


def test_a_network_may_store_so_many_pictures_and_bytes_a_day(clock: Clock) -> None:
    allowance = GuestAllowance(Bound(3, 1 << 20), Bound(100, 100 << 20), clock)
    for _ in range(3):
        allowance.charge("10.0.0.3", 1000)
        clock.now += 60
    with pytest.raises(
        TooMuchSent, match="Guests may send 3 pictures and 1 MiB of them a day: send smaller"
    ) as refused:
        allowance.charge("10.0.0.3", 1000)
    assert refused.value.retry_after_seconds == round(SECONDS - 180)
    allowance.charge("10.0.0.4", 1 << 20)
    with pytest.raises(TooMuchSent):
        allowance.charge("10.0.0.4", 1)
    clock.now += SECONDS - 170
    allowance.charge("10.0.0.3", 1000)  # the first of them is a day old
    with pytest.raises(TooMuchSent):
        allowance.charge("10.0.0.3", 1000)


def test_all_networks_together_are_bounded_too(clock: Clock) -> None:
    allowance = GuestAllowance(Bound(10, 1 << 20), Bound(5, 3 << 20), clock)
    for number in range(5):
        allowance.charge(f"10.0.0.{number}", 10)
    with pytest.raises(TooMuchSent):
        allowance.charge("10.0.0.9", 10)
    clock.now += SECONDS + 1
    for number in range(3):
        allowance.charge(f"10.0.1.{number}", 1 << 20)
    with pytest.raises(TooMuchSent):
        allowance.charge("10.0.0.9", 10)


def test_one_that_is_too_large_is_refused_and_not_counted(clock: Clock) -> None:
    allowance = GuestAllowance(Bound(10, 1000), Bound(10, 1000), clock)
    with pytest.raises(TooMuchSent):
        allowance.charge("10.0.0.3", 1001)
    allowance.charge("10.0.0.3", 1000)
