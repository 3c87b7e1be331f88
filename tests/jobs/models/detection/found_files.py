"""Write a file with given tensors, and tell what it is found to be."""

from collections.abc import Mapping
from pathlib import Path

from modules.jobs.models.detection.detect import detect
from modules.jobs.models.detection.found import Found
from tests.jobs.made_files import Made, write_file


def found(
    folder: Path,
    tensors: Made,
    name: str = "model.safetensors",
    dtype: str = "F16",
    metadata: Mapping[str, str] | None = None,
    contents: Mapping[str, bytes] | None = None,
) -> Found:
    """Return what a file with these tensors is."""
    return detect(write_file(folder / name, tensors, dtype, metadata, contents))
