"""Profiles of the browser: one serves test after test, and is as good as new for each.

What Chromium has fetched and compiled of the page it keeps with the profile. To load the page into a new one takes four
seconds of a core, into one that knows the page one second.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, Page

# All that a page leaves behind but what was fetched and compiled.
LEFT_BEHIND = "cookies,local_storage,indexeddb,file_systems,service_workers,cache_storage"


@contextmanager
def emptied(profile: BrowserContext) -> Iterator[BrowserContext]:
    """Lend a profile: its pages are closed at the end, and nothing that they have kept is left."""
    yield profile
    origins = {origin for page in profile.pages if (origin := origin_of(page))}
    for page in profile.pages:
        page.close()
    profile.clear_permissions()
    profile.set_extra_http_headers({})
    empty = profile.new_page()
    session = profile.new_cdp_session(empty)
    for origin in sorted(origins):
        session.send("Storage.clearDataForOrigin", {"origin": origin, "storageTypes": LEFT_BEHIND})
    empty.close()
    profile.clear_cookies()


def origin_of(page: Page) -> str | None:
    """Return where a page is from; None: nowhere that keeps anything."""
    parts = urlsplit(page.url)
    return f"{parts.scheme}://{parts.netloc}" if parts.scheme in ("http", "https") else None
