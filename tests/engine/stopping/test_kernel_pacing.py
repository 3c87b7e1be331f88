"""Devices that run behind the code that launches their work, with a device that only counts."""

from collections.abc import Callable

import pytest
import torch
from torch import nn

from modules.engine.stopping.cancel import Cancel, add_cancel_points
from modules.engine.stopping.kernel_pacing import BLOCKS_AHEAD, Event, Pacer, event_maker
from modules.errors import Interrupted
from modules.shared_state import State


class Device:
    """Takes blocks at once and runs them one at a time, `seconds` each, while the clock goes on."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.now = 0.0
        self.launched = 0
        self.free_at = 0.0
        self.ends: list[float] = []
        self.on_sleep: Callable[[], object] = lambda: None
        self.events = 0

    def launch(self) -> None:
        self.launched += 1
        self.free_at = max(self.free_at, self.now) + self.seconds
        self.ends.append(self.free_at)

    @property
    def waiting(self) -> int:
        return sum(1 for end in self.ends if end > self.now)

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.on_sleep()

    def event(self) -> Event:
        self.events += 1
        return Mark(self)


class Mark:
    def __init__(self, device: Device) -> None:
        self.device = device
        self.at = 0

    def record(self) -> None:
        self.at = self.device.launched

    def query(self) -> bool:
        return self.at <= self.device.launched - self.device.waiting


class Block(nn.Module):
    def __init__(self, device: Device) -> None:
        super().__init__()
        self.device = device
        self.part = nn.Identity()

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        self.device.launch()
        self.device.now += 0.0001
        return values


class Run:
    """A network of 20 blocks on such a device, with cancel points."""

    def __init__(self, seconds_a_block: float) -> None:
        self.device = Device(seconds_a_block)
        self.state = State()
        self.state.begin("job")
        cancel = Cancel(self.state)
        pacer = Pacer(self.device.event, cancel.check_waiting, lambda: self.device.now, self.device.sleep)
        self.network = nn.Sequential(*(Block(self.device) for _ in range(20)))
        add_cancel_points(self.network, cancel, pacer)
        self.most_waiting = 0

    def step(self) -> None:
        self.network(torch.zeros(1))


def test_a_slow_device_is_never_more_than_a_few_blocks_behind_and_never_idle() -> None:
    run = Run(0.1)
    for _ in range(3):
        run.step()
        assert run.device.waiting <= BLOCKS_AHEAD + 1
        assert run.device.waiting >= BLOCKS_AHEAD - 1
    assert run.device.free_at == pytest.approx(60 * 0.1, abs=0.01)  # Nothing but its own work took time.
    assert run.device.events <= BLOCKS_AHEAD + 1


def test_a_quick_device_is_waited_for_in_its_first_steps_only() -> None:
    run = Run(0.002)
    run.step()
    run.step()  # 0.04 s after the first
    slept: list[int] = []
    run.device.on_sleep = lambda: slept.append(1)
    run.step()
    assert slept == []


def test_a_stop_is_obeyed_while_a_long_block_runs() -> None:
    run = Run(5.0)
    asked: list[float] = []

    def ask() -> None:
        if run.device.now > 7.0 and not asked:
            asked.append(run.device.now)
            run.state.interrupt()

    run.device.on_sleep = ask
    with pytest.raises(Interrupted):
        run.step()
    assert run.device.now - asked[0] < 0.01


def test_a_processor_needs_no_pacing() -> None:
    assert event_maker("cpu") is None
