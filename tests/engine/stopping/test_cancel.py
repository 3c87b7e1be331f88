"""Stopping inside a step: at the next block, with nothing left behind."""

import gc
import threading
import weakref
from collections.abc import Callable
from contextlib import nullcontext

import pytest
import torch
from torch import nn

from modules.engine.models.loaded_model import LoadedModel
from modules.engine.stopping.cancel import Cancel, add_cancel_points
from modules.errors import Interrupted
from modules.shared_state import State


def running_state() -> State:
    state = State()
    state.begin("job")
    return state


def test_where_nothing_is_asked_a_check_is_a_sign_of_life_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    beats: list[str] = []
    cancel = Cancel(running_state())
    monkeypatch.setattr(cancel.heartbeat, "beat", lambda: beats.append("beat"))
    cancel.check()
    cancel.check_waiting()
    assert beats == ["beat"]


def test_the_stronger_reason_wins() -> None:
    state = running_state()
    cancel = Cancel(state)
    for set_reason, kind in (
        (state.skip, "skip"),
        (state.interrupt, "interrupt"),
        (cancel.exit.set, "exit"),
    ):
        set_reason()
        with pytest.raises(Interrupted) as stop:
            cancel.check()
        assert stop.value.kind == kind


def test_what_is_kept_of_a_stopped_job_can_be_finished_unless_the_engine_ends() -> None:
    state = running_state()
    cancel = Cancel(state)
    state.interrupt()
    with cancel.obeying():
        cancel.check()
        cancel.exit.set()
        with pytest.raises(Interrupted):
            cancel.check()
        cancel.exit.clear()
    with pytest.raises(Interrupted):
        cancel.check()


def test_a_skip_waits_while_what_is_done_serves_other_pictures_too() -> None:
    state = running_state()
    cancel = Cancel(state)
    state.skip()
    with cancel.keeping_skips():
        cancel.check()
    for look in (cancel.keeping_skips(False), nullcontext()):
        with look, pytest.raises(Interrupted) as stop:
            cancel.check()
        assert stop.value.kind == "skip"
    with pytest.raises(ValueError, match="a bug"), cancel.keeping_skips():
        raise ValueError("a bug")
    with pytest.raises(Interrupted):
        cancel.check()


def test_every_block_of_the_networks_is_a_cancel_point(load: Callable[..., LoadedModel]) -> None:
    pipeline = load().pipeline
    for network in (pipeline.unet, pipeline.text_encoder, pipeline.vae):
        names = {name for name, module in network.named_modules() if module._forward_pre_hooks}
        assert names
        if network is pipeline.unet:
            assert {"down_blocks.0.attentions.0", "mid_block.attentions.0", "up_blocks.1.resnets.1"} <= names
        if network is pipeline.vae:
            assert {"decoder.up_blocks.0.resnets.0", "decoder.mid_block.resnets.1"} <= names
            assert {"decoder.up_blocks.0.resnets.0.conv2", "decoder.up_blocks.0.upsamplers.0.conv"} <= names


def test_a_stop_is_obeyed_at_the_next_block_and_leaves_no_tensor_behind() -> None:
    state = running_state()
    cancel = Cancel(state)
    ran: list[int] = []
    made: list[weakref.ref[torch.Tensor]] = []

    class Block(nn.Module):
        def __init__(self, number: int) -> None:
            super().__init__()
            self.number = number
            self.inner = nn.Linear(4, 4)

        def forward(self, values: torch.Tensor) -> torch.Tensor:
            ran.append(self.number)
            if self.number == 2:
                threading.Thread(target=state.interrupt).start()
                while not state.interrupted:
                    pass
            result: torch.Tensor = self.inner(values)
            made.append(weakref.ref(result))
            return result

    network = nn.Sequential(*(Block(number) for number in range(6)))
    assert add_cancel_points(network, cancel) == 6
    with torch.inference_mode():
        try:
            network(torch.zeros(1, 4))
        except Interrupted as stop:
            kind = stop.kind
    assert kind == "interrupt"
    assert ran == [0, 1, 2]
    gc.collect()
    assert [reference() for reference in made] == [None, None, None]
