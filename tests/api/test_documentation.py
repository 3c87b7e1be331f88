"""docs/api.md names every route, and the schema what each takes and answers."""

import re

from modules.api.page.assets import Assets
from modules.api.rest import build_rest
from modules.api.services import Services
from modules.paths import ROOT

FOR_THE_PAGE_ALONE = {"/steady/assets/{name}", "/manifest.json", "/docs"}
REFUSALS = {"401", "403", "404", "413", "422", "429", "503", "507"}


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


def test_the_schema_says_of_every_route_how_it_may_refuse_and_of_bodies_what_is_in_them(services: Services) -> None:
    paths = build_rest(services, Assets({}, "")).openapi()["paths"]
    services.store.close()
    of_api = {path: routes for path, routes in paths.items() if path not in FOR_THE_PAGE_ALONE}
    answers = {path: set(route["responses"]) for path, routes in of_api.items() for route in routes.values()}
    assert {path for path, told in answers.items() if REFUSALS - told} == set()
    fields = {
        "jobs": {"kind", "request", "owner", "priority"}, "options": {"samples_save"}, "png-info": {"image"},
        "jobs/{job_id}/move": {"to"}, "jobs/{job_id}/priority": {"priority"}, "jobs/{job_id}/forever": {"on"},
    }  # fmt: skip
    for path, names in fields.items():
        body = paths[f"/sdapi/v1/{path}"]["post"]["requestBody"]["content"]["application/json"]["schema"]
        assert names <= set(body["properties"]), path
