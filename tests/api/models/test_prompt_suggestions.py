"""What a prompt may go on with, over REST."""

import httpx

from modules.api.services import Services
from tests.jobs.made_networks import make_embedding, make_lora


async def suggested(client: httpx.AsyncClient, **asked: str) -> tuple[str, list[tuple[str, str, str]]]:
    answer = (await client.get("/sdapi/v1/prompt-suggestions", params=asked)).json()
    return answer["typed"], [(one["kind"], one["label"], one["insert"]) for one in answer["suggestions"]]


async def test_words_go_on_as_styles_and_tags_and_others_as_wildcards(
    client: httpx.AsyncClient, services: Services
) -> None:
    for folder in (services.folder.tags, services.folder.wildcards):
        folder.mkdir(parents=True)
    (services.folder.tags / "tags.csv").write_text('red_hair_(long),0,500,"ginger"\nred_eyes,0,700\n')
    (services.folder.wildcards / "colours.txt").write_text("red\n")
    (services.folder.wildcards / "dark colours.txt").write_text("black\n")
    services.folder.styles.write_text("name,prompt\nred ink,ink of {prompt}\n")
    red = [
        ("style", "red ink", ""),
        ("tag", "red eyes", "red eyes"),
        ("tag", r"red hair \(long\)", r"red hair \(long\)"),
    ]
    assert await suggested(client, text="red") == ("red", red)
    assert await suggested(client, text="a red") == ("red", red), "of words that say nothing together the last one"
    assert await suggested(client, text="red h") == ("red h", red[2:])
    assert (await suggested(client, text="ging"))[1] == red[2:]
    assert await suggested(client, text="r") == ("r", [])
    assert await suggested(client, text="col", kind="wildcard") == (
        "col", [("wildcard", "colours", "__colours__"), ("wildcard", "dark colours", "__dark colours__")],
    )  # fmt: skip


async def test_networks_are_offered_that_go_with_the_model(client: httpx.AsyncClient, services: Services) -> None:
    folder = services.catalogue.folders[0]
    make_lora(folder / "Lora" / "pixel.safetensors")
    make_lora(folder / "Lora" / "pixel-cut.safetensors").write_bytes(b"short")
    make_embedding(folder / "embeddings" / "pixie.safetensors", vectors=2)
    services.catalogue.refresh()
    assert (await suggested(client, text="pix", kind="lora"))[1] == [("lora", "pixel", "<lora:pixel:1>")]
    assert (await suggested(client, text="a pix"))[1] == [("embedding", "pixie", "pixie")]
    assert (await suggested(client, text="pix", kind="lora", fits="gone"))[1], "a model that has gone is no reason"


async def test_what_is_not_offered_is_refused(client: httpx.AsyncClient) -> None:
    for asked in ({"kind": "checkpoint"}, {"text": "x" * 101}):
        answer = await client.get("/sdapi/v1/prompt-suggestions", params=asked)
        assert (answer.status_code, answer.json()["detail"][0]["loc"][-1]) == (422, "kind")
