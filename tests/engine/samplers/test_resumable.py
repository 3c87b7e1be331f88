"""A batch that stops after any step and goes on in new objects ends in the same bits, whatever the sampler."""

import json
from collections.abc import Callable

import pytest
import safetensors.torch
import torch

from modules.engine.models.model_cache import LoadedModel
from modules.engine.samplers.resumable import SamplingState, pack, unpack
from modules.engine.work.encoding import PromptEmbeddings
from modules.engine.work.sampling import Batch
from modules.errors import Interrupted
from modules.jobs.kinds.base import ResolvedJob
from modules.jobs.samplers import SAMPLERS
from tests.engine.work.test_sampling import embeddings, resolved

# From pure noise ("tiny") each pair, and each sampler also with a model of the other kind.
CASES = [("tiny", sampler.name, schedule) for sampler in SAMPLERS for schedule in sampler.schedules] + [
    ("plain", sampler.name, "Automatic") for sampler in SAMPLERS
]


def through_a_file(state: SamplingState) -> SamplingState:
    """Return `state` as another process reads it."""
    tensors, rest = pack(state)
    return unpack(safetensors.torch.load(safetensors.torch.save(tensors)), json.loads(json.dumps(rest)), "cpu")


def undisturbed(model: LoadedModel, prompts: PromptEmbeddings, what: ResolvedJob, indices: list[int]) -> torch.Tensor:
    torch.manual_seed(1)
    with torch.inference_mode():
        return Batch(model, prompts, what, indices).sample(lambda done, steps, step: None)


def in_hops(model: LoadedModel, prompts: PromptEmbeddings, what: ResolvedJob, indices: list[int]) -> torch.Tensor:
    """Draw a batch that is stopped after every step, and goes on in new objects each time."""
    torch.manual_seed(987)  # A resumed batch must not depend on it.
    state: SamplingState | None = None

    def stop(done: int, steps: int, step: object) -> None:
        assert done == (0 if state is None else state.done) + 1
        raise Interrupted("pause")

    with torch.inference_mode():
        while state is None or state.done < state.steps:
            batch = Batch(model, prompts, what, indices, state)
            with pytest.raises(Interrupted):
                batch.sample(stop)
            stopped = batch.state()
            assert stopped is not None
            state = through_a_file(stopped)
        return Batch(model, prompts, what, indices, state).sample(stop)


@pytest.fixture(scope="module")
def models(load: Callable[..., LoadedModel]) -> dict[str, LoadedModel]:
    return {name: load(name) for name in ("plain", "tiny")}


@pytest.mark.parametrize(("name", "sampler", "schedule"), CASES)
def test_every_sampler_goes_on_after_every_step_to_the_same_bits(
    models: dict[str, LoadedModel], name: str, sampler: str, schedule: str
) -> None:
    """Six steps are more than any sampler's history is long."""
    what = resolved(sampler_name=sampler, scheduler=schedule, steps=6)
    prompts = embeddings(models[name], what)
    ours, expected = (draw(models[name], prompts, what, [0, 1]) for draw in (in_hops, undisturbed))
    assert torch.equal(ours, expected)


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
    prompts = embeddings(model, what)
    batch = Batch(model, prompts, what, [0])
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
    assert state is not None and (state.done, state.steps) == (3, 6)
    again = Batch(model, prompts, what, [0], through_a_file(state))
    assert again.steps_done == 3
    assert again.latest is not None and batch.latest is not None
    assert torch.equal(again.latest.denoised(), batch.latest.denoised())
    with torch.inference_mode():
        latents = again.sample(lambda done, steps, step: None)
    assert torch.equal(latents, undisturbed(model, prompts, what, [0]))


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
