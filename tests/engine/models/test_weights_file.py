"""What is in an upscaler's file is read, and never run."""

import pickle
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from modules.engine.models.devices import Device
from modules.engine.models.weights_file import read_weights
from modules.engine.upscaling.network import load_network
from modules.errors import ModelError
from tests.engine.tiny_upscalers import esrgan, save
from tests.jobs.made_models import safetensors_bytes


class _Code:
    """What a pickle may do when it is read."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (exec, ("raise SystemExit('a pickle ran')",))


def nothing(_fraction: float) -> None:
    """Take note of no progress."""


@pytest.mark.parametrize(
    ("write", "words"),
    [
        (lambda path: torch.save({"a": _Code()}, path), r"which could run code: use a safetensors of it"),
        (lambda path: path.write_bytes(pickle.dumps(_Code(), 2)), r"which could run code: use a safetensors of it"),
        (lambda path: path.write_bytes(pickle.dumps(_Code())), r"use a safetensors of it"),
    ],
)
def test_a_pickle_with_code_in_it_is_refused(tmp_path: Path, write: Callable[[Path], object], words: str) -> None:
    write(tmp_path / "evil.pth")
    with pytest.raises(ModelError, match=words) as refused:
        read_weights(tmp_path / "evil.pth", nothing)
    assert "\n" not in str(refused.value)


def test_the_first_bytes_tell_the_form_and_not_the_name(tmp_path: Path) -> None:
    one = save(esrgan(), tmp_path / "a.safetensors").rename(tmp_path / "a.pth")
    assert read_weights(one, nothing).keys() == esrgan().state_dict().keys()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"<!DOCTYPE html><p>log in", "is a web page, which a site sent in its place: log in there, and fetch it"),
        (b"", "is empty: fetch it again"),
        (b"rubbish" * 40, "is neither a safetensors nor a pickle of PyTorch"),
        (b"PK\x03\x04" + b"x" * 100, "is damaged"),
        (safetensors_bytes(), "is of no architecture that is known: use an ESRGAN, SwinIR, DAT or HAT"),
    ],
)
def test_what_is_no_upscaler_is_told(tmp_path: Path, data: bytes, words: str) -> None:
    (tmp_path / "a.pth").write_bytes(data)
    with pytest.raises(ModelError, match=words):
        load_network(tmp_path / "a.pth", Device("cpu", "CPU"), nothing)


def test_other_things_than_weights_are_told(tmp_path: Path) -> None:
    torch.save([1, 2], tmp_path / "list.pth")
    with pytest.raises(ModelError, match="holds no weights by name, but a list"):
        read_weights(tmp_path / "list.pth", nothing)
    weights = {name: weight[:1] for name, weight in esrgan().state_dict().items()}
    torch.save(weights, tmp_path / "cut.pth")
    with pytest.raises(ModelError, match="does not hold the network that its names say"):
        load_network(tmp_path / "cut.pth", Device("cpu", "CPU"), nothing)
    with pytest.raises(ModelError, match=r"cannot be read \(No such file or directory\)"):
        read_weights(tmp_path / "gone.pth", nothing)
