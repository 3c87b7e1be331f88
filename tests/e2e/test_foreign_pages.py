"""A page of another site can link to ours, and neither frame it nor show what it drew; ours talks to nobody else."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import BrowserContext

from tests.e2e.tab import Tab
from tests.program import Program

FOREIGN_PAGE = """<!doctype html><meta charset="utf-8"><title>Foreign</title>
<iframe id="frame" src="{url}/" width="900" height="500"></iframe>
<iframe id="docs" src="{url}/docs"></iframe>
<img id="picture" src="{url}/sdapi/v1/jobs/{job}/images/0.png">
<img id="mark" src="{url}/steady/assets/mark.svg">
<script>window.loaded = [];</script>
<script src="{url}/steady/assets/model/words.js" onload="loaded.push('script')"></script>
<a id="link" href="{url}/">Open it</a>
"""


@pytest.fixture
def job(program: Program) -> str:
    identity = program.submit(prompt="red heart", steps=1, width=64, height=64)
    program.wait_for(identity)
    return identity


@pytest.fixture
def foreign_url(program: Program, job: str) -> Iterator[str]:
    """The address of a server that is no part of the program, under another name of this machine."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = FOREIGN_PAGE.format(url=program.url, job=job).encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://localhost:{server.server_port}/"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_foreign_page_shows_nothing_of_ours_and_may_link_to_it(
    context: BrowserContext, foreign_url: str, program: Program
) -> None:
    page = context.new_page()
    page.goto(foreign_url, wait_until="load")
    widths = page.evaluate("() => [...document.images].map((image) => image.naturalWidth)")
    assert (widths, page.evaluate("() => loaded")) == ([0, 0], [])
    for frame in page.frames[1:]:
        assert "Steady Diffusion" not in frame.content()
    page.click("#link")
    page.wait_for_selector("#txt2img_prompt textarea")


def test_our_page_talks_to_nobody_else_and_runs_nothing_that_got_into_it(tab: Tab, foreign_url: str) -> None:
    told = tab.page.evaluate(
        """async (url) => {
            const violated = [];
            document.addEventListener("securitypolicyviolation", (event) => violated.push(event.effectiveDirective));
            await fetch(url, { mode: "no-cors" }).catch(() => {});
            const parts = ["img", "iframe", "script"].map((name) => document.createElement(name));
            parts.forEach((part) => (part.src = url));
            document.body.append(...parts);
            document.body.insertAdjacentHTML("beforeend", '<img src="/nothing" onerror="window.smuggled = 1">');
            const inline = document.createElement("script");
            inline.textContent = "window.smuggled = 2";
            document.body.append(inline);
            await new Promise((done) => setTimeout(done, 300));
            return [...violated, `smuggled ${window.smuggled}`];
        }""",
        foreign_url,
    )
    assert {"connect-src", "img-src", "frame-src", "script-src-elem", "script-src-attr"} <= set(told)
    assert "smuggled undefined" in told
    tab.complaints.clear()  # the console tells of each
