"""What the page says of guidance is what the engine does with it; the server cannot ask the engine."""

import diffusers
import pytest

from modules.engine.families.base import Asked
from modules.engine.families.generic import Generic
from modules.engine.families.known import FAMILIES
from tests.webui.test_guidance_words import model
from webui.guidance_words import words_of

GENERIC = ("Krea2Pipeline", "Kandinsky3Pipeline", "AuraFlowPipeline", "CogView4Pipeline")


@pytest.mark.parametrize("name", [*FAMILIES, *GENERIC])
def test_a_scale_is_counted_from_where_the_page_says(name: str) -> None:
    family = FAMILIES[name] if name in FAMILIES else Generic(getattr(diffusers, name))
    told = family.guidance(Asked(guidance_scale=4.0))
    said = str(words_of(model(name))["cfg"])
    assert ("count from 0" in said) == (3.0 in told.values())
    assert ("Not used" in said) == (4.0 not in told.values() and 3.0 not in told.values())
    assert said.startswith("True CFG") == ("true_cfg_scale" in told)
