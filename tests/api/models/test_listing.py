"""A page of many models is what one would find by looking at each."""

import random
from pathlib import Path

import pytest

from modules.api.models import listing
from modules.api.models.entries import Entry
from modules.api.models.listing import Listing, Query, list_models
from modules.jobs.models.places import Kind

WORDS = ("Ink", "oil", "ink oil", "a\nb", "inkink")
KINDS: tuple[Kind, ...] = ("checkpoint", "lora", "vae")


def made(number: int, draw: random.Random) -> Entry:
    name = f"{draw.choice(WORDS)}-{number:03}.safetensors"
    family = draw.choice(("flux", "sdxl", ""))
    return Entry(
        str(number), draw.choice(KINDS), name, Path("/models") / name, frozenset((name,)), name, None, family,
        family, family, "", "fp16", draw.randrange(5), float(draw.randrange(5)), None,
    )  # fmt: skip


@pytest.mark.parametrize("few_hits", [0, 10_000])
def test_a_page_is_what_one_finds_by_looking_at_each(few_hits: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "_FEW_HITS", few_hits)
    draw = random.Random(1)
    entries = [made(number, draw) for number in range(120)]
    known = Listing(entries)
    for _ in range(200):
        query = Query(
            kind=draw.choice((None, *KINDS)), family=draw.choice((None, "flux", "unknown", "none such")),
            text=draw.choice(("", "ink", "INK oil", "-00", "b-0", "nothing", "checkpoint", "119")),
            sort=draw.choice(("name", "size", "date")), descending=draw.choice((True, False)),
            offset=draw.randrange(3), limit=200,
        )  # fmt: skip
        words = query.text.casefold().split()
        found = [one for one in entries if all(word in one.searched for word in words)]
        of_kind = [one for one in found if query.kind in (None, one.kind)]
        fitting = [one for one in of_kind if query.family in (None, one.family or "unknown")]
        fitting.sort(key=listing.SORTS["name"])
        fitting.sort(key=listing.SORTS[query.sort], reverse=query.descending)
        page = list_models(known, query, with_paths=True)
        assert [one["id"] for one in page["models"]] == [one.id for one in fitting[query.offset :]]
        assert page["total"] == len(fitting)
        assert {one["name"]: one["count"] for one in page["kinds"]} == {
            kind: sum(one.kind == kind for one in found) for kind in KINDS if any(one.kind == kind for one in found)
        }
        assert sum(one["count"] for one in page["families"]) == len(of_kind)
