"""How often a password may be tried."""

from modules.api.auth.attempts import MOST_PER_ADDRESS, MOST_PER_USER, MOST_REMEMBERED, WINDOW_SECONDS, Attempts


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_an_address_waits_after_ten_wrong_ones_and_no_longer_than_five_minutes() -> None:
    clock = Clock()
    attempts = Attempts(clock)
    for number in range(MOST_PER_ADDRESS):
        assert attempts.seconds_to_wait("a", f"user {number}") == 0
        attempts.begin("a", f"user {number}")
        clock.now += 1
    assert attempts.seconds_to_wait("a", "anna") == WINDOW_SECONDS - MOST_PER_ADDRESS
    assert attempts.seconds_to_wait("b", "anna") == 0
    clock.now += WINDOW_SECONDS - MOST_PER_ADDRESS
    assert attempts.seconds_to_wait("a", "anna") == 0


def test_a_user_is_not_guessed_from_many_addresses() -> None:
    attempts = Attempts(Clock())
    for number in range(MOST_PER_USER):
        attempts.begin(f"address {number}", "anna")
    assert attempts.seconds_to_wait("fresh", "anna") == WINDOW_SECONDS
    assert attempts.seconds_to_wait("fresh", "ben") == 0


def test_right_ones_do_not_count() -> None:
    attempts = Attempts(Clock())
    for _ in range(MOST_PER_USER * 2):
        attempts.begin("a", "anna")
        attempts.was_right("a", "anna")
    assert attempts.seconds_to_wait("a", "anna") == 0


def test_what_is_remembered_is_bounded() -> None:
    attempts = Attempts(Clock())
    for number in range(MOST_REMEMBERED):
        attempts.begin("a", str(number))
    assert len(attempts._times) <= MOST_REMEMBERED
    assert attempts.seconds_to_wait("a", "x") > 0, "the address that tries most is remembered"


def test_who_has_a_network_of_addresses_is_one() -> None:
    """Behind a proxy that is named an IPv6 client may come from another address with each guess."""
    attempts = Attempts(Clock())
    for number in range(MOST_PER_ADDRESS):
        attempts.begin(f"2001:db8:1:2::{number:x}", f"user {number}")
    assert attempts.seconds_to_wait("2001:db8:1:2:ffff::1", "anna") == WINDOW_SECONDS
    assert attempts.seconds_to_wait("2001:db8:1:3::1", "anna") == 0
