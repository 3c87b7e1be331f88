"""Files that are no models, or are made to do harm: each is told with value and remedy, and nothing else happens."""

import json
import pickle
import random
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from safetensors import safe_open

from modules.jobs.models.detection.detect import detect
from modules.jobs.models.folder import look_at
from modules.jobs.models.foreign_bytes import say
from modules.jobs.models.tensor_file import read_tensor_header
from tests.jobs.made_files import gguf_header, gguf_key, write_file, write_gguf
from tests.jobs.made_unets import Shapes

Entry = dict[str, object]
SMALL: Shapes = {"decoder.conv_in.weight": (8, 4, 3, 3), "decoder.conv_in.bias": (8,), "encoder.x": (3, 5), "e": ()}


def raw(header: object, content: bytes = b"", length: int | None = None) -> bytes:
    """Return a safetensors file with this header, whatever it says."""
    data = header if isinstance(header, bytes) else json.dumps(header).encode()
    return (len(data) if length is None else length).to_bytes(8, "little") + data + content


def entry(shape: object, offsets: object, dtype: object = "F32", **more: object) -> Entry:
    return {"dtype": dtype, "shape": shape, "data_offsets": offsets, **more}


class _Code:
    """What a pickle may do when it is read."""

    def __reduce__(self) -> tuple[Callable[[str], object], tuple[str]]:
        return (exec, ("raise SystemExit('a pickle ran')",))


def zipped() -> bytes:
    import io

    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as file:
        file.writestr("archive/data.pkl", pickle.dumps(_Code()))
    return data.getvalue()


HOSTILE: dict[str, tuple[bytes, str]] = {
    # the file, and what is said of it
    "nothing": (b"", "is empty: fetch it again"),
    "seven bytes": (b"1234567", "is not a whole safetensors file: fetch it again"),
    "zeros": (b"\0" * 4096, "holds zeros alone, as a download does that did not end: fetch it again"),
    "noise": (random.Random(1).randbytes(4096), "is not a whole safetensors file: fetch it again"),
    "a pickle": (pickle.dumps(_Code()), "is a pickle, which can run code, so it is not read: use a safetensors of"),
    "an old pickle": (pickle.dumps(_Code(), 2), "is a pickle, which can run code, so it is not read"),
    "a pickle of PyTorch": (zipped(), "is a pickle, which can run code, so it is not read"),
    "a web page": (b"<!DOCTYPE html>\n<html><body>Log in" + b" " * 600, "is a web page, which a site sent in"),
    "a pointer of Git LFS": (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\n", "with git lfs pull"),
    "a header of 2 GB": (raw(b"{}", b" " * 100, 2_000_000_000), "is not a whole safetensors file"),
    "a header longer than the file": (raw({}, length=500), "is not a whole safetensors file"),
    "a header of 2**63": (raw({}, length=2**63), "is not a whole safetensors file"),
    "no JSON": (raw(b"{nonsense"), "is not a safetensors file"),
    "a list": (raw([1, 2]), "is not a safetensors file"),
    "deep JSON": (raw(b"[" * 500_000), "is not a safetensors file"),
    "deep JSON in an entry": (raw(b'{"a":' + b'{"x":' * 200_000), "is not a safetensors file"),
    "an entry that is a number": (raw({"a": 5}), "is not a safetensors file"),
    "an entry without offsets": (raw({"a": {"dtype": "F32", "shape": [1]}}), "is not a safetensors file"),
    "offsets that are text": (raw({"a": entry([1], ["0", "4"])}, b"1234"), "is not a safetensors file"),
    "offsets with fractions": (raw({"a": entry([1], [0.0, 4.0])}, b"1234"), "is not a safetensors file"),
    "three offsets": (raw({"a": entry([1], [0, 4, 8])}, b"1234"), "is not a safetensors file"),
    "offsets that are true": (raw({"a": entry([], [False, True], "U8")}, b"1"), "is not a safetensors file"),
    "negative offsets": (raw({"a": entry([1], [-4, 0])}, b"1234"), "is not as long as its shape says"),
    "backward offsets": (raw({"a": entry([1], [4, 0])}, b"1234"), "is not as long as its shape says"),
    "offsets out of the file": (raw({"a": entry([1], [0, 4])}), "is cut short by 4 bytes: fetch it again"),
    "far offsets": (raw({"a": entry([1], [2**60, 2**60 + 4])}, b"1234"), "does not lie where the tensor before"),
    "overlapping tensors": (
        raw({"a": entry([2], [0, 8]), "b": entry([2], [4, 12])}, b"0" * 12),
        "'b' does not lie where the tensor before it ends",
    ),
    "one place for two": (
        raw({"a": entry([2], [0, 8]), "b": entry([2], [0, 8])}, b"0" * 8),
        "does not lie where the tensor before it ends",
    ),
    "a hole": (raw({"a": entry([1], [0, 4]), "b": entry([1], [8, 12])}, b"0" * 12), "'b' does not lie where"),
    "bytes behind the end": (raw({"a": entry([1], [0, 4])}, b"0" * 9), "has 5 bytes that belong to no tensor"),
    "a shape of more than its bytes": (raw({"a": entry([1000], [0, 4])}, b"0" * 4), "is not as long as its shape says"),
    "a huge shape": (raw({"a": entry([2**62, 2**62], [0, 4])}, b"0" * 4), "is not as long as its shape says"),
    "a negative shape": (raw({"a": entry([-1, -1], [0, 4])}, b"0" * 4), "'a' has no possible shape"),
    "a shape of text": (raw({"a": entry(["1"], [0, 4])}, b"0" * 4), "'a' has no possible shape"),
    "a shape that is a number": (raw({"a": entry(5, [0, 4])}, b"0" * 4), "is not a safetensors file"),
    "a thousand axes": (raw({"a": entry([1] * 1000, [0, 4])}, b"0" * 4), "'a' has no possible shape"),
    "numbers of tomorrow": (raw({"a": entry([1], [0, 4], "F31")}, b"0" * 4), "that is not known, 'F31': use one in"),
    "a kind that is a list": (raw({"a": entry([1], [0, 4], ["F32"])}, b"0" * 4), "is not a safetensors file"),
    "a number of 5,000 digits": (raw(b'{"a": ' + b"9" * 5000 + b"}"), "is not a safetensors file"),
    "a long name": (raw({"n" * 100_000: entry([2], [0, 4])}, b"0" * 4), "is not as long as its shape says"),
    "a GGUF that ends": (b"GGUF", "is cut short in its header, or has one of no end"),
    "a GGUF of the first version": (b"GGUF" + struct.pack("<I", 1) + b"\0" * 50, "is a GGUF file of version 1"),
    "a GGUF of another byte order": (b"GGUF" + struct.pack(">I", 3) + b"\0" * 50, "is a GGUF file of version 50331648"),
    "a GGUF of 2**60 tensors": (b"GGUF" + struct.pack("<IQQ", 3, 2**60, 0), "that it has 1,152,921,504,606,846,976"),
    "a GGUF of 2**60 keys": (b"GGUF" + struct.pack("<IQQ", 3, 0, 2**60), "has a damaged header"),
    "a GGUF with a name of 2**60": (b"GGUF" + struct.pack("<IQQQ", 3, 0, 1, 2**60), "a name of 1,152,921,504,606"),
    "a GGUF with a list of 2**60": (
        b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + gguf_key("a", "")[:9] + struct.pack("<IIQ", 9, 8, 2**60),
        "a list of 1,152,921,504,606,846,976 values",
    ),
    "a GGUF with lists in lists": (
        b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + gguf_key("a", "")[:9] + struct.pack("<IIQI", 9, 9, 1, 9),
        "a list of 1 values of kind 9",
    ),
    "a GGUF with a kind of tomorrow": (
        b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + gguf_key("a", "")[:9] + struct.pack("<I", 77),
        "'a' is of a kind that is not known, 77",
    ),
    "a GGUF with numbers of tomorrow": (
        b"GGUF" + struct.pack("<IQQ", 3, 1, 0) + gguf_key("a", "")[:9] + struct.pack("<IQIQ", 1, 4, 999, 0),
        "type 999 of ggml: use one in Q8_0 or Q4_K",
    ),
    "a GGUF with broken rows": (
        b"GGUF" + struct.pack("<IQQ", 3, 1, 0) + gguf_key("a", "")[:9] + struct.pack("<IQIQ", 1, 5, 8, 0),
        "the rows of 'a' are not made of blocks of 32",
    ),
    "a GGUF with 99 axes": (
        b"GGUF" + struct.pack("<IQQ", 3, 1, 0) + gguf_key("a", "")[:9] + struct.pack("<I", 99),
        "'a' has 99 axes",
    ),
    "a GGUF with tensors far away": (
        b"GGUF" + struct.pack("<IQQ", 3, 1, 0) + gguf_key("a", "")[:9] + struct.pack("<IQIQ", 1, 4, 0, 2**60),
        "is cut short by",
    ),
    "a GGUF with an odd alignment": (
        gguf_header({"a": (32,)}, "F32", {"general.alignment": 7})[0], "its tensors are aligned to 7",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_no_model_is_told_with_its_remedy(tmp_path: Path, name: str) -> None:
    data, words = HOSTILE[name]
    path = tmp_path / "evil.safetensors"
    path.write_bytes(data)
    with pytest.raises(ValueError, match=r"^(is|has|holds|was) ") as raised:
        detect(path)
    assert words in say(raised.value)
    shown = look_at("evil.safetensors", path)
    assert shown.kind == "file"
    assert shown.problem is not None
    assert shown.problem.startswith(f"{path} {raised.value}: ")
    assert len(shown.problem) < 500


def test_a_header_that_is_too_long_but_there(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    with path.open("wb") as file:
        file.write((2_000_000_000).to_bytes(8, "little"))
        file.truncate(3_000_000_000)
    with pytest.raises(ValueError, match="has a header of more than 8,000,000 bytes"):
        detect(path)


def test_two_tensors_of_one_name(tmp_path: Path) -> None:
    one = gguf_header({"a": (4,)}, "F32")[0]
    tensor = gguf_key("a", "")[:9] + struct.pack("<IQIQ", 1, 4, 0, 0)
    (tmp_path / "a.gguf").write_bytes(one[:8] + struct.pack("<QQ", 2, 0) + tensor * 2 + b"\0" * 100)
    with pytest.raises(ValueError, match="two tensors have one name"):
        detect(tmp_path / "a.gguf")


def test_tensors_of_a_gguf_that_overlap(tmp_path: Path) -> None:
    tensors = b"".join(gguf_key(name, "")[:9] + struct.pack("<IQIQ", 1, 32, 0, 64 * at) for at, name in enumerate("ab"))
    (tmp_path / "a.gguf").write_bytes(b"GGUF" + struct.pack("<IQQ", 3, 2, 0) + tensors + b"\0" * 500)
    with pytest.raises(ValueError, match="'b' lies in another tensor"):
        detect(tmp_path / "a.gguf")


@pytest.mark.parametrize("suffix", [".ckpt", ".pt", ".pth", ".bin", ".safetensors", ".sft", ".gguf"])
def test_a_pickle_is_read_under_no_name(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"evil{suffix}"
    path.write_bytes(pickle.dumps(_Code()))
    problem = look_at(path.name, path).problem
    assert problem == f"{path} is a pickle, which can run code, so it is not read: use a safetensors of the same model."


def test_the_first_bytes_tell_the_format_and_not_the_name(tmp_path: Path) -> None:
    assert detect(write_gguf(tmp_path / "a.safetensors", SMALL, "F16")).container == "gguf"
    assert detect(write_file(tmp_path / "a.gguf", SMALL)).container == "safetensors"


def test_a_file_that_is_cut_short_anywhere(tmp_path: Path) -> None:
    for write in (write_file, write_gguf):
        whole = write(tmp_path / "a", SMALL, "F16").read_bytes()
        detect(tmp_path / "a")
        padding = len(whole) - 2 if write is write_gguf else len(whole)  # The last tensor's padding may be missing.
        for length in range(0, padding, 7 if padding > 300 else 1):
            (tmp_path / "b").write_bytes(whole[:length])
            if write is write_gguf and length > len(whole) - 32:
                continue
            with pytest.raises(ValueError, match=r"^(is|has|holds) "):
                detect(tmp_path / "b")


def mutated(data: bytes, chance: random.Random) -> bytes:
    """Return a file that somebody or a bad disk changed: bytes flipped, cut out, put in twice, numbers made large."""
    changed = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 5, 20))):
        at = chance.randrange(len(changed)) if changed else 0
        match chance.randrange(6):
            case 0:
                changed[at : at + 1] = bytes([chance.randrange(256)])
            case 1:
                del changed[at : at + chance.randrange(1, 9)]
            case 2:
                changed[at:at] = changed[at : at + chance.randrange(1, 40)]
            case 3:
                changed[at : at + 8] = chance.choice((0, 1, 2**31, 2**63, 2**64 - 1)).to_bytes(8, "little")
            case 4:
                changed[at:at] = chance.choice((b"[", b"{", b'"', b"-", b"1e999", b"\\u0000", b"null", b"\xff"))
            case _:
                changed[:8] = chance.randrange(2 * len(data)).to_bytes(8, "little")
    return bytes(changed)


@pytest.mark.parametrize("seed", range(8))
def test_no_change_of_a_file_raises_anything_else(tmp_path: Path, seed: int) -> None:
    """And what is found whole is what the library loads."""
    chance = random.Random(seed)
    safetensors = write_file(tmp_path / "a", SMALL, metadata={"a": "b", "modelspec.title": "x"}).read_bytes()
    keys: dict[str, str | int | list[int] | list[str]] = {
        "general.architecture": "flux", "list": [1, 2, 3], "tokens": ["a", "b"], "comfy.gguf.orig_shape.e": [1, 1],
    }  # fmt: skip
    gguf = write_gguf(tmp_path / "a", {"token_embd.weight": (2, 32), "blk.0.attn_q.weight": (2, 32)}, "Q8_0", keys)
    path = tmp_path / "b.safetensors"
    for data in (safetensors, gguf.read_bytes()):
        for _ in range(250):
            path.write_bytes(mutated(data, chance))
            try:
                found = detect(path)
            except ValueError as error:
                assert 0 < len(say(error)) < 400
                continue
            assert found.role
            if found.container == "safetensors":
                with safe_open(path, framework="numpy") as opened:
                    assert set(opened.keys()) == set(read_tensor_header(path).tensors)
