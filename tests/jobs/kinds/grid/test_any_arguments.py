"""Whatever clients send as a script's arguments, the answer is a grid or a refusal with its field."""

from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modules.errors import InvalidRequest
from modules.jobs.kinds.grid.axes import options_of
from modules.jobs.kinds.grid.cell_request import CELLS_MOST
from modules.jobs.kinds.grid.scripts import SCRIPTS
from modules.jobs.kinds.grid.value_forms import VALUES_MOST, Form, texts_in, values_of
from tests.jobs.kinds.grid.made_grids import grid

_MARKS = st.text(alphabet='0123456789-+.,()[] "e\n\rx:<>|', max_size=60)
_TEXTS = _MARKS | st.text(max_size=40)
_VALUES = st.none() | st.booleans() | st.integers() | st.floats() | _TEXTS | st.lists(_TEXTS, max_size=3)
_LABELS = st.sampled_from([one.label for one in options_of("txt2img")]) | st.integers(-3, 70)


@pytest.mark.parametrize("form", get_args(Form))
@given(text=_TEXTS)
@settings(max_examples=60, deadline=None)
def test_any_text_is_a_list_of_values_or_is_refused(form: Form, text: str) -> None:
    try:
        assert len(values_of(form, texts_in(text))) <= VALUES_MOST
    except InvalidRequest as error:
        assert str(error)


@pytest.mark.parametrize("title", SCRIPTS)
@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_any_arguments_make_a_grid_or_are_refused_with_their_field(title: str, data: st.DataObject) -> None:
    count = len(SCRIPTS[title].arguments)
    arguments: Any = data.draw(st.lists(_VALUES, max_size=count + 1) | _VALUES | st.dictionaries(_TEXTS, _VALUES))
    if title == "X/Y/Z plot" and data.draw(st.booleans()):
        arguments = [data.draw(_LABELS), data.draw(_TEXTS), "", data.draw(_LABELS), data.draw(_TEXTS)]
    try:
        request = grid(title, {"prompt": "red cat|blue", "enable_hr": True}, arguments)
    except InvalidRequest as error:
        assert error.field is not None and str(error)
    else:
        assert 1 <= len(request.cells()) <= CELLS_MOST
