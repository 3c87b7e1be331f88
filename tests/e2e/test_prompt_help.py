"""Help while a prompt is written: suggestions, weights by keys, cards beside it; and undo throughout."""

from playwright.sync_api import expect

from tests.e2e.tab import Tab
from tests.program import Program


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
