"""Help while a prompt is written: suggestions, weights by keys, cards beside it; and undo throughout."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.e2e.editor_page import EditorServer
from tests.e2e.profiles import emptied
from tests.e2e.tab import Tab
from tests.program import Program, wait_until

Run = Callable[[str], Any]


@pytest.fixture(scope="module")
def run(second_profile: BrowserContext, editor_server: EditorServer) -> Iterator[Run]:
    """Evaluate an expression with the page's functions of a prompt's text at hand."""
    with emptied(second_profile) as context:
        page = context.new_page()
        page.goto(editor_server.url)  # these functions need no page of Gradio's around them
        yield lambda expression: page.evaluate(
            "async (said) => new Function('text', `return ${said}`)(await import('/steady/assets/prompts/text.js'))",
            expression,
        )


# How far the marks are from the field that they lie on, in pixels: where they begin, how high they are and scroll.
APART = """() => {
  const [field, marks] = ["textarea", ".sd-marks"].map((part) => document.querySelector(`#txt2img_prompt ${part}`));
  const [one, other] = [field, marks].map((element) => element.getBoundingClientRect());
  const pairs = [[one.x, other.x], [one.y, other.y], [one.height, other.height], [field.scrollTop, marks.scrollTop]];
  return Math.max(...[...pairs, [field.scrollHeight, marks.scrollHeight]].map(([a, b]) => Math.abs(a - b)));
}"""


def test_a_prompt_is_written_with_suggestions_weights_and_cards_by_keys_and_can_be_undone(
    tab: Tab, program: Program
) -> None:
    page, listed = tab.page, tab.page.locator("#sd-suggestions [role=option]")
    prompt = page.locator("#txt2img_prompt textarea")
    (program.data / "tags").mkdir(exist_ok=True)
    (program.data / "tags" / "tags.csv").write_text("red_hair,0,500\nred_eyes,0,700\n")
    prompt.click()
    page.keyboard.type("a cat, red")
    expect(listed).to_have_text(["red eyes700", "red hair500"])
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(listed.nth(1)).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Enter")
    expect(prompt).to_have_value("a cat, red hair, ")
    expect(listed).to_have_count(0)
    page.keyboard.type("<lora:pix")
    expect(listed).to_have_count(1)
    page.keyboard.press("Tab")
    expect(prompt).to_have_value("a cat, red hair, <lora:pixel-art:1>")
    expect(prompt).to_be_focused()
    page.keyboard.type(" red")
    expect(listed).to_have_count(2)
    page.keyboard.press("Escape")
    expect(listed).to_have_count(0)
    page.keyboard.press("Control+ArrowUp")
    expect(prompt).to_have_value("a cat, red hair, <lora:pixel-art:1> (red:1.1)")
    page.keyboard.press("Control+z")
    expect(prompt).to_have_value("a cat, red hair, <lora:pixel-art:1> red")
    page.click("#txt2img_page button[data-cards]")
    expect(page.locator("#txt2img_cards [data-call]")).to_have_count(2)
    lora = page.locator("#txt2img_cards [data-call]").first
    expect(lora).to_have_attribute("aria-pressed", "true")
    lora.click()
    expect(prompt).to_have_value("a cat, red hair, red")
    page.fill("#txt2img_cards input", "spr")
    expect(page.locator("#txt2img_cards [data-call]")).to_have_count(1)
    page.locator("#txt2img_cards [data-call]").click()
    expect(page.locator("#txt2img_cards [data-call]")).to_have_attribute("aria-pressed", "true")
    expect(prompt).to_have_value("a cat, red hair, sprig, red")
    page.focus("#txt2img_cards input")
    page.keyboard.press("Escape")
    expect(page.locator("#txt2img_cards")).to_be_hidden()
    expect(page.locator("#txt2img_page button[data-cards]")).to_be_focused()
    prompt.press("End")
    page.keyboard.type(" (one")
    marks = page.locator("#txt2img_prompt .sd-marks")
    expect(marks.locator("mark")).to_have_text(["("])
    wait_until(lambda: page.evaluate(APART) <= 1, 10, "the marks lie on the field")  # it may just have grown
    page.keyboard.type(")")
    expect(marks).to_be_hidden()


# What becomes of a text by a change at a place of it.
CHANGED = "((whole, {from, to, insert}) => whole.slice(0, from) + insert + whole.slice(to))"


@pytest.mark.parametrize(
    ("text", "place", "typed"),
    [
        ("a cat, red ha", 13, {"kind": "word", "text": "red ha", "from": 7}),
        ("a cat, r", 8, None),
        ("(red ha", 7, {"kind": "word", "text": "red ha", "from": 1}),
        ("a <lo", 5, {"kind": "lora", "text": "", "from": 2}),
        ("a <lora:pix", 11, {"kind": "lora", "text": "pix", "from": 2}),
        ("a <lora:pix> ca", 15, {"kind": "word", "text": "ca", "from": 13}),
        ("a __col", 7, {"kind": "wildcard", "text": "col", "from": 2}),
        ("a __", 4, {"kind": "wildcard", "text": "", "from": 2}),
        ("a __colours__ ", 14, {"kind": "word", "text": "a __colours__ ", "from": 0}),
        ("red hat", 3, {"kind": "word", "text": "red", "from": 0}),
    ],
)
def test_what_is_typed_at_the_cursor_has_a_kind(run: Run, text: str, place: int, typed: dict[str, Any] | None) -> None:
    assert run(f"text.typedAt({json.dumps(text)}, {place})") == typed


@pytest.mark.parametrize(
    ("text", "selected", "direction", "becomes"),
    [
        ("a red cat", (3, 3), 1, "a (red:1.1) cat"),
        ("a (red:1.1) cat", (4, 4), 1, "a (red:1.2) cat"),
        ("a (red:1.1) cat", (3, 6), -1, "a red cat"),
        ("a red cat", (2, 9), -1, "a (red cat:0.9)"),
        ("a red cat ", (1, 10), 1, "a (red cat:1.1)  "[:-1]),
        ("a ((red:1.1) hat:1.3)", (15, 15), 1, "a ((red:1.1) hat:1.4)"),
        ("a <lora:pix:0.8> cat", (9, 9), 1, "a <lora:pix:0.85> cat"),
        ("a <lora:pix:0.8:0.5> cat", (9, 9), -1, "a <lora:pix:0.75:0.5> cat"),
        ("(a:9.95)", (2, 2), 1, "(a:10)"),
        ("  ", (1, 1), 1, None),
    ],
)
def test_a_weight_is_changed_of_what_is_selected_or_at_the_cursor(
    run: Run, text: str, selected: tuple[int, int], direction: int, becomes: str | None
) -> None:
    change = f"text.reweighed({json.dumps(text)}, {selected[0]}, {selected[1]}, {direction})"
    assert run(f"{change} && {CHANGED}({json.dumps(text)}, {change})") == becomes


def test_a_network_is_put_in_at_the_cursor_and_taken_out_with_its_words(run: Run) -> None:
    pixel = {"kind": "lora", "call": "pix (v2)", "insert": "<lora:pix (v2):0.8> pixel art"}
    sprig = {"kind": "embedding", "call": "sprig", "insert": "sprig"}

    def toggled(card: dict[str, str], text: str, place: int) -> str:
        said: str = run(f"{CHANGED}({json.dumps(text)}, text.toggled({json.dumps(card)}, {json.dumps(text)}, {place}))")
        return said

    inside = toggled(pixel, "a cat", 5)
    assert inside == "a cat <lora:pix (v2):0.8> pixel art"
    assert toggled(pixel, inside, 3) == "a cat"
    assert toggled(pixel, "a cat, <lora:pix (v2):1.2>, red", 0) == "a cat, red"
    assert toggled(pixel, "a cat, <lora:pix (v2):1.2> red", 0) == "a cat, red"
    assert toggled(pixel, "<lora:pix (v2)>a cat", 0) == "a cat"
    assert toggled(sprig, "a cat", 5) == "a cat, sprig" and toggled(sprig, "a cat, Sprig, red", 0) == "a cat, red"
    assert toggled(sprig, "sprightly", 0) == "sprig, sprightly", "another word is not it"
