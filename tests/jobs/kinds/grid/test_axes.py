"""The list of axes: what documentation says of them, and what each shows."""

from pathlib import Path
from typing import get_args

import pytest

from modules.jobs.kinds.grid.axes import OPTIONS, options_of
from modules.jobs.kinds.grid.axis_option import AxisOption, Tab

PAGE = (Path(__file__).parents[4] / "docs" / "scripts.md").read_text()


@pytest.mark.parametrize("tab", get_args(Tab))
def test_each_axis_is_documented_and_named_once(tab: Tab) -> None:
    labels = [one.label for one in options_of(tab) if one.is_listed(tab) and one.label != "Nothing"]
    assert [label for label in labels if label not in PAGE] == []
    assert len({label.casefold() for label in labels}) == len(labels)


@pytest.mark.parametrize("option", [one for one in OPTIONS if one.only_hires], ids=lambda one: one.label)
def test_what_is_of_hires_fix_is_marked(option: AxisOption) -> None:
    assert f"{option.label}¹" in PAGE


@pytest.mark.parametrize("option", [one for one in OPTIONS if one.unavailable], ids=lambda one: one.label)
def test_what_is_not_there_says_why_and_what_else_to_do(option: AxisOption) -> None:
    for why in option.unavailable.values():
        assert why.startswith(option.label) and ": " in why and why.endswith(".")
