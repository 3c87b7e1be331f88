"""What people have written down for their prompts: styles, wildcards and lists of tags."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from modules.cmd_args import from_environment
from modules.paths import data_folder, model_folders
from modules.prompts.dynamic.wildcards import Wildcards
from modules.prompts.styles.style_files import StyleFiles
from modules.prompts.tags import Tags

# Of SD.Next, of A1111's extensions, of ComfyUI's.
_OF_PROGRAMS = ("wildcards", "models/wildcards", "extensions/*/wildcards", "custom_nodes/*/wildcards")


@dataclass(frozen=True)
class PromptLibrary:
    """The files of a program with words for prompts; without any, nothing."""

    styles: StyleFiles = field(default_factory=StyleFiles)
    wildcards: Wildcards = field(default_factory=Wildcards)
    tags: Tags = field(default_factory=Tags)


def library_from_environment() -> PromptLibrary:
    """Return that of the data folder, and of the places that the command line of the launcher names."""
    arguments, folder = from_environment(), data_folder()
    styles = [Path(path) for path in arguments.styles_file] or [folder.styles]
    named = [folder.wildcards, *(Path(path) for path in arguments.wildcards_dir)]
    return PromptLibrary(StyleFiles(styles), Wildcards([*named, *wildcards_beside(model_folders())]), Tags(folder.tags))


def wildcards_beside(models: Iterable[Path]) -> list[Path]:
    """Return the folders with wildcards that the programs have to which these models belong, by their folders."""
    found: dict[Path, None] = {}
    for root in models:
        programs = [root, root.parent] if root.name.casefold() == "models" else [root]
        for program in programs:
            for pattern in _OF_PROGRAMS:
                found |= dict.fromkeys(sorted(folder for folder in program.glob(pattern) if folder.is_dir()))
    return list(found)
