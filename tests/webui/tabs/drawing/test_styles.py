"""The chosen styles become words in the prompts."""

from pathlib import Path

from modules.jobs.models.catalogue import CheckpointCatalogue
from modules.prompts.library import PromptLibrary
from modules.prompts.styles.style import Style
from modules.prompts.styles.style_files import StyleFiles
from webui.tabs.drawing.rows.styles import applied, listed


def test_styles_are_put_into_both_prompts_and_none_is_chosen_then(
    catalogue: CheckpointCatalogue, tmp_path: Path
) -> None:
    catalogue.library = PromptLibrary(StyleFiles([tmp_path / "styles.csv"]))
    for style in (
        Style("ink", "ink of {prompt}", "colour"),
        Style("fine", "fine"),
        Style("twice", "{prompt}, {prompt}"),
    ):
        catalogue.library.styles.save(style)
    assert listed(catalogue) == {"choices": ["ink", "fine", "twice"]}
    values = {"prompt": "a cat", "negative_prompt": "dog", "styles": ["ink", "fine"]}
    done = {"prompt": "ink of a cat, fine", "negative_prompt": "dog, colour", "styles": []}
    assert applied(values, catalogue) == done
    gone = values | {"styles": ["ink", "gone"]}
    assert applied(gone, catalogue) == gone
    too_long = values | {"styles": ["twice"] * 100}
    assert applied(too_long, catalogue) == too_long
    assert applied({"prompt": None, "negative_prompt": "", "styles": None}, catalogue)["styles"] == []
