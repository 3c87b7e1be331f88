"""docs/api.md names every route."""

from modules.api.rest import build_rest
from modules.api.services import Services
from modules.paths import ROOT

FOR_THE_PAGE_ALONE = {"/steady/assets/{name}", "/docs"}


def last_word(path: str) -> str:
    """Return the last part of a path that is no parameter."""
    return [part for part in path.split("/") if part and not part.startswith("{")][-1]


def test_every_route_is_documented(services: Services) -> None:
    text = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    paths = set(build_rest(services, {}).openapi()["paths"]) - FOR_THE_PAGE_ALONE
    services.store.close()
    assert {"/sdapi/v1/jobs/{job_id}/pause", "/sdapi/v1/audit"} <= paths
    assert {path for path in paths if last_word(path) not in text} == set()
