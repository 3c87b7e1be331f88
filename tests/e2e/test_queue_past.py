"""What was drawn before: found in sight, removed one by one or all that is shown; and where its pictures are."""

from __future__ import annotations

import zipfile

from playwright.sync_api import expect

from tests.e2e.held_lists import HeldLists
from tests.e2e.tab import Tab
from tests.program import Program, wait_until

PAST = "#steady_queue_past .sd-row"


def test_what_was_drawn_is_found_and_removed_and_where_it_is_is_said(tab: Tab, program: Program) -> None:
    page, past = tab.page, tab.page.locator(PAST)
    drawn = program.submit(prompt="a zebra", steps=2, n_iter=2)
    program.wait_for(drawn, "done")
    program.post("/sdapi/v1/queue/pause")
    stopped = program.submit(prompt="a zebra that waits", steps=2)
    program.post(f"/sdapi/v1/jobs/{stopped}/interrupt")
    for _ in range(16):
        program.submit(prompt="filler", steps=2)
    total = program.get("/sdapi/v1/jobs?status=done,interrupted,failed,quarantined&limit=0")["total"]
    tab.to("queue")
    expect(page.locator("#steady_queue_waiting .sd-row")).to_have_count(16)
    page.fill("#steady_queue_search", "zebra")
    expect(past).to_have_count(2)
    expect(past.first).to_be_in_viewport(ratio=1)
    page.click("#steady_queue_filter >> text=Stopped")
    expect(past).to_have_count(1)
    page.dblclick("#steady_queue_remove")  # the second half of it falls beside the question, and does not answer it
    page.click(".sd-confirm button >> text=Keep")
    expect(page.locator(".sd-confirm")).to_have_count(0)
    assert program.job(stopped)["status"] == "interrupted"
    expect(page.locator("#steady_queue_remove")).to_be_focused()
    lists = HeldLists(page)
    page.click("#steady_queue_filter >> text=All")  # which the list does not show yet
    lists.wait()
    page.click("#steady_queue_remove")
    seen_by_nobody = program.submit(prompt="a zebra that ends behind the question", steps=2)
    program.post(f"/sdapi/v1/jobs/{seen_by_nobody}/interrupt")
    page.click(".sd-confirm >> text=Remove >> nth=-1")
    wait_until(lambda: program.call("GET", f"/sdapi/v1/jobs/{stopped}")[0] == 404, 20, "what was shown is removed")
    lists.let_come()
    expect(past).to_have_count(2)
    page.click("#steady_queue_filter >> text=Stopped")
    expect(past).to_have_count(1)
    expect(past.first).to_contain_text("behind the question")
    page.click("#steady_queue_remove")
    page.click(".sd-confirm >> text=Remove >> nth=-1")
    expect(past).to_have_count(0)
    expect(page.locator("#steady_queue_no_past")).to_contain_text("No prompt holds “zebra”")
    page.click("#steady_queue_filter >> text=All")
    row = page.locator(f"{PAST}[data-job='{drawn}']")
    row.locator(".sd-dots").click()
    with page.expect_download() as download:
        row.locator("text=Save all 2 pictures").click()
    names = [output["name"] for output in program.job(drawn)["outputs"]]
    assert zipfile.ZipFile(download.value.path()).namelist() == names
    row.locator(".sd-dots").click()
    row.locator("text=Remove from the list").click()
    expect(past).to_have_count(0)
    assert program.call("GET", f"/sdapi/v1/jobs/{drawn}")[0] == 404
    left = program.get("/sdapi/v1/jobs?status=done,interrupted,failed,quarantined&limit=0")["total"]
    assert left == total - 2
    page.click("#steady_queue_clear")
    page.click("#steady_queue_clear")
    expect(page.locator("#steady_queue_no_waiting")).to_be_visible()
    assert program.get("/sdapi/v1/jobs?status=interrupted&text=filler&limit=0")["total"] == 0, "no row is left of them"
    program.post("/sdapi/v1/queue/resume")
    tab.to("txt2img")
    where_the_pictures_are_is_said_and_a_file_keeps_its_name(tab, program)


def where_the_pictures_are_is_said_and_a_file_keeps_its_name(tab: Tab, program: Program) -> None:
    page = tab.page
    tab.write("red heart", steps=2, count=2)
    tab.generate()
    tab.says("Done: 2 pictures")
    job = program.job(tab.job)
    line = page.locator("#txt2img_folder")
    expect(line.locator("code")).to_have_text(job["folder"])
    expect(line.locator("a")).to_have_text(["Grid", "Save all 2"])
    expect(page.locator("#txt2img_send > [data-do=download]")).to_have_attribute("download", job["outputs"][0]["name"])
    page.route("**/open-folder", lambda route: route.fulfill(status=501, json={"errors": "No file manager."}))
    line.locator("text=Open folder").click()
    expect(page.locator(".sd-problem")).to_have_text("No file manager.")
    tab.complaints.clear()  # the browser's own word on that 501
