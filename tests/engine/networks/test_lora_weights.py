"""LoRAs in the weights of a model, from one job to the next: what is in them, what was, and what people are told."""

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from modules.engine.families.known import FAMILIES
from modules.engine.families.word_memory import remember_words
from modules.engine.models.devices import best_device
from modules.engine.models.loaded_model import LoadedModel, ModelKey
from modules.engine.models.model_cache import ModelCache
from modules.engine.models.offload import offload
from modules.engine.networks.lora_weights import LoraWeights
from modules.engine.stopping.cancel import Cancel
from modules.errors import Interrupted, ModelError
from modules.shared_state import State
from tests.engine.networks.lora_files import delta, differing, kohya, numbers, wanted, weights_of, write
from tests.engine.tiny_models import named

QUERY = "mid_block.attentions.0.transformer_blocks.0.attn1.to_q"
CONV = "down_blocks.0.resnets.0.conv1"
WORDS = "encoder.layers.0.self_attn.q_proj"


class Bench:
    """A model, and what puts LoRAs into it."""

    def __init__(self, model: LoadedModel, state: State) -> None:
        self.model = model
        self.state = state
        self.cancel = Cancel(state)
        self.loras = LoraWeights(best_device(), self.cancel, ModelCache(best_device(), self.cancel))
        self.use = self.loras.use

    def weight(self, path: str, component: str = "unet") -> torch.Tensor:
        network: torch.nn.Module = getattr(self.model.pipeline, component)
        weight = network.get_submodule(path).weight
        assert isinstance(weight, torch.nn.Parameter)
        return weight.detach()


@pytest.fixture
def bench(load: Callable[..., LoadedModel]) -> Bench:
    return Bench(load("plain"), State())


@pytest.fixture
def ink(tmp_path: Path, bench: Bench) -> Path:
    """A LoRA on two layers of the denoiser and one of the text encoder."""
    layers = [kohya(named_by_kohya(path), bench.weight(path)) for path in (QUERY, CONV)]
    words = kohya(f"lora_te_text_model_{WORDS.replace('.', '_')}", bench.weight(WORDS, "text_encoder"), seed=3)
    return write(tmp_path / "ink.safetensors", *layers, words)


def named_by_kohya(path: str) -> str:
    return f"lora_unet_{path.replace('.', '_')}"


def close(found: torch.Tensor, expected: torch.Tensor) -> bool:
    return torch.allclose(found, expected, rtol=1e-6, atol=1e-6)


def test_both_strengths_change_what_they_are_for_and_nothing_else(bench: Bench, ink: Path) -> None:
    unet, encoder = bench.model.pipeline.unet, bench.model.pipeline.text_encoder
    before, words = weights_of(unet), weights_of(encoder)
    place, text_place = f"{QUERY}.weight", f"{WORDS}.weight"
    assert bench.use(bench.model, [wanted(ink, 0.25, 0.5)]) == ()
    assert close(bench.weight(QUERY), before[place] + 0.5 * delta(before[place]))
    assert close(bench.weight(WORDS, "text_encoder"), words[text_place] + 0.25 * delta(words[text_place], seed=3))
    assert differing(unet, before) == {place, f"{CONV}.weight"}
    assert differing(encoder, words) == {text_place}
    bench.use(bench.model, [wanted(ink, 0.0, -1.0)])
    assert close(bench.weight(QUERY), before[place] - delta(before[place]))
    assert differing(encoder, words) == set()
    for nothing in ([wanted(ink, 0.0)], []):
        bench.use(bench.model, nothing)
        assert differing(unet, before) == differing(encoder, words) == set()
        assert bench.model.changed.originals == {}


def test_words_alone_need_no_change_of_the_denoiser_and_are_read_in_another_way(bench: Bench, ink: Path) -> None:
    before = weights_of(bench.model.pipeline.unet)
    assert bench.model.changed.read_with == ""
    keys = set[str]()
    for strength in (1.0, 0.5):
        bench.use(bench.model, [wanted(ink, strength)], words_only=True)
        assert differing(bench.model.pipeline.unet, before) == set()
        keys.add(bench.model.changed.read_with)
    bench.use(bench.model, [wanted(ink, 0.5), wanted(ink, 0.5)])
    keys.add(bench.model.changed.read_with)
    assert len(keys) == 3
    assert differing(bench.model.pipeline.unet, before)
    bench.use(bench.model, [wanted(ink, 0.0, 1.0)])
    assert bench.model.changed.read_with == ""


def test_what_a_pipeline_remembers_of_words_is_forgotten_with_its_encoder(bench: Bench, ink: Path) -> None:
    family, pipeline = FAMILIES["sd1"], bench.model.pipeline
    remember_words(pipeline, family.slow)
    plain = pipeline.encode_prompt("a cat", None, 1, False)[0]
    bench.use(bench.model, [wanted(ink, 3.0)])
    assert not torch.equal(pipeline.encode_prompt("a cat", None, 1, False)[0], plain)
    bench.use(bench.model, [])
    assert torch.equal(pipeline.encode_prompt("a cat", None, 1, False)[0], plain)


def test_words_stay_remembered_where_a_lora_leaves_their_encoder_alone(tmp_path: Path, bench: Bench) -> None:
    pipeline, asked = bench.model.pipeline, list[str]()
    remember_words(pipeline, ("encode_prompt",))
    pipeline.text_encoder.register_forward_pre_hook(lambda *given: asked.append("words"))
    before = pipeline.encode_prompt("a cat", None, 1, False)[0]
    file = write(tmp_path / "unet.safetensors", kohya(named_by_kohya(QUERY), bench.weight(QUERY)))
    for strength in (1.0, 0.5):
        bench.use(bench.model, [wanted(file, strength)])
        assert pipeline.encode_prompt("a cat", None, 1, False)[0] is before
    assert asked == ["words"]


def test_two_are_added_one_named_twice_counts_twice_and_dyn_takes_the_first_ranks(
    tmp_path: Path, bench: Bench, ink: Path
) -> None:
    before = bench.weight(QUERY).clone()
    other = write(tmp_path / "other.safetensors", kohya(named_by_kohya(QUERY), before, rank=2, seed=7))
    bench.use(bench.model, [wanted(ink, 0.5), wanted(other, 2.0), wanted(ink, 0.5)])
    assert close(bench.weight(QUERY), before + delta(before) + 2 * delta(before, rank=2, seed=7))
    bench.use(bench.model, [wanted(ink, 1.0, rank_used=1)])
    down, up = numbers(4, 32), numbers(32, 4, seed=1)
    assert close(bench.weight(QUERY), before + 2.0 / 4 * up[:, :1] @ down[:1])


def test_the_strength_of_each_block(bench: Bench, ink: Path) -> None:
    before = weights_of(bench.model.pipeline.unet)
    words = bench.weight(WORDS, "text_encoder").clone()
    blocks = {"BASE": 0.5, "M00": 0.0, "IN01": 2.0}
    bench.use(bench.model, [wanted(ink, 0.5, blocks=tuple(blocks.items()))])
    assert close(bench.weight(CONV), before[f"{CONV}.weight"] + delta(before[f"{CONV}.weight"]))
    assert torch.equal(bench.weight(QUERY), before[f"{QUERY}.weight"])
    assert close(bench.weight(WORDS, "text_encoder"), words + 0.25 * delta(words, seed=3))


@pytest.mark.parametrize("interrupts_at", [1, 3, 6, 8, 9])
def test_a_stop_amid_the_change_is_put_right_by_the_next_job(bench: Bench, ink: Path, interrupts_at: int) -> None:
    before = weights_of(bench.model.pipeline.unet), weights_of(bench.model.pipeline.text_encoder)
    stops = [interrupts_at]
    check = bench.cancel.check

    def counted() -> None:
        stops[0] -= 1
        if stops[0] == 0:
            bench.state.interrupted = True
        check()

    bench.cancel.check = counted  # type: ignore[method-assign]
    with pytest.raises(Interrupted):
        bench.use(bench.model, [wanted(ink)])
        bench.use(bench.model, [wanted(ink, 0.5)])
    bench.state.interrupted = False
    bench.use(bench.model, [])
    assert differing(bench.model.pipeline.unet, before[0]) == set()
    assert differing(bench.model.pipeline.text_encoder, before[1]) == set()
    bench.use(bench.model, [wanted(ink)])
    assert close(bench.weight(QUERY), before[0][f"{QUERY}.weight"] + delta(before[0][f"{QUERY}.weight"]))


def test_layers_that_do_not_fit_are_told_of_and_a_foreign_file_does_nothing(
    tmp_path: Path, bench: Bench, ink: Path
) -> None:
    before = weights_of(bench.model.pipeline.unet)
    query, weight = named_by_kohya(QUERY), bench.weight(QUERY)
    part = write(
        tmp_path / "part.safetensors", kohya(query, weight), kohya("lora_unet_no_such_layer", weight),
        {"lora_unet_mid_block_attentions_0_proj_in.wild_w1": weight, "odd": weight},
    )  # fmt: skip
    (told,) = bench.use(bench.model, [wanted(part)])
    assert told == (
        "LoRA part is used with plain without 3 of its 4 layers: 1 that this model does not have (no_such_layer), "
        "2 of a kind that this version does not know (lora_unet_mid_block_attentions_0_proj_in.wild_w1, odd)."
    )
    assert differing(bench.model.pipeline.unet, before) == {f"{QUERY}.weight"}
    assert bench.use(bench.model, [wanted(part)]) == (told,)  # also when nothing has to be done
    words = f"{QUERY.replace('attn1', 'attn2').replace('to_q', 'to_k')}"
    wide = write(
        tmp_path / "wide.safetensors", kohya(query, weight), kohya(query.replace("to_q", "to_v"), weight),
        kohya(named_by_kohya(words), numbers(32, 24)),
    )  # fmt: skip
    (told,) = bench.use(bench.model, [wanted(wide)])
    assert told.startswith("LoRA wide does nothing with plain: its layers have other shapes than the model's (mid")
    assert differing(bench.model.pipeline.unet, before) == set()
    none = write(tmp_path / "none.safetensors", kohya("lora_unet_double_blocks_0_img_attn_qkv", weight))
    (told,) = bench.use(bench.model, [wanted(none)])
    assert told == (
        "LoRA none does nothing with plain: none of its 1 layers is one of the model's. It was made for models of "
        "another kind."
    )


def test_layers_without_a_rank_are_told_of_and_the_others_are_used(tmp_path: Path, bench: Bench) -> None:
    conv, words = named_by_kohya(CONV), f"lora_te_text_model_{WORDS.replace('.', '_')}"
    none = {f"{conv}.lora_down.weight": numbers(0, 16, 3, 3), f"{conv}.lora_up.weight": numbers(16, 0, 1, 1)}
    one = {f"{words}.lora_down.weight": torch.tensor(1.0), f"{words}.lora_up.weight": torch.tensor(1.0)}
    alpha, before = {f"{conv}.alpha": torch.tensor(1.0)}, bench.weight(QUERY).clone()
    said = {"unet.lora_alpha": 10**400, "text_encoder.lora_alpha": 8}
    good = [kohya(named_by_kohya(QUERY.replace("to_q", name)), before, alpha=None) for name in ("to_q", "to_k")]
    metadata = {"lora_adapter_metadata": json.dumps(said)}
    file = write(tmp_path / "rankless.safetensors", *good, none, one, alpha, metadata=metadata)
    (told,) = bench.use(bench.model, [wanted(file)])
    assert "without 2 of its 4 layers: 2 of other shapes than the model's" in told
    assert close(bench.weight(QUERY), before + delta(before, alpha=None))


def test_a_file_that_is_cut_short_changed_or_makes_no_numbers(tmp_path: Path, bench: Bench, ink: Path) -> None:
    before = weights_of(bench.model.pipeline.unet)
    cut = tmp_path / "cut.safetensors"
    cut.write_bytes(ink.read_bytes()[:-20])
    with pytest.raises(ModelError, match=r"cut\.safetensors is cut short by 20 bytes: fetch it again"):
        bench.use(bench.model, [wanted(cut)])
    with pytest.raises(ModelError, match="The LoRA ink was changed while it was read"):
        bench.use(bench.model, [dataclasses.replace(wanted(ink), stamp="another")])
    broken = write(
        tmp_path / "broken.safetensors", {f"{named_by_kohya(CONV)}.diff": torch.full((16, 16, 3, 3), torch.nan)}
    )
    with pytest.raises(ModelError, match="ink, broken give weights that are no numbers"):
        bench.use(bench.model, [wanted(ink), wanted(broken)])
    bench.use(bench.model, [])
    assert differing(bench.model.pipeline.unet, before) == set()


def test_alphas_in_the_metadata_of_peft(tmp_path: Path, bench: Bench) -> None:
    before = {path: bench.weight(path).clone() for path in (QUERY, CONV)}
    tensors = {
        f"unet.{path}.{new}.weight": tensor
        for path, weight in before.items()
        for new, tensor in zip(("lora_A", "lora_B"), kohya("m", weight, alpha=None).values(), strict=True)
    }
    said = {"unet.lora_alpha": 8, "unet.alpha_pattern": {"resnets.0.conv1": 2}, "unet.r": 4}
    for root in (False, True):
        metadata = {"lora_adapter_metadata": json.dumps(said | {"unet.use_rslora": root})}
        file = write(tmp_path / f"peft{root}.safetensors", tensors, metadata=metadata)
        bench.use(bench.model, [wanted(file)])
        shrunk = 2 if root else 1  # the root of the rank, where it would be the rank
        for path, alpha in ((QUERY, 8), (CONV, 2)):
            assert close(bench.weight(path), before[path] + shrunk * delta(before[path], alpha=alpha))


def test_layers_that_are_one_in_the_file_and_several_in_the_model(tmp_path: Path) -> None:
    pipeline = named.flux()
    bench = Bench(LoadedModel(ModelKey(tmp_path, "x", "float32"), FAMILIES["flux"], pipeline, None), State())
    before = weights_of(pipeline.transformer)
    block = "transformer_blocks.0.attn"
    paths = [f"{block}.to_{letter}" for letter in "qkv"]
    joined = torch.cat([before[f"{path}.weight"] for path in paths])
    turned = before["norm_out.linear.weight"]
    learnt = 1 + numbers(1, joined.shape[1], seed=5)
    file = write(
        tmp_path / "flux.safetensors", kohya("lora_unet_double_blocks_0_img_attn_qkv", joined),
        {"lora_unet_double_blocks_0_img_attn_qkv.dora_scale": learnt},
        kohya("lora_unet_final_layer_adaLN_modulation_1", turned, seed=2),
    )  # fmt: skip
    alone = write(tmp_path / "alone.safetensors", kohya(f"lora_transformer_{block.replace('.', '_')}_to_k",
                                                         before[f"{paths[1]}.weight"], seed=4))  # fmt: skip
    assert bench.use(bench.model, [wanted(file), wanted(alone)]) == ()
    made = joined + delta(joined)
    made = learnt * made / made.norm(dim=0, keepdim=True)
    for path, rows in zip(paths, made.chunk(3), strict=True):
        also = delta(before[f"{path}.weight"], seed=4) if path.endswith("to_k") else 0
        assert close(bench.weight(path, "transformer"), rows + also)
    halves = delta(turned, seed=2).chunk(2)
    assert close(bench.weight("norm_out.linear", "transformer"), turned + torch.cat(halves[::-1]))
    bench.use(bench.model, [])
    assert differing(pipeline.transformer, before) == set()


@pytest.mark.parametrize("how", ["group", "sequential"])
def test_weights_that_come_and_go_are_changed_where_they_are_kept(bench: Bench, ink: Path, how: str) -> None:
    """A network that a device holds only while it works draws as one that was changed in memory does."""
    sample, words = torch.linspace(-1, 1, 4 * 8 * 8).reshape(1, 4, 8, 8), torch.ones(1, 7, 16)

    def step() -> torch.Tensor:
        with torch.inference_mode():
            said: torch.Tensor = bench.model.denoiser(sample, 3, words, return_dict=False)[0]
        return said

    plain = step()
    bench.use(bench.model, [wanted(ink)])
    changed = step()
    bench.use(bench.model, [])
    if how == "sequential":
        from accelerate import cpu_offload

        cpu_offload(bench.model.pipeline.unet, torch.device("cpu"))
    else:
        offload(bench.model.pipeline, "group", "cpu")
    assert torch.equal(step(), plain)
    bench.use(bench.model, [wanted(ink)])
    assert torch.equal(step(), changed)
    bench.use(bench.model, [])
    assert torch.equal(step(), plain)


def test_half_precision_is_computed_in_float32(tmp_path: Path, load: Callable[..., LoadedModel]) -> None:
    bench = Bench(load("plain", dtype="bfloat16"), State())
    before = bench.weight(QUERY).clone()
    file = write(tmp_path / "half.safetensors", kohya(named_by_kohya(QUERY), before))
    bench.use(bench.model, [wanted(file)])
    assert torch.equal(bench.weight(QUERY), (before.float() + delta(before)).to(torch.bfloat16))
    bench.use(bench.model, [])
    assert torch.equal(bench.weight(QUERY), before)


def test_what_is_kept_counts_as_the_models_memory(bench: Bench, ink: Path) -> None:
    bench.use(bench.model, [wanted(ink)])
    changed = [bench.weight(QUERY), bench.weight(CONV), bench.weight(WORDS, "text_encoder")]
    assert bench.model.changed.bytes_in("cpu") == sum(one.nbytes for one in changed)
    assert bench.model.changed.bytes_in("cuda") == 0


def test_the_names_of_sdxl_and_both_its_encoders(tmp_path: Path) -> None:
    pipeline = named.stable_diffusion_xl()
    bench = Bench(LoadedModel(ModelKey(tmp_path, "x", "float32"), FAMILIES["sdxl"], pipeline, None), State())
    query = "down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q"
    words = ("text_encoder", WORDS), ("text_encoder_2", f"text_model.{WORDS}")
    before = [bench.weight(query).clone(), *(bench.weight(path, name).clone() for name, path in words)]
    file = write(
        tmp_path / "xl.safetensors",
        kohya("lora_unet_input_blocks_1_1_transformer_blocks_0_attn1_to_q", before[0]),
        kohya(f"lora_te1_text_model_{WORDS.replace('.', '_')}", before[1], seed=1),
        kohya(f"lora_te2_text_model_{WORDS.replace('.', '_')}", before[2], seed=2),
    )
    assert bench.use(bench.model, [wanted(file, 0.5, 2.0)]) == ()
    assert close(bench.weight(query), before[0] + 2 * delta(before[0]))
    for (name, path), was, seed in zip(words, before[1:], (1, 2), strict=True):
        assert close(bench.weight(path, name), was + 0.5 * delta(was, seed=seed))
    bench.use(bench.model, [])
    assert torch.equal(bench.weight(query), before[0])
