"""Pictures of a job whose noise is not that of its seeds alone, and such that tile."""

from collections.abc import Callable

import numpy as np
import pytest
import torch

from modules.engine.families.seamless import join_edges
from modules.engine.models.loaded_model import LoadedModel
from modules.engine.work.seeds import Seeds, in_the_middle, on_arc
from modules.jobs.kinds.base import Noise, Pass, ResolvedJob, Variation
from tests.engine import flow
from tests.engine.samplers.test_state import in_hops, undisturbed
from tests.engine.work.hires_jobs import Hires, passes_of, pixels
from tests.engine.work.test_sampling import embeddings, resolved


@pytest.fixture(scope="module")
def models(load: Callable[..., LoadedModel]) -> dict[str, LoadedModel]:
    return {"plain": load("plain"), "flux": flow.flux()}


def latents(model: LoadedModel, what: ResolvedJob, indices: list[int]) -> torch.Tensor:
    alike = what.model_copy(update={"batch_size": len(indices)})
    return undisturbed(model, embeddings(model, alike), what, indices)


@pytest.mark.parametrize("name", ["plain", "flux"])
def test_a_variation_lies_between_the_pictures_of_both_seeds(models: dict[str, LoadedModel], name: str) -> None:
    model, base = models[name], resolved(seed=5, batch_size=1, n_iter=1, steps=3)
    plain = latents(model, base, [0])
    other = latents(model, base.model_copy(update={"seed": 9}), [0])
    varied = [
        latents(model, base.model_copy(update={"variation": Variation(seed=9, strength=strength)}), [0])
        for strength in (0.0, 0.3, 1.0)
    ]
    assert torch.allclose(varied[0], plain, atol=1e-4) and torch.allclose(varied[2], other, atol=1e-3)
    near, far = (float((varied[1] - one).abs().mean()) for one in (plain, other))
    assert 0 < near < far


def test_pictures_of_a_batch_have_one_seed_and_vary_it_by_their_own(models: dict[str, LoadedModel]) -> None:
    model = models["plain"]
    base = resolved(seed=5, batch_size=2, n_iter=1, steps=3)
    base = base.model_copy(update={"variation": Variation(seed=9, strength=0.5)})
    assert [base.seed_of(index) for index in (0, 1)] == [5, 5]
    both = latents(model, base, [0, 1])
    alone = latents(model, base, [1])
    assert torch.allclose(both[1:], alone, atol=1e-4) and not torch.allclose(both[:1], alone, atol=1e-2)


def test_resized_from_its_own_size_is_the_picture_itself_and_from_another_one_its_middle(
    models: dict[str, LoadedModel],
) -> None:
    model, base = models["plain"], resolved(seed=5, batch_size=1, n_iter=1, steps=3)
    one = base.passes[0]
    plain = latents(model, base, [0])
    same = base.model_copy(update={"resized_from": (one.width, one.height)})
    assert torch.allclose(latents(model, same, [0]), plain, atol=1e-5)
    smaller = base.model_copy(update={"resized_from": (one.width // 2, one.height)})
    assert not torch.allclose(latents(model, smaller, [0]), plain, atol=1e-2)


def test_the_delta_changes_what_is_added_on_the_way_and_nothing_before(models: dict[str, LoadedModel]) -> None:
    model = models["plain"]
    for sampler, alike in (("DDIM", True), ("Euler", True), ("Euler a", False)):
        base = resolved(seed=5, batch_size=1, n_iter=1, steps=3, sampler_name=sampler)
        shifted = base.model_copy(update={"noise_seed_delta": 31337})
        assert torch.allclose(latents(model, shifted, [0]), latents(model, base, [0]), atol=1e-5) == alike, sampler


def with_noise(what: ResolvedJob, noise: Noise) -> ResolvedJob:
    (one,) = what.passes
    return what.model_copy(update={"passes": (one.model_copy(update={"noise": noise}),)})


@pytest.mark.parametrize(
    ("sampler", "noise"),
    [("Euler", Noise(churn=2.0)), ("Heun", Noise(churn=2.0)), ("DPM2", Noise(churn=2.0)), ("Euler a", Noise(eta=0.5)),
     ("DPM2 a", Noise(eta=0.5)), ("DPM++ SDE", Noise(eta=0.5)), ("DPM++ 3M SDE", Noise(eta=0.5)),
     ("DDIM", Noise(eta=1.0))],
)  # fmt: skip
def test_it_goes_on_after_every_step_to_the_same_bits(
    models: dict[str, LoadedModel], sampler: str, noise: Noise
) -> None:
    model = models["plain"]
    what = with_noise(resolved(sampler_name=sampler, scheduler="Automatic", steps=5), noise)
    what = what.model_copy(update={"variation": Variation(seed=4, strength=0.4), "noise_seed_delta": 11})
    words = embeddings(model, what)
    assert torch.equal(in_hops(model, words, what, [0, 1]), undisturbed(model, words, what, [0, 1]))


def test_guidance_is_kept_from_making_contrasts_larger(models: dict[str, LoadedModel]) -> None:
    model, base = models["plain"], resolved(seed=5, batch_size=1, n_iter=1, steps=3, cfg_scale=9.0)

    def rescaled(part: float) -> torch.Tensor:
        one: Pass = base.passes[0].model_copy(update={"guidance_rescale": part})
        return latents(model, base.model_copy(update={"passes": (one,)}), [0])

    assert rescaled(1.0).std() < rescaled(0.5).std() < rescaled(0.0).std()


def test_what_a_network_sees_beyond_an_edge_is_the_opposite_one(models: dict[str, LoadedModel]) -> None:
    pipeline = models["plain"].pipeline
    noise = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(1))

    def moves_along() -> bool:
        """Tell whether what is decoded of moved latents is moved as far: no place is an edge."""
        with torch.inference_mode():
            still, moved = (pipeline.vae.decode(one).sample for one in (noise, noise.roll(2, dims=-1)))
        scale = still.shape[-1] // noise.shape[-1]
        return torch.allclose(moved, still.roll(2 * scale, dims=-1), atol=1e-4)

    assert not moves_along()
    join_edges((pipeline.unet, pipeline.vae), joined=True)
    assert moves_along()
    join_edges((pipeline.unet, pipeline.vae), joined=False)
    assert not moves_along()


def test_a_job_that_tiles_leaves_nothing_behind_for_the_next_one(hires: Hires) -> None:
    passes = (passes_of(hires.base, "Lanczos")[0],)
    (before,), (tiled,), (after,) = (pixels(hires.draw(passes, tiling=on)) for on in (False, True, False))
    assert np.array_equal(before, after) and not np.array_equal(before, tiled)


def test_noise_on_an_arc_is_still_noise_of_its_strength() -> None:
    low, high = (torch.randn(4, 64, 64, generator=torch.Generator().manual_seed(seed)) for seed in (1, 2))
    assert float(on_arc(low, high, 0.5).std()) == pytest.approx(1.0, abs=0.02)
    assert torch.equal(on_arc(low, low, 0.5), low), "there is no arc between one and itself"


def test_the_middle_of_a_noise_is_put_where_the_middle_of_the_other_is() -> None:
    whole, part = torch.zeros(1, 1, 6, 4), torch.arange(1.0, 17).reshape(1, 1, 2, 8)
    made = in_the_middle(whole, part)
    assert torch.equal(made[0, 0, 2:4], part[0, 0, :, 2:6]) and not made[0, 0, [0, 1, 4, 5]].any()


def test_seeds_are_plain_only_where_a_pipeline_draws_the_same() -> None:
    assert Seeds((1, 2)).are_plain
    assert not Seeds((1,), resized_from=(64, 64)).are_plain and not Seeds((1,), noise_seed_delta=1).are_plain
