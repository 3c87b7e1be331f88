"""A grid as the server tells of it, for pages that hear what a test says."""

from __future__ import annotations

from typing import Any

from tests.e2e.feed import Feed, output

SAMPLERS = ("Euler a", "DPM++ 2M SDE Heun", "UniPC", "LCM", "Heun", "DDIM")


def told_grid(shape: tuple[int, int, int], each: int = 1, size: tuple[int, int] = (64, 64)) -> dict[str, Any]:
    """Return what is told of a grid of samplers, steps and CFG scales whose cells are drawn row by row."""
    columns, rows, sheets = shape
    axes = [
        {"label": "Sampler", "values": list(SAMPLERS[:columns])},
        {"label": "Steps", "values": [f"Steps: {5 * row + 5}" for row in range(rows)]},
        {"label": "CFG Scale", "values": [f"CFG Scale: {z + 1}" for z in range(sheets)]}
        if sheets > 1
        else {"label": "", "values": [""]},
    ]
    return {
        "grid": {"script": "X/Y/Z plot", "axes": axes, "margin": 0, "has_sheet": True},
        "places": [[x, y, z] for z in range(sheets) for y in range(rows) for x in range(columns)],
        "cells": each, "width": size[0], "height": size[1], "n_iter": 1, "batch_size": each, "steps": 20,
    }  # fmt: skip


def grid_job(
    feed: Feed, drawn: list[int], status: str = "running", shape: tuple[int, int, int] = (4, 3, 1), **more: Any
) -> dict[str, Any]:
    """Return a grid of this page of which these pictures are there."""
    request = {"of": "txt2img", "script": "X/Y/Z plot", "script_args": {}, "prompt": "a heart"}
    told = {"resolved": told_grid(shape), "request": request} | more
    return feed.job(status, [output(index) for index in drawn], kind="grid", **told)
