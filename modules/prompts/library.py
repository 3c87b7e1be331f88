"""What people have written down for their prompts: styles."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from modules.cmd_args import from_environment
from modules.paths import data_folder
from modules.prompts.styles.style_files import StyleFiles


@dataclass(frozen=True)
class PromptLibrary:
    """The files of a program with words for prompts; without any, nothing."""

    styles: StyleFiles = field(default_factory=StyleFiles)


def library_from_environment() -> PromptLibrary:
    """Return that of the data folder, and of the places that the command line of the launcher names."""
    named = [Path(path) for path in from_environment().styles_file]
    return PromptLibrary(StyleFiles(named or [data_folder().styles]))
