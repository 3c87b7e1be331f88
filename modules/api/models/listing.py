"""A page of the list of models: which of them, in which order, and what a card tells."""

from __future__ import annotations

import bisect
import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from modules.api.models.entries import KIND_LABELS, Entry
from modules.api.models.network_cards import Inserting, fits, network_card
from modules.api.models.sidecars import picture_of, read_texts
from modules.errors import InvalidRequest
from modules.jobs.models.checkpoint import Checkpoint
from modules.jobs.models.families import label_of
from modules.jobs.models.model_file import LABELS

MOST_LISTED = 200
UNKNOWN = "unknown"  # the family of a model whose family nobody knows
_LONGEST_ON_A_CARD = 2_000
_Group = tuple[str, str]  # kind and family
_Row = tuple[str, _Group, Entry]  # the first is what a search looks through
_FEW_HITS = 300
_MOST_KEPT = 16

SORTS: dict[str, Callable[[Entry], Any]] = {
    "name": lambda entry: entry.name.casefold(),
    "date": lambda entry: entry.modified_at,
    "size": lambda entry: entry.size_bytes,
}


@dataclass(frozen=True)
class Query:
    """What is asked for: None is any kind or family; `text` are words that are all in a model's name or family.

    `fits` is the name of a checkpoint with which LoRAs and embeddings are to go; "" is any.
    """

    kind: str | None = None
    family: str | None = None
    text: str = ""
    sort: str = "name"
    descending: bool = False
    offset: int = 0
    limit: int = 60
    fits: str = ""

    def check(self) -> None:
        """Check that this can be answered.

        Raises:
            InvalidRequest: a value is not possible.
        """
        if self.sort not in SORTS:
            raise InvalidRequest(f"sort {self.sort!r} is not known: use {', '.join(SORTS)}.", "sort")
        if not (0 <= self.limit <= MOST_LISTED and self.offset >= 0):
            raise InvalidRequest(
                f"limit {self.limit} or offset {self.offset} is not possible: use a limit of 0 to {MOST_LISTED}.",
                "limit",
            )


class Listing:
    """Models in each of the orders in which they are shown. Made once for many pages, by any thread.

    A page of thousands is to cost no more than one of five: what all have is counted once, and texts lie side by side.
    """

    def __init__(self, entries: Iterable[Entry]) -> None:
        self._by_name = sorted(entries, key=SORTS["name"])
        self._rows: dict[tuple[str, bool], _Rows] = {}

    def rows(self, sort: str, descending: bool) -> _Rows:
        """Return all in this order."""
        found = self._rows.get((sort, descending))
        if found is None:
            in_order = sorted(self._by_name, key=SORTS[sort], reverse=descending)
            found = self._rows[sort, descending] = _Rows(
                [(one.searched, (one.kind, family_of(one)), one) for one in in_order]
            )
        return found


class _Rows:
    """All models in one order."""

    def __init__(self, rows: list[_Row]) -> None:
        self._all = rows
        self._groups = _counted(rows)
        self._text = "\n".join(row[0] for row in rows)
        self._starts = list(itertools.accumulate((len(row[0]) + 1 for row in rows), initial=0))
        self._of_groups: dict[frozenset[_Group], list[_Row]] = {}

    def with_words(self, words: Sequence[str]) -> tuple[list[_Row], Counter[_Group]]:
        """Return those that have all words, and how many there are of each kind and family."""
        if not words:
            return self._all, self._groups
        rows = self._with_word(words[0])
        for word in words[1:]:
            rows = [row for row in rows if word in row[0]]
        return rows, _counted(rows)

    def of_groups(self, rows: list[_Row], groups: frozenset[_Group]) -> list[_Row]:
        """Return those of `rows` that are of one of these kinds and families."""
        found = self._of_groups.get(groups) if rows is self._all else None
        if found is None:
            found = [row for row in rows if row[1] in groups]
            if rows is self._all:
                if len(self._of_groups) >= _MOST_KEPT:
                    self._of_groups = {}
                self._of_groups[groups] = found
        return found

    def _with_word(self, word: str) -> list[_Row]:
        if self._text.count(word) > _FEW_HITS:
            return [row for row in self._all if word in row[0]]
        found: list[_Row] = []
        place = self._text.find(word)
        while place >= 0:
            number = bisect.bisect_right(self._starts, place) - 1
            found.append(self._all[number])
            place = self._text.find(word, self._starts[number + 1])
        return found


def _counted(rows: Iterable[_Row]) -> Counter[_Group]:
    return Counter([group for _searched, group, _entry in rows])


def list_models(
    known: Listing,
    query: Query,
    *,
    with_paths: bool,
    checkpoint: Checkpoint | None = None,
    inserting: Inserting | None = None,
) -> dict[str, Any]:
    """Return a page of models, how many fit, and how many there are of each kind and family.

    With a `checkpoint` without the LoRAs and embeddings that do not go with it.

    `kinds` and `families` count what the text alone, and the text with the kind, leave.

    Raises:
        InvalidRequest: as `Query.check`.
    """
    query.check()
    everything = known.rows(query.sort, query.descending)
    rows, groups = everything.with_words(query.text.casefold().split())
    if checkpoint is not None:
        rows = [row for row in rows if fits(row[2], checkpoint)]
        groups = _counted(rows)
    kinds: Counter[str] = Counter()
    families: Counter[str] = Counter()
    for (kind, family), count in groups.items():
        kinds[kind] += count
        if query.kind in (None, kind):
            families[family] += count
    asked = frozenset(
        (kind, family) for kind, family in groups if query.kind in (None, kind) and query.family in (None, family)
    )
    fitting = rows if len(asked) == len(groups) else everything.of_groups(rows, asked)
    shown = fitting[query.offset : query.offset + query.limit]
    labels = {family: "Unknown" if family == UNKNOWN else label_of(family) for family in families}
    return {
        "models": [card(one, with_paths=with_paths, inserting=inserting) for _searched, _group, one in shown],
        "total": len(fitting),
        "kinds": [_group(name, label, kinds[name]) for name, label in KIND_LABELS.items() if name in kinds],
        "families": [_group(name, labels[name], families[name]) for name in sorted(labels, key=labels.__getitem__)],
    }


def family_of(entry: Entry) -> str:
    """Return the family by which a model is found."""
    return entry.family or UNKNOWN


def card(entry: Entry, *, with_paths: bool, inserting: Inserting | None = None) -> dict[str, Any]:
    """Return what a card shows. A guest is not told where files are: a problem names its file."""
    texts = read_texts(entry.path, entry.stem)
    problem = entry.problem
    if problem is not None and not with_paths:
        problem = problem.replace(str(entry.path), entry.name).replace(f"{entry.path.parent}/", "")
    return {
        "id": entry.id,
        "kind": entry.kind,
        "kind_label": LABELS[entry.kind][0],
        "name": entry.name,
        "title": entry.title,
        "sha256": entry.sha256,
        "family": entry.family,
        "family_label": entry.family_label,
        "model_label": entry.model_label,
        "variant": entry.variant,
        "number_format": entry.number_format,
        "size_bytes": entry.size_bytes,
        "modified_at": entry.modified_at,
        "problem": problem,
        "preview": _preview(entry),
        "description": texts.description[:_LONGEST_ON_A_CARD],
        "activation_text": texts.activation_text,
        "notes": texts.notes,
        "filename": str(entry.path) if with_paths else entry.path.name,
        **network_card(entry, texts, inserting or Inserting()),
    }


def _preview(entry: Entry) -> str | None:
    """Return where the picture of a model is: another address for another picture, so that a browser may keep it."""
    picture = picture_of(entry.path, entry.stem)
    if picture is None:
        return None
    try:
        status = picture.stat()
    except OSError:
        return None
    version = f"{status.st_mtime_ns:x}-{status.st_size:x}"
    return f"/sdapi/v1/models/{quote(entry.id)}/preview?v={version}"


def _group(name: str, label: str, count: int) -> dict[str, Any]:
    return {"name": name, "label": label, "count": count}
