"""What a prompt with variants and wildcards is made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias, Union

# How one of several is chosen: by chance, or in turn.
Sampler = Literal["random", "cyclical"]


@dataclass(frozen=True, slots=True)
class Option:
    """One of several, and how much likelier it is than one of weight 1."""

    weight: float
    nodes: Nodes


@dataclass(frozen=True, slots=True)
class Variants:
    """`{a|b}`: of the options so many, from `low` to `high`, each once. `written` is how it stands in the text.

    `sampler` None: the text says nothing of it, so where all combinations are made these are among them.
    """

    options: tuple[Option, ...]
    written: str
    low: int = 1
    high: int = 1
    separator: str = ", "
    sampler: Sampler | None = None


@dataclass(frozen=True, slots=True)
class Wildcard:
    """`__name__`: a line of a file. `parameters` are variables while that line is read: name and text."""

    name: str
    written: str
    parameters: tuple[tuple[str, str], ...] = ()
    sampler: Sampler | None = None


@dataclass(frozen=True, slots=True)
class Assignment:
    """`${v=…}`: a variable. With `at_once` its value is made now, else at each use; `keep` leaves an older one."""

    name: str
    nodes: Nodes
    written: str
    at_once: bool = False
    keep: bool = False


@dataclass(frozen=True, slots=True)
class Recall:
    """`${v}`, `${v:default}`: the value of a variable; without one the default, or the text as it is written."""

    name: str
    written: str
    default: Nodes | None = None


Node: TypeAlias = Union[str, Variants, Wildcard, Assignment, Recall]
Nodes: TypeAlias = tuple[Node, ...]
