"""What people paste."""

import pytest

from modules.errors import InvalidRequest
from modules.hub.address import Address, parse_address


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("org/name", Address("org/name")),
        (" org/name ", Address("org/name")),
        ("https://huggingface.co/org/name", Address("org/name")),
        ("huggingface.co/org/name/", Address("org/name")),
        ("https://hf.co/org/na.me-1?library=diffusers", Address("org/na.me-1")),
        ("https://huggingface.co/org/name/tree/fp16", Address("org/name", "fp16")),
        ("https://huggingface.co/org/name/blob/main/a.safetensors", Address("org/name", "main", "a.safetensors")),
        (
            "https://huggingface.co/org/name/resolve/refs%2Fpr%2F1/sub/a%20b.safetensors?download=true",
            Address("org/name", "refs/pr/1", "sub/a b.safetensors"),
        ),
        ("org/name/vae/a.safetensors", Address("org/name", None, "vae/a.safetensors")),
    ],
)
def test_a_model_on_the_hub(text: str, address: Address) -> None:
    assert parse_address(text) == address


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is no model"),
        (None, "is no model"),
        ("name", "is no model"),
        ("https://civitai.com/models/1", "is on civitai.com"),
        ("https://huggingface.co.evil.com/org/name", "is on huggingface.co.evil.com"),
        ("https://user@huggingface.co/org/name", "is on user@huggingface.co"),
        ("file:///etc/passwd", "is no address of the Hub"),
        ("https://huggingface.co/datasets/org/name", "is no model"),
        ("https://huggingface.co/org/name/blob/main/a.ckpt", "may be a pickle"),
        ("https://huggingface.co/org/name/blob/main/../../../a.safetensors", "names no file"),
        ("https://huggingface.co/org/name/blob/..%2f../a.safetensors", "names no revision"),
        ("https://huggingface.co/org/name/discussions/1", "is no model and no file"),
        ("../../etc", "is no model"),
        ("x" * 700, "is no model"),
    ],
)
def test_anything_else_is_refused_with_the_remedy(text: object, says: str) -> None:
    with pytest.raises(InvalidRequest, match="use org/name, or the address") as refusal:
        parse_address(text)
    assert says in str(refusal.value)


def test_a_mirror_is_the_hub_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9/")
    assert parse_address("http://127.0.0.1:9/org/name") == Address("org/name")
