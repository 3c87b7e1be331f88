"""Jobs draw with folders of other families as with Stable Diffusion: from the row to the file."""

from pathlib import Path

import pytest

from modules.engine.families.known import FAMILIES
from tests.engine.own_engine import Engine
from tests.engine.tiny_models.registry import tiny_model

ROWS = {"xl": "StableDiffusionXLPipeline", "flux": "FluxPipeline", "aura": "AuraFlowPipeline"}


@pytest.mark.parametrize("name", ROWS)
def test_a_job_draws_with_a_folder(tmp_path: Path, name: str) -> None:
    tiny_model(ROWS[name]).save_pretrained(tmp_path / "models" / "Stable-diffusion" / name)
    engine = Engine(tmp_path / "data", tmp_path / "models")
    try:
        job = engine.draw(
            override_settings={"sd_model_checkpoint": name}, prompt="a (cat:1.5) [by night:in the sun:1], (rain)",
            steps=3, width=64, height=72, batch_size=2,
        )  # fmt: skip
        assert job.error is None and job.status == "done"
        assert len(engine.parts.store.jobs.images(job.id)) == 2
        told = [note.text for note in job.notes if note.kind == "weights"]
        reads_as_all_others = f"{name} takes no weights, so these words count as much as all others: cat, rain."
        assert told == ([] if name == "xl" else [reads_as_all_others])
        loaded = engine.parts.model_cache.loaded
        assert loaded is not None and (loaded.family is FAMILIES.get(loaded.family.name) or name == "aura")
    finally:
        engine.close()
