"""docs/api.md names every route."""

import re

from modules.api.page.assets import Assets
from modules.api.rest import build_rest
from modules.api.services import Services
from modules.paths import ROOT

FOR_THE_PAGE_ALONE = {"/steady/assets/{name}", "/docs"}


def last_word(path: str) -> str:
    """Return the last part of a path that is no parameter."""
    return [part for part in path.split("/") if part and not part.startswith("{")][-1]


def is_documented(path: str, text: str) -> bool:
    """Tell whether some code in the text names the end of the path, as `skip` or `…/skip`."""
    return re.search(rf"`[^`\n]*(?<![\w-]){re.escape(last_word(path))}(?![\w-])[^`\n]*`", text) is not None


def test_every_route_is_documented(services: Services) -> None:
    text = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    paths = set(build_rest(services, Assets({}, "")).openapi()["paths"]) - FOR_THE_PAGE_ALONE
    services.store.close()
    assert {"/sdapi/v1/jobs/{job_id}/pause", "/sdapi/v1/audit"} <= paths
    assert {path for path in paths if not is_documented(path, text)} == set()
