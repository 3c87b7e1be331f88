"""What the single files of a family do not say: the classes of its parts, its scheduler, and where in the file is what.

Facts of the published models, one small JSON for each family in `configs/`. All that can be seen from the shapes of the
tensors is taken from there.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from modules.errors import ModelError

_CONFIGS = Path(__file__).parent / "configs"


@dataclass(frozen=True)
class NetworkConfig:
    """A network of a pipeline. `kind` says how its tensors are renamed and what their shapes mean.

    `core` is the denoiser, the part that gives a file its name. `prefixes` are those of its tensors in a file with
    several parts. `usual` is the name of the file that people have of it.
    """

    library: str
    class_name: str
    kind: str
    config: Mapping[str, Any]
    prefixes: tuple[str, ...] = ()
    core: bool = False
    optional: bool = False
    usual: str = ""


@dataclass(frozen=True)
class TokenizerConfig:
    """A tokenizer of a pipeline, made from the shipped `files` with these arguments."""

    class_name: str
    files: str
    arguments: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class FamilyConfig:
    """A family: its networks and tokenizers by their names in the pipeline, and what else the pipeline is given.

    `variants` hold what the scheduler of a variant has of its own.
    """

    networks: Mapping[str, NetworkConfig]
    tokenizers: Mapping[str, TokenizerConfig]
    scheduler_class: str
    scheduler: Mapping[str, Any]
    variants: Mapping[str, Mapping[str, Any]]
    arguments: Mapping[str, Any]

    @property
    def core(self) -> str:
        """The name of the denoiser."""
        return next(name for name, one in self.networks.items() if one.core)


@functools.cache
def config_of(family: str) -> FamilyConfig:
    """Return what is known of a family by its name.

    Raises:
        ModelError: its single files cannot be drawn with.
    """
    if family not in known_families():
        raise ModelError(
            f"Single files of the kind {family or 'unknown'} cannot be drawn with: use the same model as a folder in "
            "diffusers layout."
        )
    told = json.loads((_CONFIGS / f"{family}.json").read_text(encoding="utf-8"))
    return FamilyConfig(
        networks={name: _network(one) for name, one in told["networks"].items()},
        tokenizers={
            name: TokenizerConfig(one["class"], one["files"], one.get("arguments", {}))
            for name, one in told["tokenizers"].items()
        },
        scheduler_class=told["scheduler"]["class"],
        scheduler=told["scheduler"]["config"],
        variants=told.get("variants", {}),
        arguments=told.get("arguments", {}),
    )


@functools.cache
def known_families() -> frozenset[str]:
    """Return the families whose single files can be loaded."""
    return frozenset(path.stem for path in _CONFIGS.glob("*.json"))


def _network(told: Mapping[str, Any]) -> NetworkConfig:
    library, _, class_name = told["class"].partition(".")
    return NetworkConfig(
        library,
        class_name,
        told["kind"],
        told["config"],
        tuple(told.get("prefixes", ())),
        told.get("core", False),
        told.get("optional", False),
        told.get("usual", ""),
    )
