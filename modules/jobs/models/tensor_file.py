"""Read the header of a file of weights, whichever of the formats that are read it has."""

from __future__ import annotations

from pathlib import Path

from modules.jobs.models.gguf_file import MAGIC, read_gguf
from modules.jobs.models.safetensors_file import metadata_of, parse_tensors
from modules.jobs.models.tensor_header import TensorHeader
from modules.jobs.models.untrusted_file import open_regular


def read_tensor_header(path: Path) -> TensorHeader:
    """Return what a safetensors or GGUF file says of its tensors, after checking that it is whole.

    Its first bytes tell the format, not its name.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is damaged, or of another format; the message goes on after the file's name.
    """
    with open_regular(path) as file:
        size = path.stat().st_size
        if file.read(len(MAGIC)) != MAGIC:
            file.seek(0)
            header, tensors = parse_tensors(file, size)
            return TensorHeader(path, "safetensors", size, tensors, metadata_of(header))
    return read_gguf(path)
