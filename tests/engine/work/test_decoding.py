"""A VAE that gives no numbers in half precision decodes once more in float32, and the job's notes say so."""

from collections.abc import Callable, Iterator

import pytest
import torch
from torch import nn

from modules.engine.models.loaded_model import LoadedModel
from modules.engine.work.decoding import decode
from modules.errors import ModelError
from tests.engine.own_engine import Engine

LATENTS = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(0))
NOTE = "The VAE gave no numbers in bfloat16, so it decoded once more in float32."


def overflows_in_half(vae: nn.Module) -> Callable[[], None]:
    """Let a VAE give no numbers unless it works in float32, as the first one of SDXL; return what ends that."""

    def hook(_module: object, _inputs: object, output: torch.Tensor) -> torch.Tensor:
        return output if output.dtype == torch.float32 else output * float("nan")

    return vae.decoder.conv_in.register_forward_hook(hook).remove  # type: ignore[union-attr, union-attr]


@pytest.fixture
def half(load: Callable[..., LoadedModel]) -> Iterator[LoadedModel]:
    with torch.inference_mode():
        yield load("plain", "bfloat16")


def test_the_picture_is_that_of_float32_and_the_vae_as_before(half: LoadedModel) -> None:
    vae, told = half.pipeline.vae, list[str]()
    before = {name: one.clone() for name, one in vae.state_dict().items()}
    nn.Module.to(vae, dtype=torch.float32)
    whole = decode(half, LATENTS, (64, 64))
    nn.Module.to(vae, dtype=torch.bfloat16)
    overflows_in_half(vae)
    assert decode(half, LATENTS, (64, 64), once_more=told.append).tobytes() == whole.tobytes()
    assert told == [NOTE]
    assert vae.dtype == torch.bfloat16
    assert all(torch.equal(one, before[name]) for name, one in vae.state_dict().items())


def test_what_no_number_format_helps_fails_with_its_remedy(half: LoadedModel) -> None:
    overflows_in_half(half.pipeline.vae)
    with pytest.raises(ModelError, match="turn on in the settings that it decodes once more in float32"):
        decode(half, LATENTS, (64, 64))
    with pytest.raises(ModelError, match="set the number format to float32 in the settings and restart the engine"):
        decode(half, LATENTS * float("nan"), (64, 64), once_more=lambda text: None)
    half.pipeline.vae.decoder.conv_in.register_forward_hook(lambda module, inputs, output: output * float("nan"))
    with pytest.raises(ModelError, match="choose another VAE"):
        decode(half, LATENTS, (64, 64), once_more=lambda text: None)
    assert half.pipeline.vae.dtype == torch.bfloat16


def test_a_job_tells_of_it_once_and_fails_where_the_settings_say_so(engine: Engine) -> None:
    engine.options.update({"torch_dtype": "bfloat16"})
    engine.draw(steps=1)
    loaded = engine.parts.model_cache.loaded
    assert loaded is not None
    overflows_in_half(loaded.pipeline.vae)
    job = engine.draw(steps=1, n_iter=2)
    assert job.status == "done"
    assert [note.text for note in job.notes if "VAE" in note.text] == [NOTE]
    engine.options.update({"auto_vae_precision": False})
    job = engine.draw(steps=1)
    assert job.status == "failed"
    assert "turn on in the settings" in (job.error or "")
