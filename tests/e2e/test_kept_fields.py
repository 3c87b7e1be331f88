"""What fields tell one by one is put together: `remembered_fields.js` and `start.js`, on a page without Gradio."""

from __future__ import annotations

from typing import Any

from tests.e2e.editor_tab import Editor

RUN = """async (body) => {
  window.steadyTouched = new Set();
  const { RememberedFields } = await import("/steady/assets/drawing/remembered_fields.js");
  const { Start } = await import("/steady/assets/starting/start.js");
  return new Function("RememberedFields", "Start", body)(RememberedFields, Start);
}"""
KEEPING = """
  localStorage.setItem("steady.trial", JSON.stringify({prompt: "a cat", steps: "of another kind"}));
  const memory = new RememberedFields("trial");
  const early = memory.remember({prompt: ""});
  memory.restore({prompt: "", steps: 20, seed: "-1"}, () => null);
  for (const told of [{seed: "7"}, {steps: 30}, {seed: "8"}]) memory.remember(told);
  return [memory.values, JSON.parse(localStorage.getItem("steady.trial")), early];
"""
FRAME = """
  return (async () => {
    const put = [];
    const tab = {part: () => null, find: () => null, put: (values) => put.push(values)};
    const start = new Start(tab);
    let values = {};
    const tell = (told) => start.valuesAre((values = {...values, ...told}));
    start.editor = {margins: {left: 0, right: 0, top: 0, bottom: 0}};
    const pulled = async (margins) => {
      start.editor.margins = {...start.editor.margins, ...margins};
      const before = put.length;
      start.drawn();
      while (put.length === before) await new Promise(requestAnimationFrame);
    };
    tell({outpaint_left: "0", outpaint_right: "", outpaint_top: "0", outpaint_bottom: "0"});
    await pulled({left: 64, top: 32});
    tell({outpaint_left: "64"});
    await pulled({left: 96});
    tell({outpaint_top: "32"});
    tell({outpaint_left: "96"});
    const drawn = {...start.editor.margins};
    tell({outpaint_right: "8"});
    tell({outpaint_left: "64"});
    return [put, drawn, start.editor.margins];
  })();
"""


def run(editor: Editor, body: str) -> Any:
    editor.start(opens=False)
    return editor.page.evaluate(RUN, body)


def test_what_each_field_tells_of_itself_is_kept_as_a_whole(editor: Editor) -> None:
    known, kept, early = run(editor, KEEPING)
    assert not early, "the first values of a fresh page are not kept"
    assert kept == {"prompt": "a cat", "steps": 30, "seed": "8"}
    assert known == kept


def test_sides_that_are_told_one_by_one_leave_the_frame_as_it_is_drawn(editor: Editor) -> None:
    put, drawn, filled = run(editor, FRAME)
    assert put == [{"outpaint_left": "64", "outpaint_top": "32"}, {"outpaint_left": "96"}]
    assert drawn == {"left": 96, "right": 0, "top": 32, "bottom": 0}
    assert filled == {"left": 64, "right": 8, "top": 32, "bottom": 0}
