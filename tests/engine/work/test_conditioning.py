"""What the denoiser is told at each of its calls, and what becomes of its answers to several prompts."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch

from modules.engine.families.telling import Told
from modules.engine.models.loaded_model import LoadedModel
from modules.engine.samplers.estimate import Step
from modules.engine.samplers.state import SamplingState, pack, unpack
from modules.engine.stopping.cancel import Cancel
from modules.engine.work.sampling import Batch
from modules.engine.work.unread_weights import describe_unread_weights
from modules.errors import Interrupted, ModelError
from modules.jobs.kinds.base import Enlarging, PictureWords, ResolvedJob, Words
from modules.shared_state import State
from tests.engine.tiny_models.registry import tiny_model
from tests.engine.tiny_models.trial import Trial
from tests.engine.work.scripted import batch_of, drawn, job, script_of

SDXL, Z_IMAGE, QWEN, FLUX_2 = (
    "StableDiffusionXLPipeline", "ZImagePipeline", "QwenImagePipeline", "Flux2Pipeline"
)  # fmt: skip


@pytest.fixture(scope="module")
def plain(load: Callable[..., LoadedModel]) -> LoadedModel:
    return load("plain")


@pytest.fixture(scope="module")
def tiny(plain: LoadedModel, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], LoadedModel]:
    made: dict[str, LoadedModel] = {"plain": plain}

    def model_of(row: str) -> LoadedModel:
        if row not in made:
            made[row] = Trial(tiny_model(row), Path(tmp_path_factory.mktemp("tiny"))).model
        return made[row]

    return model_of


@contextmanager
def heard(model: LoadedModel) -> Iterator[list[torch.Tensor]]:
    """Yield the words that the UNet itself gets, call by call: (batch, tokens, width)."""
    told: list[torch.Tensor] = []
    hook = model.denoiser.mid_block.register_forward_pre_hook(
        lambda _module, _inputs, named: told.append(named["encoder_hidden_states"]), with_kwargs=True
    )
    try:
        yield told
    finally:
        hook.remove()


def said(model: LoadedModel, told: Sequence[torch.Tensor], texts: dict[str, str], half: int = 1) -> str:
    """Return which of the texts, by a letter, the denoiser was told at each call in one half of its batch."""
    words = {}
    for letter, text in texts.items():
        with torch.inference_mode():
            words[letter] = script_of(model, job(text, cfg_scale=1.0), 0, [0]).first["prompt_embeds"]
    return "".join(
        next(letter for letter, one in words.items() if torch.equal(call.chunk(2)[half], one)) for call in told
    )


TEXTS = {"c": "a cat", "d": "a dog", "b": "blue", "r": "red"}


@pytest.mark.parametrize(
    ("sampler", "prompt", "positive", "negative"),
    [
        ("Euler", "a [cat:dog:2]", "cccdd", "bbrrr"),
        ("Euler", "a [cat:dog:0.5]", "cccdd", "bbrrr"),
        ("Euler", "a [cat|dog]", "ccdcd", "bbrrr"),
        ("Heun", "a [cat:dog:0.5]", "ccccccddd", "bbrrrrrrr"),
        ("DPM2", "a [cat:dog:3]", "ccccddddd", "bbrrrrrrr"),
    ],
)
def test_words_change_at_their_call_of_the_denoiser(
    plain: LoadedModel, sampler: str, prompt: str, positive: str, negative: str
) -> None:
    """A1111 counts calls, from 0, and what ends with step 2 holds up to call 2."""
    with heard(plain) as told:
        drawn(plain, job(prompt, "[blue:red:1]", sampler_name=sampler))
    assert said(plain, told, TEXTS) == positive
    assert said(plain, told, TEXTS, half=0) == negative
    assert "forward" not in vars(plain.denoiser)


def test_words_of_a_second_pass_are_its_own_and_count_from_its_beginning(plain: LoadedModel) -> None:
    what = job("a [cat:dog:1.5]", "blue", steps=2)
    second = what.passes[0].model_copy(update={"steps": 8, "begin": 4, "enlarging": Enlarging(upscaler="Latent")})
    own = second.model_copy(update={"words": Words(prompt="a [dog:cat:3]", negative_prompt="red", syntax="a1111")})
    for passes, positive, negative in (
        ((what.passes[0], second), "cccccd", "bbbbbb"),
        ((what.passes[0], own), "ccddcc", "bbrrrr"),
    ):
        with heard(plain) as told:
            drawn(plain, what.model_copy(update={"passes": passes}))
        assert (said(plain, told, TEXTS), said(plain, told, TEXTS, half=0)) == (positive, negative)


def test_a_refiner_goes_on_with_the_steps_of_the_first_model(plain: LoadedModel) -> None:
    what = job("a [cat:dog:3]", steps=6)
    one = what.passes[0]
    passes = (one.model_copy(update={"end": 3}), one.model_copy(update={"begin": 3}))
    with heard(plain) as told:
        drawn(plain, what.model_copy(update={"passes": passes}))
    assert said(plain, told, TEXTS) == "ccccdd"


@pytest.mark.parametrize("prompt", ["a [cat:dog:2] [x|y]", "a cat AND [b:c:2] :0.5"])
@pytest.mark.parametrize("sampler", ["Euler a", "Heun"])
def test_a_batch_that_stopped_amid_a_schedule_goes_on_to_the_same_bits(
    plain: LoadedModel, prompt: str, sampler: str
) -> None:
    what = job(prompt, "blue", sampler_name=sampler)
    whole = drawn(plain, what)
    kept: list[SamplingState] = []

    def keep(batch: Batch, _step: Step) -> None:
        if (state := batch.state()) is not None:
            kept.append(state)

    drawn(plain, what, watch=keep)
    for state in kept[1:-1:2]:
        tensors, rest = pack(state)
        again = unpack(tensors, json.loads(json.dumps(rest)), "cpu")
        assert torch.equal(drawn(plain, what, resume=again), whole)


def test_a_flow_family_is_told_other_words_of_another_length(tiny: Callable[[str], LoadedModel]) -> None:
    for row in (Z_IMAGE, QWEN):
        model = tiny(row)

        def samples(prompt: str, model: LoadedModel = model) -> list[torch.Tensor]:
            kept: list[torch.Tensor] = []
            drawn(model, job(prompt, "blue", steps=4), watch=lambda _batch, step: kept.append(step.sample))
            return kept

        changing, cat = samples("a [cat:bear in the snow:1]"), samples("a cat")
        assert [torch.equal(*pair) for pair in zip(changing, cat, strict=True)] == [True, True, True, False]
        assert all(map(torch.equal, samples("a [cat:bear in the snow:0]"), samples("a bear in the snow")))


# --- AND -----------------------------------------------------------------------------------------------------------


def first_answers(model: LoadedModel, what: ResolvedJob) -> dict[str, torch.Tensor]:
    """Return what the denoiser says at the first step: guided, and to either prompt alone."""
    answers: dict[str, torch.Tensor] = {}

    def watch(batch: Batch, step: Step) -> None:
        both = {"guided": step, "prompt": batch.shown("Prompt"), "negative": batch.shown("Negative prompt")}
        for name, one in both.items():
            assert one is not None
            answers.setdefault(name, one.model_output)

    drawn(model, what, watch=watch)
    return answers


@pytest.mark.parametrize("row", ["plain", SDXL, Z_IMAGE, QWEN])
def test_prompts_are_added_up_by_a1111s_formula(tiny: Callable[[str], LoadedModel], row: str) -> None:
    """For families that are asked about both prompts at once, in either order, or one after the other."""
    model = tiny(row)
    one, other = (first_answers(model, job(text, "blue", steps=2)) for text in ("a cat", " a red dog"))
    both = first_answers(model, job("a cat :1.5 AND a red dog :-0.5", "blue", steps=2))
    uncond = one["negative"]
    expected = uncond + 1.5 * (one["prompt"] - uncond) - 0.5 * (other["prompt"] - uncond)
    torch.testing.assert_close(both["prompt"], expected, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(both["negative"], uncond, rtol=1e-4, atol=1e-5)
    if row != QWEN:  # Its pipeline goes on with the length of the answer to the prompt.
        torch.testing.assert_close(both["guided"], uncond + 4 * (expected - uncond), rtol=1e-4, atol=1e-4)
    assert "forward" not in vars(model.denoiser)


@pytest.mark.parametrize("row", ["plain", FLUX_2])
def test_without_guidance_the_negative_prompt_is_asked_about_too(tiny: Callable[[str], LoadedModel], row: str) -> None:
    model = tiny(row)

    def answer(prompt: str, negative: str = "blue") -> torch.Tensor:
        return first_answers(model, job(prompt, negative, steps=2, cfg_scale=1.0))["guided"]

    cat, dog, uncond = answer("a cat"), answer(" a dog"), answer("blue")
    expected = uncond + (cat - uncond) + 0.5 * (dog - uncond)
    torch.testing.assert_close(answer("a cat AND a dog :0.5"), expected, rtol=1e-4, atol=1e-5)


def test_the_denoiser_is_asked_once_more_for_each_further_prompt_and_about_no_more_than_that(
    plain: LoadedModel,
) -> None:
    with heard(plain) as told:
        drawn(plain, job("a cat AND a dog AND a hen", "blue", steps=2), (0, 1))
    assert [len(call) for call in told] == [4, 2, 2] * 2


def test_a_part_of_the_picture_at_a_time_is_told_the_same(plain: LoadedModel) -> None:
    what = job("a [cat:dog:1] AND a hen", "blue", steps=3, width=128)
    whole = drawn(plain, what)
    assert torch.equal(drawn(plain, what, tile=128), whole)
    with heard(plain) as told:
        tiled = drawn(plain, what, tile=64)
    assert torch.isfinite(tiled).all() and not torch.equal(tiled, whole)
    assert [len(call) for call in told] == [2, 2, 2, 1, 1, 1] * 3


def test_a_job_is_stopped_between_the_prompts_of_a_step(load: Callable[..., LoadedModel]) -> None:
    state = State()
    state.begin("job")
    model = load("plain", cancel=Cancel(state))
    what = job("a cat AND a dog", "blue", steps=3)
    whole = drawn(model, what)
    with heard(model) as told:

        def stop(*_given: object) -> None:
            if len(told) == 3:
                state.interrupt()

        hook = model.denoiser.mid_block.register_forward_hook(stop)
        done: list[Step] = []
        with pytest.raises(Interrupted):
            drawn(model, what, watch=lambda _batch, step: done.append(step))
        hook.remove()
    assert (len(told), len(done)) == (3, 1)
    state.begin("job")
    assert torch.equal(drawn(model, what), whole)


def test_a_model_that_is_guided_by_a_picture_follows_a_schedule_and_refuses_and(
    load: Callable[..., LoadedModel],
) -> None:
    model = load("plain")
    denoiser = model.denoiser
    torch.manual_seed(1)
    denoiser.conv_in = torch.nn.Conv2d(8, denoiser.conv_in.out_channels, 3, padding=1)
    denoiser.register_to_config(in_channels=8)
    told = Told(torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(5)))
    with heard(model) as calls:
        drawn(model, job("a [cat:dog:1]", "blue", steps=3), told=told)
    assert [len(call) for call in calls] == [3, 3, 3]
    assert torch.equal(calls[0], calls[1]) and not torch.equal(calls[1][2], calls[2][2])
    assert torch.equal(calls[1][:2], calls[2][:2])
    with pytest.raises(ModelError, match="cannot draw prompts that are added up"):
        drawn(model, job("a cat AND a dog", "blue", steps=3), told=told)
    drawn(model, job("a cat AND a dog", "blue", steps=3, cfg_scale=1.0), told=told)


# --- Words of each picture -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("row", ["plain", SDXL, Z_IMAGE, QWEN])
def test_picture_i_of_a_batch_with_other_words_is_the_one_that_they_give_alone(
    tiny: Callable[[str], LoadedModel], row: str
) -> None:
    model = tiny(row)
    texts = ("a cat", "blue"), ("a [hen:fox in the snow:1]", ""), ("a cat AND red", "green")
    each = tuple(PictureWords(prompt=prompt, negative_prompt=negative) for prompt, negative in texts)
    what = job("", steps=3, each=each, batch_size=3)
    together = drawn(model, what, (0, 1, 2))
    for index in range(3):
        torch.testing.assert_close(together[index : index + 1], drawn(model, what, (index,)), rtol=1e-4, atol=1e-4)
    assert not torch.allclose(together[:1], drawn(model, job("a hen", "blue", steps=3)), rtol=0, atol=1e-3)


# --- Nothing is paid for what is not used --------------------------------------------------------------------------


def test_words_that_stay_the_same_are_handed_on_by_the_pipeline_alone(plain: LoadedModel) -> None:
    changed: list[bool] = []
    batch = batch_of(plain, job("a (cat:1.5)", "blue", steps=2))
    with torch.inference_mode():
        batch.sample(lambda _done, _steps, _step: changed.append("forward" in vars(plain.denoiser)))
    assert changed == [False, False]


def test_people_are_told_of_weights_that_a_model_does_not_take(tiny: Callable[[str], LoadedModel]) -> None:
    what = job("a (red cat:1.5) [by night:(in the sun):1], [rain]", "(red cat) AND x")

    def told(row: str, what: ResolvedJob) -> str | None:
        model = tiny(row)
        return describe_unread_weights(model, script_of(model, what, 0, [0]).wording, what.words)

    assert (told(FLUX_2, what) or "").partition(" takes no weights, ")[2] == (
        "so these words count as much as all others: red cat, rain, in the sun."
    )
    assert told("plain", what) is None
    assert told(FLUX_2, job("a cat [by night:in the sun:1]")) is None
    assert told(FLUX_2, job("a (red cat:1.5)", emphasis="None")) is None
    many = told(FLUX_2, job(", ".join(f"({number}{'x' * 50})" for number in range(9))))
    assert many is not None and many.endswith("… and 4 more.") and len(many) < 400
