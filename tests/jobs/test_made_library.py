"""The small models of the library are listed as the whole ones would be."""

from pathlib import Path

from modules.jobs.models.checkpoint_file import look_at_file
from tests.jobs.made_library import make_library

MODELS = 15
SAID = ("family", "variant", "number_format", "prediction", "needs", "native_width", "defaults")


def listed(models: Path, whole: bool) -> dict[str, tuple[object, ...]]:
    """Return what is said of each single file, and whether it has a problem."""
    place = make_library(models, MODELS, whole)
    files = [*place.glob("*.safetensors"), *(place / "favourites").glob("*.safetensors")]
    shown = [look_at_file(path.stem, path) for path in files]
    return {one.name: (*(getattr(one, name) for name in SAID), one.problem is None) for one in shown}


def test_small_models_say_what_whole_ones_say(tmp_path: Path) -> None:
    small = listed(tmp_path / "small", whole=False)
    assert small == listed(tmp_path / "whole", whole=True)
    assert small["sd3.5_large"][:2] == ("sd3", "3.5-large")
    assert small["flux1-dev-all-in-one"][:2] == ("flux", "dev")
    assert [name for name, said in small.items() if not said[-1]] == ["sd_xl_refiner_1.0"]  # It is cut short.
    assert sum(path.stat().st_size for path in (tmp_path / "small").rglob("*.safetensors")) < 250_000_000
