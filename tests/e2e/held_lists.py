"""Lists of the Queue tab that are a long time on their way."""

from __future__ import annotations

from playwright.sync_api import APIResponse, Page, Route

from tests.program import wait_until

LISTS = "**/sdapi/v1/jobs?status=queued*"  # one of those that the tab reads at once, and shows all or none of


class HeldLists:
    """What the page asks for from now on, as it was then, and on its way until it may come."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._held: list[tuple[Route, APIResponse]] = []
        page.route(LISTS, lambda route: self._held.append((route, route.fetch())))

    def wait(self) -> None:
        """Wait until the page has asked."""
        wait_until(lambda: self._page.evaluate("() => true") and self._held, 20, "the page asks for its lists")

    def let_come(self) -> None:
        """Let all of it come, and hold nothing any more."""
        for route, answer in self._held:
            route.fulfill(response=answer)
        self._page.unroute(LISTS)
