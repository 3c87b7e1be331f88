"""The axes of an X/Y/Z plot go from the infotext of its sheet into the fields."""

import pytest

from modules.images.takeover import Takeover, take_over

BEGIN = "cat\nSteps: 20, Sampler: Euler a, Seed: 1, Size: 64x64, "
PLOT = (
    'Script: X/Y/Z plot, X Type: Sampler, X Values: "Euler, UniPC", Y Type: Seed, Y Values: "-1,-1", '
    'Fixed Y Values: "5, 6", Z Type: Steps, Z Values: 5-15 (+5)'
)


def taken(more: str, kind: str = "txt2img") -> Takeover:
    return take_over(BEGIN + more, [], kind=kind)


def test_a_plot_is_taken_over_with_the_seeds_that_were_drawn_for_it() -> None:
    found = taken(PLOT)
    assert (found.values["script"], found.left) == ("X/Y/Z plot", [])
    assert "Script" in found.taken
    arguments = found.values["script_args"]
    assert (arguments["x_type"], arguments["x_values_dropdown"]) == ("Sampler", ["Euler", "UniPC"])
    assert (arguments["y_type"], arguments["y_values"]) == ("Seed", "5, 6")
    assert (arguments["z_values"], arguments["z_values_dropdown"]) == ("5-15 (+5)", [])


@pytest.mark.parametrize(
    ("more", "kind", "label"),
    [
        ("Script: X/Y/Z plot, X Type: Wishful, X Values: 1", "txt2img", "X type"),
        ("Script: X/Y/Z plot, X Type: UniPC Order, X Values: 1", "txt2img", "X type"),
        ("Script: Loopback", "txt2img", "Script"),
        ("X Type: Steps, X Values: 1", "txt2img", "X/Y/Z plot"),
    ],
)
def test_what_cannot_vary_here_is_told(more: str, kind: str, label: str) -> None:
    found = taken(more, kind)
    assert [one.label for one in found.left] == [label]
    assert "x_type" not in found.values.get("script_args", {})


def test_a_picture_without_a_script_changes_none() -> None:
    assert "script" not in taken("").values
    assert "script" not in taken(PLOT, "extras").values
