"""One odd folder among the models is its own problem: the others are there, whatever it holds, and at once."""

import contextlib
import json
import os
import shutil
import socket
import stat
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from modules.jobs.models import diffusers_folder
from modules.jobs.models.catalogue import CheckpointCatalogue
from modules.jobs.models.checkpoint import Checkpoint
from modules.options import Settings
from tests.jobs.made_models import INDEX, make_model
from webui.checkpoint_facts import facts

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has none of these files")

DEEP = b"[" * 200_000
WEIGHTS = "unet/diffusion_pytorch_model.safetensors"


@pytest.fixture
def folder() -> Iterator[Path]:
    """A models folder that any user may read, with a good model in it."""
    root = Path(tempfile.mkdtemp(prefix="steady-odd-"))
    root.chmod(0o755)
    make_model(root / "Stable-diffusion" / "good")
    yield root
    shutil.rmtree(root)


@contextlib.contextmanager
def as_another_user() -> Iterator[None]:
    """Root reads everything, so be somebody else for a while."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def models_of(catalogue: CheckpointCatalogue, deed: Callable[[], object] = lambda: None) -> dict[str, Checkpoint]:
    """Return the models by name. On a thread, so that a look that never ends fails its test alone."""
    found: list[tuple[Checkpoint, ...]] = []

    def look() -> None:
        deed()
        found.append(catalogue.list())

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    thread.join(60)
    assert found, "The look at the models did not end, or raised."
    json.dumps(facts(found[0], Settings())).encode()
    return {model.name: model for model in found[0]}


def write(path: Path, data: bytes) -> None:
    path.unlink(missing_ok=True)
    path.write_bytes(data)


def split(parts: object) -> Callable[[Path], None]:
    """Say that the weights lie in several files, in a way that makes no sense."""
    return lambda odd: write(odd / f"{WEIGHTS}.index.json", json.dumps({"weight_map": parts}).encode())


def replaced(name: str, make: Callable[[Path], object]) -> Callable[[Path], None]:
    def replace(odd: Path) -> None:
        (odd / name).unlink(missing_ok=True)
        make(odd / name)

    return replace


def make_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as opened, contextlib.chdir(path.parent):
        opened.bind(path.name)


def header(declared: int, content: bytes) -> Callable[[Path], None]:
    def fill(path: Path) -> None:
        with path.open("wb") as file:
            file.write(declared.to_bytes(8, "little") + content)
            file.truncate(declared + 100 if declared < 2**33 else 100)

    return lambda odd: fill(odd / WEIGHTS)


ODD: dict[str, tuple[Callable[[Path], object], str]] = {
    "numbers in a weight_map": (split({"a": 1, "b": 2}), "names 1 as a file of weights"),
    "nulls in a weight_map": (split({"a": None, "b": "part"}), "names None as a file of weights"),
    "a list as a weight_map": (split([1, 2]), "has no weight_map"),
    "lists in a weight_map": (split({"a": ["x"]}), "names a list as a file of weights"),
    "a way out in a weight_map": (split({"a": "../../secret"}), "names ../../secret as a file of weights"),
    "a long name in a weight_map": (split({"a": "x" * 5000}), "is missing"),
    "a name with a null byte": (split({"a": "x\0y"}), "is missing"),
    "an index without a floor": (lambda odd: write(odd / "model_index.json", DEEP), "is nested too deeply"),
    "a config without a floor": (lambda odd: write(odd / "vae/config.json", DEEP), "is nested too deeply"),
    "defaults without a floor": (lambda odd: write(odd / "defaults.json", DEEP), "is nested too deeply"),
    "symbols without a floor": (lambda odd: write(odd / "symbols.json", DEEP), "is nested too deeply"),
    "words without a floor": (lambda odd: write(odd / "words.json", DEEP), "is nested too deeply"),
    "words that are numbers": (lambda odd: write(odd / "words.json", b'{"x": 5}'), "has no name for 'x'"),
    "symbols that are numbers": (lambda odd: write(odd / "symbols.json", b'{"x": 5}'), "has no name for 'x'"),
    "a header without a floor": (header(200_000, DEEP), "is not a safetensors file"),
    "a header of 4 GB": (header(2**32, b""), "has a header of more than"),
    "a header of 2**63 bytes": (header(2**63, b""), "is not a whole safetensors file"),
    "an index of 3 MB": (lambda odd: write(odd / "model_index.json", b" " * 3_000_000 + b"{}"), "is larger than"),
    "a long name of a part": (
        lambda odd: write(odd / "model_index.json", json.dumps(INDEX | {"x" * 5000: ["a", "b"]}).encode()),
        "names a part xxx",
    ),
    "a part that leads out": (
        lambda odd: write(odd / "model_index.json", json.dumps(INDEX | {"../good": ["a", "b"]}).encode()),
        "names a part ../good",
    ),
    "2,000 levels": (
        lambda odd: write(odd / "vae/config.json", json.dumps({"block_out_channels": [1] * 2000}).encode()),
        "says block_out_channels of 2000 blocks",
    ),
    "a sample size of 10**9": (
        lambda odd: write(odd / "unet/config.json", json.dumps({"sample_size": 10**9}).encode()),
        "says sample_size 1000000000",
    ),
    "a negative sample size": (
        lambda odd: write(odd / "unet/config.json", json.dumps({"sample_size": -8}).encode()),
        "sample_size -8 in unet/config.json",
    ),
    "10**9 layers": (
        lambda odd: write(odd / "text_encoder/config.json", b'{"num_hidden_layers": 1000000000}'),
        "text_encoder/config.json in",
    ),
    "10**9 layers in each block": (
        lambda odd: write(odd / "unet/config.json", b'{"transformer_layers_per_block": [1, [2, 1000000000]]}'),
        "says transformer_layers_per_block 1000000000",
    ),
    "channels that are no number": (
        lambda odd: write(odd / "vae/config.json", b'{"latent_channels": NaN}'),
        "says latent_channels nan",
    ),
    "10**9 positions": (
        lambda odd: write(odd / "text_encoder/config.json", b'{"max_position_embeddings": 1000000000}'),
        "says max_position_embeddings 1000000000",
    ),
    "10**9 timesteps": (
        lambda odd: write(odd / "scheduler/scheduler_config.json", b'{"num_train_timesteps": 1000000000}'),
        "says num_train_timesteps 1000000000",
    ),
    "an index that is a pipe": (replaced("model_index.json", os.mkfifo), "no regular file"),
    "a config that is a pipe": (replaced("unet/config.json", os.mkfifo), "no regular file"),
    "weights that are a pipe": (replaced(WEIGHTS, os.mkfifo), "no regular file"),
    "a tokenizer that is a pipe": (replaced("tokenizer/tokenizer.json", os.mkfifo), "no regular file"),
    "a pipe that a library would open": (replaced("tokenizer/added_tokens.json", os.mkfifo), "no regular file"),
    "a preview decoder with a pipe": (
        lambda odd: ((odd / "preview_decoder").mkdir(), os.mkfifo(odd / "preview_decoder" / "config.json")),
        "preview_decoder/config.json in",
    ),
    "a preview decoder of 10**9 blocks": (
        lambda odd: (
            (odd / "preview_decoder").mkdir(),
            write(odd / "preview_decoder" / "config.json", b'{"num_decoder_blocks": [1000000000]}'),
        ),
        "says num_decoder_blocks 1000000000",
    ),
    "a list of tokens of 4 GB": (
        lambda odd: os.truncate(odd / "tokenizer/tokenizer.json", 2**32),
        "tokenizer/tokenizer.json in",
    ),
    "weights that are a socket": (replaced(WEIGHTS, make_socket), "no regular file"),
    "an index that never ends": (
        replaced("model_index.json", lambda path: path.symlink_to("/dev/zero")),
        "no regular file",
    ),
    "weights that never end": (replaced(WEIGHTS, lambda path: path.symlink_to("/dev/zero")), "no regular file"),
    "an index that is a folder": (replaced("model_index.json", Path.mkdir), "no regular file"),
    "a name that is no UTF-8": (lambda odd: odd.rename(os.fsdecode(os.fsencode(odd) + b"\xff")), "is not UTF-8"),
}


@pytest.mark.parametrize("way", ODD)
def test_an_odd_folder_is_its_own_problem(folder: Path, way: str) -> None:
    odd = make_model(folder / "Stable-diffusion" / "odd")
    spoil, words = ODD[way]
    spoil(odd)
    models = models_of(CheckpointCatalogue([folder]))
    assert models["good"].problem is None
    (told,) = [model for name, model in models.items() if name != "good"]
    assert told.problem is not None
    assert words in told.problem
    assert str(odd) in told.problem
    assert len(told.problem) < 500


def test_an_odd_folder_that_appears_while_the_program_runs(folder: Path) -> None:
    catalogue = CheckpointCatalogue([folder])
    models_of(catalogue)
    os.mkfifo(make_model(folder / "Stable-diffusion" / "odd") / "vae" / "pipe")
    models = models_of(catalogue, catalogue.refresh)
    assert models["good"].problem is None
    assert models["odd"].problem is not None


@pytest.mark.parametrize("closed", ["", "unet", "model_index.json", "unet/config.json", WEIGHTS, "tokenizer"])
def test_a_folder_of_another_user_is_its_own_problem(folder: Path, closed: str) -> None:
    odd = make_model(folder / "Stable-diffusion" / "lost+found")
    (odd / closed).chmod(0)
    try:
        with as_another_user():
            models = models_of(CheckpointCatalogue([folder]))
    finally:
        (odd / closed).chmod(0o755)
    problem = models["lost+found"].problem
    assert models["good"].problem is None
    assert problem is not None
    assert str(odd) in problem
    assert "may not be read" in problem or "cannot be read" in problem


def test_a_models_folder_that_cannot_be_listed_is_told_of(folder: Path, tmp_path: Path) -> None:
    closed = folder / "closed" / "Stable-diffusion"
    make_model(closed / "hidden")
    closed.chmod(stat.S_IXUSR)
    try:
        with as_another_user():
            models = models_of(CheckpointCatalogue([folder, closed.parent]))
    finally:
        closed.chmod(0o755)
    assert models["good"].problem is None
    problem = models["Stable-diffusion"].problem
    assert problem is not None
    assert str(closed) in problem


@pytest.mark.parametrize(
    "error", [RecursionError("too deep"), MemoryError(), OverflowError("too large"), KeyError("x")]
)
def test_whatever_a_folder_brings_about_stays_with_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    find_problem = diffusers_folder.find_problem

    def throw(path: Path) -> str | None:
        if path.name == "odd":
            raise error
        return find_problem(path)

    monkeypatch.setattr(diffusers_folder, "find_problem", throw)
    odd = make_model(folder / "Stable-diffusion" / "odd")
    models = models_of(CheckpointCatalogue([folder]))
    assert models["good"].problem is None
    assert models["odd"].problem is not None
    assert str(odd) in models["odd"].problem
    assert type(error).__name__ in models["odd"].problem
