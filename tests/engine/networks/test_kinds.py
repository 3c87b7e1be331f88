"""Each kind of adapter changes a weight as its formula says, by the test's own plain code, from a file on disk."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from modules.engine.models.devices import best_device
from modules.engine.models.loaded_model import LoadedModel
from modules.engine.models.model_cache import ModelCache
from modules.engine.networks.lora_weights import LoraWeights
from modules.engine.stopping.cancel import Cancel
from modules.shared_state import State
from tests.engine.networks.lora_files import ALPHA, RANK, Tensors, delta, kohya, numbers, pair, wanted, write

LINEAR = "mid_block.attentions.0.transformer_blocks.0.attn1.to_q"  # 32 x 32
WORDS = "mid_block.attentions.0.transformer_blocks.0.attn2.to_k"  # 32 x 16
CONV = "down_blocks.0.resnets.0.conv1"  # 16 x 16 x 3 x 3
POINT = "mid_block.attentions.0.proj_in"  # 32 x 32 x 1 x 1
NORM = "mid_block.attentions.0.norm"
S = ALPHA / RANK

# The parts of an adapter, and what it makes of a weight at full strength.
Made = tuple[Tensors, torch.Tensor]


def lora(w: torch.Tensor) -> Made:
    return kohya("m", w), w + delta(w)


def without_alpha(w: torch.Tensor) -> Made:
    return kohya("m", w, alpha=None), w + delta(w, alpha=None)


def alpha_of_nothing(w: torch.Tensor) -> Made:
    return kohya("m", w, alpha=0.0), w + delta(w, alpha=None)


def tucker(w: torch.Tensor) -> Made:
    out, into, *kernel = w.shape
    mid, up, down = numbers(3, 2, *kernel), numbers(out, 3, 1, 1, seed=1), numbers(2, into, 1, 1, seed=2)
    made = torch.einsum("nmkl,in,mj->ijkl", mid, up[:, :, 0, 0], down[:, :, 0, 0])
    parts = {"m.lora_mid.weight": mid, "m.lora_up.weight": up, "m.lora_down.weight": down, "m.alpha": torch.tensor(1.0)}
    return parts, w + made / 2


def loha(w: torch.Tensor) -> Made:
    out, into = w.shape[0], w[0].numel()
    a, b, c, d = (numbers(*shape, seed=i) for i, shape in enumerate([(out, 3), (3, into)] * 2))
    made = ((a @ b) * (c @ d) * ALPHA / 3).reshape(w.shape)
    names = ("hada_w1_a", "hada_w1_b", "hada_w2_a", "hada_w2_b")
    return {f"m.{n}": one for n, one in zip(names, (a, b, c, d), strict=True)} | _alpha(), w + made


def loha_tucker(w: torch.Tensor) -> Made:
    out, into, *kernel = w.shape
    parts, product = dict[str, torch.Tensor](), torch.ones(w.shape)
    for side in (1, 2):
        core, a, b = numbers(3, 3, *kernel, seed=side), numbers(3, out, seed=side + 5), numbers(3, into, seed=side + 9)
        parts |= {f"m.hada_t{side}": core, f"m.hada_w{side}_a": a, f"m.hada_w{side}_b": b}
        product = product * torch.einsum("ijkl,jr,ip->prkl", core, b, a)
    return parts | _alpha(), w + product * ALPHA / 3


def lokr(w: torch.Tensor) -> Made:
    first, a, b = numbers(4, 4), numbers(w.shape[0] // 4, 3, seed=1), numbers(3, w.shape[1] // 4, seed=2)
    made = torch.kron(first, a @ b) * ALPHA / 3
    return {"m.lokr_w1": first, "m.lokr_w2_a": a, "m.lokr_w2_b": b} | _alpha(), w + made


def lokr_of_two_whole(w: torch.Tensor) -> Made:
    first, second = numbers(4, 4), numbers(w.shape[0] // 4, w.shape[1] // 4, *w.shape[2:], seed=1)
    made = torch.kron(first.reshape(4, 4, *[1] * (w.ndim - 2)), second)
    return {"m.lokr_w1": first, "m.lokr_w2": second} | _alpha(), w + made  # alpha is of no account


def lokr_of_two_products(w: torch.Tensor) -> Made:
    a, b, core = numbers(4, 2), numbers(2, 4, seed=1), numbers(3, 3, *w.shape[2:], seed=2)
    c, d = numbers(3, w.shape[0] // 4, seed=3), numbers(3, w.shape[1] // 4, seed=4)
    second = torch.einsum("ijkl,jr,ip->prkl", core, d, c).contiguous()
    made = torch.kron((a @ b)[..., None, None], second) * ALPHA / 3
    parts = {"m.lokr_w1_a": a, "m.lokr_w1_b": b, "m.lokr_t2": core, "m.lokr_w2_a": c, "m.lokr_w2_b": d}
    return parts | _alpha(), w + made


def ia3(w: torch.Tensor) -> Made:
    v = numbers(w.shape[0])
    return {"m.weight": v, "m.on_input": torch.tensor(False)}, w + w * v[:, None]


def ia3_on_input(w: torch.Tensor) -> Made:
    v = numbers(w.shape[1])
    return {"m.weight": v, "m.on_input": torch.tensor(True)}, w + w * v[None]


def glora(w: torch.Tensor) -> Made:
    out, into = w.shape
    a1, a2, b1, b2 = numbers(into, 3), numbers(3, into, seed=1), numbers(out, 3, seed=2), numbers(3, into, seed=3)
    parts = {"m.a1.weight": a1, "m.a2.weight": a2, "m.b1.weight": b1, "m.b2.weight": b2} | _alpha()
    return parts, w + (w @ a1 @ a2 + b1 @ b2) * ALPHA / 3


def glora_of_before(w: torch.Tensor) -> Made:
    out, into = w.shape
    a1, a2, b1, b2 = numbers(3, into), numbers(into, 3, seed=1), numbers(3, into, seed=2), numbers(out, 3, seed=3)
    parts = {"m.a1.weight": a1, "m.a2.weight": a2, "m.b1.weight": b1, "m.b2.weight": b2} | _alpha()
    return parts, w + (w @ a2 @ a1 + b2 @ b1) * ALPHA / 3


def oft(w: torch.Tensor) -> Made:
    blocks, limit = 5 * numbers(4, w.shape[0] // 4, w.shape[0] // 4), 0.01 * w.shape[0]
    skew = blocks - blocks.transpose(1, 2)
    assert skew.norm() > limit
    skew = skew * limit / skew.norm()
    turned = []
    for one, rows in zip(skew, w.chunk(4), strict=True):
        rotation = (torch.eye(len(one)) + one) @ torch.linalg.inv(torch.eye(len(one)) - one)
        turned.append((rotation.T @ rows.flatten(1)).reshape(rows.shape))
    scaled = numbers(w.shape[0], seed=3) + 1
    made = torch.cat(turned) * scaled.reshape(-1, *[1] * (w.ndim - 1))
    parts = {"m.oft_blocks": blocks, "m.alpha": torch.tensor(0.01), "m.rescale": scaled.reshape(-1, 1)}
    return parts, made


def dora(w: torch.Tensor) -> Made:
    changed = w + delta(w)
    axes = [axis for axis in range(w.ndim) if axis != 1]
    learnt = 1 + numbers(1, w.shape[1], *[1] * (w.ndim - 2), seed=8)
    return {**kohya("m", w), "m.dora_scale": learnt}, learnt * changed / changed.square().sum(axes, keepdim=True).sqrt()


def dora_by_rows(w: torch.Tensor) -> Made:
    changed = w + delta(w)
    learnt = 1 + numbers(w.shape[0], 1, seed=8)
    return {**kohya("m", w), "m.dora_scale": learnt}, learnt * changed / changed.norm(dim=1, keepdim=True)


def dora_of_peft(w: torch.Tensor) -> Made:
    changed, (down, up) = w + delta(w, alpha=None), pair(w)
    learnt = 1 + numbers(w.shape[0], seed=8)
    parts = {"m.lora_A.weight": down, "m.lora_B.weight": up, "m.lora_magnitude_vector": learnt}
    return parts, learnt[:, None] * changed / changed.norm(dim=1, keepdim=True)


def whole(w: torch.Tensor) -> Made:
    return {"m.diff": numbers(*w.shape)}, w + numbers(*w.shape)


def replaced(w: torch.Tensor) -> Made:
    return {"m.set_weight": numbers(*w.shape)}, numbers(*w.shape)


def norm(w: torch.Tensor) -> Made:
    return {"m.w_norm": numbers(*w.shape), "m.b_norm": numbers(*w.shape, seed=1)}, w + numbers(*w.shape)


def _alpha() -> Tensors:
    return {"m.alpha": torch.tensor(ALPHA)}


@pytest.fixture(scope="module")
def model(load: Callable[..., LoadedModel]) -> LoadedModel:
    return load("plain")


@pytest.fixture(scope="module")
def loras() -> LoraWeights:
    cancel = Cancel(State())
    return LoraWeights(best_device(), cancel, ModelCache(best_device(), cancel))


CASES = [
    *((kind, path) for kind in (lora, without_alpha, alpha_of_nothing) for path in (LINEAR, WORDS, CONV, POINT)),
    (tucker, CONV), (loha, WORDS), (loha, CONV), (loha_tucker, CONV),
    (lokr, WORDS), (lokr_of_two_whole, WORDS), (lokr_of_two_whole, CONV), (lokr_of_two_products, CONV),
    (ia3, WORDS), (ia3_on_input, WORDS), (glora, WORDS), (glora, LINEAR), (glora_of_before, WORDS),
    (glora_of_before, LINEAR), (oft, WORDS), (oft, CONV), (dora, WORDS), (dora, LINEAR), (dora, CONV),
    (dora_by_rows, WORDS), (dora_of_peft, LINEAR), (whole, CONV), (replaced, WORDS), (norm, NORM),
]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "path"), CASES, ids=[f"{kind.__name__}-{path.rpartition('.')[2]}" for kind, path in CASES]
)
def test_it_changes_the_weight_as_its_formula_says_and_gives_the_bits_back(
    tmp_path: Path, model: LoadedModel, loras: LoraWeights, kind: Callable[[torch.Tensor], Made], path: str
) -> None:
    module = model.denoiser.get_submodule(path)
    before = module.weight.detach().clone()
    parts, expected = kind(before)
    named = {name.replace("m.", f"lora_unet_{path.replace('.', '_')}.", 1): one for name, one in parts.items()}
    file = write(tmp_path / "made.safetensors", named)
    for strength in (1.0, -0.5):
        assert loras.use(model, [wanted(file, strength)]) == ()
        torch.testing.assert_close(module.weight, before + strength * (expected - before), rtol=1e-6, atol=1e-6)
        assert not torch.equal(module.weight, before)
    loras.use(model, [])
    assert torch.equal(module.weight, before)


def test_biases_are_changed_too(tmp_path: Path, model: LoadedModel, loras: LoraWeights) -> None:
    conv, linear = (model.denoiser.get_submodule(path) for path in (CONV, "time_embedding.linear_1"))
    before = [one.bias.detach().clone() for one in (conv, linear)]
    down, up = pair(linear.weight)
    tensors = {
        f"lora_unet_{CONV.replace('.', '_')}.diff": torch.zeros(conv.weight.shape),
        f"lora_unet_{CONV.replace('.', '_')}.diff_b": numbers(len(conv.bias)),
        "unet.time_embedding.linear_1.lora_A.weight": down,
        "unet.time_embedding.linear_1.lora_B.weight": up,
        "unet.time_embedding.linear_1.lora_B.bias": numbers(len(linear.bias)),
    }
    loras.use(model, [wanted(write(tmp_path / "made.safetensors", tensors), 0.5)])
    for one, was in zip((conv, linear), before, strict=True):
        torch.testing.assert_close(one.bias, was + 0.5 * numbers(len(was)), rtol=1e-6, atol=1e-6)
    loras.use(model, [])
    assert all(torch.equal(one.bias, was) for one, was in zip((conv, linear), before, strict=True))
