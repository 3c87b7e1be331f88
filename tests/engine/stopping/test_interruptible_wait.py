"""Waiting that can be ended."""

import threading

import pytest

from modules.engine.stopping.interruptible_wait import wait_for
from modules.errors import Interrupted


def test_the_result_comes_back_and_so_does_the_error() -> None:
    assert wait_for(lambda: 7, lambda: None) == 7
    with pytest.raises(ZeroDivisionError):
        wait_for(lambda: 1 // 0, lambda: None)

    def time_out() -> None:
        raise TimeoutError("of the work itself")

    with pytest.raises(TimeoutError, match="of the work itself"):
        wait_for(time_out, lambda: None)


def test_an_interrupt_ends_the_waiting_and_the_work_goes_on_to_its_end() -> None:
    go_on, ended = threading.Event(), threading.Event()

    def work() -> None:
        go_on.wait(10)
        ended.set()

    def interrupt() -> None:
        raise Interrupted("interrupt")

    with pytest.raises(Interrupted):
        wait_for(work, interrupt)
    assert not ended.is_set()
    go_on.set()
    assert ended.wait(10)
