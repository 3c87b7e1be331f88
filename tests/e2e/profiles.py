"""Profiles of the browser: one serves test after test, and is as good as new for each.

What Chromium has fetched and compiled of the page it keeps with the profile, and with the process of its pages for as
long as one of these is open. To load the page takes three seconds of a core, two where both know it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, Page

# All that a page leaves behind but what was fetched and compiled.
LEFT_BEHIND = "cookies,local_storage,indexeddb,file_systems,service_workers,cache_storage"
# All pages of one site, which is a machine whatever the port, in one process.
TOGETHER = "--process-per-site"
# Of that site. Nobody is asked for it.
WARM = "http://127.0.0.1:9/"


@contextmanager
def warm_profile(browser: Browser, **how: Any) -> Iterator[BrowserContext]:
    """Open a profile whose process lives as long as itself, in a browser that has its pages `TOGETHER`."""
    with browser.new_context(**how) as profile:
        page = profile.new_page()
        page.route(WARM, lambda route: route.fulfill(body="This page keeps a process."))
        page.goto(WARM)
        yield profile


@contextmanager
def emptied(profile: BrowserContext) -> Iterator[BrowserContext]:
    """Lend a warm profile: its pages are closed at the end, and nothing that they have kept is left."""
    yield profile
    (warm,) = (page for page in profile.pages if page.url == WARM)
    origins = {origin for page in profile.pages if (origin := origin_of(page))}
    for page in profile.pages:
        if page is not warm:
            page.close()
    profile.clear_permissions()
    profile.set_extra_http_headers({})
    session = profile.new_cdp_session(warm)
    for origin in sorted(origins):
        session.send("Storage.clearDataForOrigin", {"origin": origin, "storageTypes": LEFT_BEHIND})
    session.detach()
    profile.clear_cookies()


def origin_of(page: Page) -> str | None:
    """Return where a page is from; None: nowhere that keeps anything."""
    parts = urlsplit(page.url)
    return f"{parts.scheme}://{parts.netloc}" if parts.scheme in ("http", "https") else None
