"""The page that asks for a name and a password, in the look of the program."""

from __future__ import annotations

from html import escape

from starlette.responses import HTMLResponse

# What the page needs before anyone is known. Nothing in these files is secret.
FILES = ("page/page.css", "login/login.css", "login/login.js", "mark.svg")
# The manifest is fetched by browsers without saying who asks.
ASSETS = frozenset({"/manifest.json", *(f"/steady/assets/{name}" for name in FILES)})

PAGE = """<!doctype html>
<html lang="en" data-colours-setting="{colours}">
<head>
<meta charset="utf-8"><title>Log in – Steady Diffusion</title>
<meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover">
<meta name="robots" content="noindex">
<link rel="icon" type="image/svg+xml" href="/steady/assets/mark.svg">
<link rel="manifest" href="/manifest.json">
<link rel="stylesheet" href="/steady/assets/page/page.css"><link rel="stylesheet" href="/steady/assets/login/login.css">
<script src="/steady/assets/login/login.js"></script>
</head>
<body>
<main class="sd-login">
<h1><img src="/steady/assets/mark.svg" alt="" width="28" height="28">Steady Diffusion</h1>
<form method="post" action="/login" id="login_form">
<input type="hidden" name="next" value="{next}">
<label for="login_user">Name</label>
<input id="login_user" name="username" value="{user}" autocomplete="username" autocapitalize="none" spellcheck="false"
 maxlength="100" required{focus_user}>
<label for="login_password">Password</label>
<input id="login_password" name="password" type="password" autocomplete="current-password" maxlength="1024" required
{focus_password}>
<p class="sd-login-problem" role="alert">{problem}</p>
<button type="submit">Log in</button>
</form>
</main>
</body>
</html>
"""


def login_page(
    *,
    colours: str,
    next_path: str,
    status: int = 200,
    user: str = "",
    problem: str = "",
    retry_after: int | None = None,
) -> HTMLResponse:
    """Return the page; `problem` says why the last attempt was none, `next_path` is where to go from it."""
    text = PAGE.format(
        colours=escape(colours),
        next=escape(next_path),
        user=escape(user),
        problem=escape(problem),
        focus_user="" if user else " autofocus",
        focus_password=" autofocus" if user else "",
    )
    headers = {"Cache-Control": "no-store"}
    if retry_after is not None:
        headers["Retry-After"] = str(retry_after)
    return HTMLResponse(text, status, headers)


def path_here(wanted: str) -> str:
    r"""Return `wanted` if it is a path on this server, else the page's own.

    >>> path_here("//evil.example"), path_here("/\\evil.example"), path_here("/docs?a=b")
    ('/', '/', '/docs?a=b')
    """
    is_path = wanted.startswith("/") and not wanted.startswith(("//", "/\\", "/login")) and wanted.isprintable()
    return wanted if is_path and len(wanted) < 2000 else "/"
