"""A job with a VAE of its own: drawn with it, told of it, and the next one without it is as ever."""

from pathlib import Path

import pytest
import torch
from diffusers import AutoencoderKL

from modules.jobs.kinds.choice import Choice
from modules.jobs.kinds.registry import validate_drawing
from modules.jobs.rows import Job
from tests.engine import original_keys
from tests.engine.own_engine import Engine


@pytest.fixture
def vae_file(models_folder: Path) -> Path:
    """A VAE that any of the tiny models can decode with; its file is there for this test alone."""
    torch.manual_seed(9)
    vae = AutoencoderKL(
        block_out_channels=(8, 8, 8, 8), down_block_types=("DownEncoderBlock2D",) * 4, sample_size=64,
        up_block_types=("UpDecoderBlock2D",) * 4, latent_channels=4, norm_num_groups=4,
    )  # fmt: skip
    return original_keys.write(
        models_folder / "VAE" / "soft.safetensors", {"": original_keys.vae(original_keys.state_of(vae))}
    )


def drawn(engine: Engine, **request: object) -> tuple[list[bytes], Job]:
    job = engine.draw(steps=2, **request)
    assert job.status == "done", job.error
    return engine.files(job), job


def test_it_is_used_for_its_job_alone(engine: Engine, vae_file: Path) -> None:
    try:
        plain, _ = drawn(engine)
        soft, job = drawn(engine, override_settings={"sd_vae": "soft"})
        assert soft != plain
        infotext = engine.store.jobs.images(job.id)[0].infotext or ""
        assert ", VAE hash: " in infotext
        assert ", VAE: soft.safetensors" in infotext
        assert drawn(engine)[0] == plain
        assert drawn(engine, override_settings={"sd_vae": "soft.safetensors"})[0] == soft
    finally:
        vae_file.unlink()


def test_one_that_is_changed_while_the_job_waits_fails_it(engine: Engine, vae_file: Path) -> None:
    try:
        catalogue = engine.parts.catalogue
        request = validate_drawing("txt2img", {"steps": 1, "override_settings": {"sd_vae": "soft"}})
        vae = catalogue.vaes.hashed(catalogue.vaes.find("soft"))
        models = request.find_models(catalogue, engine.options.values)
        choice = Choice.of(models).model_dump(mode="json")
        assert choice["vae"] == {"name": "soft.safetensors", "hash": vae.sha256}
        original_keys.write(vae_file, {"": {"decoder.conv_in.weight": torch.zeros(8, 4, 3, 3)}})
        engine.store.queue.submit("txt2img", request.model_dump(mode="json") | {"chosen": choice}, "me")
        job = engine.run_next()
        assert job.status == "failed"
        assert job.error == "The VAE soft.safetensors was changed since this job was sent: submit it again."
    finally:
        vae_file.unlink()
