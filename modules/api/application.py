"""The whole application: the REST routes and the page, behind what stands in front of both."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.types import ASGIApp

from modules.api.auth.authentication import Authentication
from modules.api.auth.gate import Gate
from modules.api.auth.guests import guest_rule
from modules.api.auth.quick_routes import QuickRoutes
from modules.api.page.assets import Assets
from modules.api.page.gradio_routes import PageRoutes
from modules.api.page.kept_page import KeptPage
from modules.api.page.policy import PagePolicy
from modules.api.rest import build_rest
from modules.api.server.body_limit import BodyLimit
from modules.api.server.guard import Guard
from modules.api.server.middleware import Front, Stamp
from modules.api.server.security_headers import SecurityHeaders
from modules.api.server.true_client import Proxies, TrueClient
from modules.api.services import Services


def assemble(
    services: Services,
    page: ASGIApp,
    page_assets: Assets,
    auth: Authentication,
    head: str = "",
    listeners: Mapping[int, int] | None = None,
) -> ASGIApp:
    """Return REST and page as one. `head` is what stands in the page's head beside what Gradio puts there.

    `listeners` says how many values each of the page's listeners takes.

    From outside in: from where, how answers look, which sites, how much, who, and then what there is.
    """
    arguments = services.arguments
    rest = QuickRoutes(build_rest(services, page_assets), guest_rule(services))
    routes = Front(rest, PageRoutes(KeptPage(PagePolicy(page, head)), listeners))
    gate = Gate(routes, auth, lambda: services.options.values.theme)
    guarded = Guard(BodyLimit(gate), listen=arguments.listen)
    return TrueClient(SecurityHeaders(Stamp(guarded, services.shutdown)), Proxies(arguments.trusted_proxies))
