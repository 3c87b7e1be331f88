"""A batch that stops after any step and goes on in new objects ends in the same bits, whatever the sampler."""

import json
from collections.abc import Callable

import pytest
import safetensors.torch
import torch

from modules.engine.families.base import Words
from modules.engine.models.loaded_model import LoadedModel
from modules.engine.samplers.state import SamplingState, pack, unpack
from modules.engine.work.sampling import Batch
from modules.engine.work.snapshots import Snapshot, from_bytes, to_bytes
from modules.errors import Interrupted
from modules.jobs.kinds.base import ResolvedJob
from modules.jobs.samplers import SAMPLERS
from tests.engine import flow
from tests.engine.work.test_sampling import embeddings, resolved

# From pure noise ("tiny") each pair, and each sampler also with a model of the other kind.
CASES = [("tiny", sampler.name, schedule) for sampler in SAMPLERS for schedule in sampler.schedules] + [
    ("plain", sampler.name, "Automatic") for sampler in SAMPLERS
]
CASES += [(name, "Euler", "Automatic") for name in ("sd3", "flux")]


def through_a_file(state: SamplingState) -> SamplingState:
    """Return `state` as another process reads it."""
    return from_bytes(to_bytes(Snapshot("job", (0, 1), "request", {}, state)), "cpu").state


def undisturbed(model: LoadedModel, words: Words, what: ResolvedJob, indices: list[int]) -> torch.Tensor:
    torch.manual_seed(1)
    with torch.inference_mode():
        return Batch(model, words, what, indices).sample(lambda done, steps, step: None)


def in_hops(model: LoadedModel, words: Words, what: ResolvedJob, indices: list[int]) -> torch.Tensor:
    """Draw a batch that is stopped after every step, and goes on in new objects each time."""
    torch.manual_seed(987)  # A resumed batch must not depend on it.
    state: SamplingState | None = None

    def stop(done: int, steps: int, step: object) -> None:
        assert done == (0 if state is None else state.place) + 1
        raise Interrupted("pause")

    with torch.inference_mode():
        while state is None or state.place < state.places:
            batch = Batch(model, words, what, indices, state)
            with pytest.raises(Interrupted):
                batch.sample(stop)
            stopped = batch.state()
            assert stopped is not None
            state = through_a_file(stopped)
        return Batch(model, words, what, indices, state).sample(stop)


@pytest.fixture(scope="module")
def models(load: Callable[..., LoadedModel]) -> dict[str, LoadedModel]:
    flows = (flow.stable_diffusion_3(), flow.flux())
    return {name: load(name) for name in ("plain", "tiny")} | {model.family.name: model for model in flows}


@pytest.mark.parametrize(("name", "sampler", "schedule"), CASES)
def test_every_sampler_goes_on_after_every_step_to_the_same_bits(
    models: dict[str, LoadedModel], name: str, sampler: str, schedule: str
) -> None:
    """Six steps are more than any sampler's history is long; three show that other noise levels are found again."""
    what = resolved(sampler_name=sampler, scheduler=schedule, steps=6 if schedule == "Automatic" else 3)
    words = embeddings(models[name], what)
    ours, expected = (draw(models[name], words, what, [0, 1]) for draw in (in_hops, undisturbed))
    assert torch.equal(ours, expected)


def test_a_batch_that_stops_between_two_passes_or_in_the_second_goes_on_to_the_same_bits(
    models: dict[str, LoadedModel],
) -> None:
    model, what = models["tiny"], resolved(sampler_name="DPM++ 2M SDE", steps=6)
    first = what.passes[0]
    what = what.model_copy(update={"passes": (first, first.model_copy(update={"begin": 2, "sampler_name": "Heun"}))})
    words = embeddings(model, what)
    expected = undisturbed(model, words, what, [0, 1])
    entered: list[tuple[int, int, int]] = []
    stops = [(0, done) for done in range(1, 7)] + [(1, done) for done in range(1, 8)]
    for stop in stops:
        batch = Batch(model, words, what, [0, 1])

        def on_step(done: int, steps: int, step: object, batch: Batch = batch, stop: tuple[int, int] = stop) -> None:
            assert steps == (6, 7)[batch.at_pass]  # Heun has two places for a step, but one for the last.
            if (batch.at_pass, done) == stop:
                raise Interrupted("pause")

        with torch.inference_mode(), pytest.raises(Interrupted):
            batch.sample(on_step)
        state = batch.state()
        assert state is not None and (batch.at_pass, state.standing[0]) == stop
        assert batch.steps == 10
        assert batch.steps_done == (stop[1] if stop[0] == 0 else 6 + stop[1] * 4 // 7)
        again = Batch(model, words, what, [0, 1], through_a_file(state), batch.at_pass)
        assert again.steps_done == batch.steps_done
        entered.clear()
        with torch.inference_mode():
            latents = again.sample(lambda done, steps, step: None, lambda *told: entered.append(told))
        assert torch.equal(latents, expected), stop
        assert entered == [(stop[0], *state.standing), (1, 0, 0)][: 2 - stop[0]]


def test_a_state_stays_as_it_was_while_the_sampler_goes_on(models: dict[str, LoadedModel]) -> None:
    """The thread that writes it to disk reads it while the next steps are drawn."""
    for sampler in SAMPLERS:
        what = resolved(sampler_name=sampler.name, steps=6)
        batch = Batch(models["tiny"], embeddings(models["tiny"], what), what, [0])
        kept: list[tuple[SamplingState, bytes]] = []

        def on_step(
            done: int, steps: int, step: object,
            batch: Batch = batch, kept: list[tuple[SamplingState, bytes]] = kept,
        ) -> None:  # fmt: skip
            state = batch.state()
            assert state is not None
            kept.append((state, bytes_of(state)))

        with torch.inference_mode():
            batch.sample(on_step)
        assert all(bytes_of(state) == before for state, before in kept), sampler.name


def bytes_of(state: SamplingState) -> bytes:
    tensors, rest = pack(state)
    packed: bytes = safetensors.torch.save(tensors, {"rest": json.dumps(rest)})
    return packed


def test_a_batch_that_is_stopped_amid_a_step_keeps_the_last_whole_one(models: dict[str, LoadedModel]) -> None:
    model = models["tiny"]
    what = resolved(sampler_name="DPM++ 2M SDE", steps=6)
    words = embeddings(model, what)
    batch = Batch(model, words, what, [0])
    assert batch.state() is None
    blocks: list[int] = []

    def stop_amid_the_fourth(module: object, inputs: object) -> None:
        blocks.append(1)
        if len(blocks) == 4:
            raise Interrupted("pause")

    hook = model.denoiser.mid_block.register_forward_pre_hook(stop_amid_the_fourth)
    with torch.inference_mode(), pytest.raises(Interrupted):
        batch.sample(lambda done, steps, step: None)
    hook.remove()
    state = batch.state()
    assert state is not None and state.standing == (3, 6)
    again = Batch(model, words, what, [0], through_a_file(state))
    assert again.steps_done == 3
    assert again.latest is not None and batch.latest is not None
    assert torch.equal(again.latest.denoised(), batch.latest.denoised())
    with torch.inference_mode():
        latents = again.sample(lambda done, steps, step: None)
    assert torch.equal(latents, undisturbed(model, words, what, [0]))


def test_what_no_file_can_keep_is_named(models: dict[str, LoadedModel]) -> None:
    state = SamplingState(1, 2, torch.zeros(1), {"noise": object()}, ())
    with pytest.raises(TypeError, match=r"scheduler\.noise of the sampler is a object"):
        pack(state)


def test_tensors_go_back_to_where_they_were() -> None:
    """Some schedulers keep their noise levels on the CPU and their history on the device."""
    history, levels = torch.ones(2), torch.zeros(3)
    tensors, rest = pack(SamplingState(1, 2, torch.zeros(1), {"levels": levels, "history": [history]}, ()))
    assert rest["scheduler"] == {
        "dict": {"levels": {"cpu": "scheduler.levels"}, "history": {"list": [{"cpu": "scheduler.history.0"}]}}
    }
    rest["scheduler"]["dict"]["history"]["list"] = [{"device": "scheduler.history.0"}]
    back = unpack(tensors, rest, "meta")
    assert back.scheduler["levels"].device.type == "cpu"
    assert back.scheduler["history"][0].device.type == "meta"
