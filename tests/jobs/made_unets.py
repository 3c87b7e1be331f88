"""All tensors of the checkpoints that most people have, by name and shape, as Stability's files have them."""

from collections.abc import Iterator

Shape = tuple[int, ...]
Shapes = dict[str, Shape]
UNET, VAE = "model.diffusion_model.", "first_stage_model."


def _layer(name: str, shape: Shape) -> Iterator[tuple[str, Shape]]:
    """Yield weight and bias of a layer; of a norm where the shape is one number."""
    yield f"{name}.weight", shape
    yield f"{name}.bias", shape[:1]


def _resnet(name: str, taken: int, made: int, told: int) -> Iterator[tuple[str, Shape]]:
    yield from _layer(f"{name}.in_layers.0", (taken,))
    yield from _layer(f"{name}.in_layers.2", (made, taken, 3, 3))
    yield from _layer(f"{name}.emb_layers.1", (made, told))
    yield from _layer(f"{name}.out_layers.0", (made,))
    yield from _layer(f"{name}.out_layers.3", (made, made, 3, 3))
    if taken != made:
        yield from _layer(f"{name}.skip_connection", (made, taken, 1, 1))


def _transformer(name: str, width: int, depth: int, words: int, linear: bool) -> Iterator[tuple[str, Shape]]:
    edge: Shape = (width, width) if linear else (width, width, 1, 1)
    yield from _layer(f"{name}.norm", (width,))
    yield from _layer(f"{name}.proj_in", edge)
    for number in range(depth):
        block = f"{name}.transformer_blocks.{number}"
        for attention, keys in (("attn1", width), ("attn2", words)):
            yield f"{block}.{attention}.to_q.weight", (width, width)
            yield f"{block}.{attention}.to_k.weight", (width, keys)
            yield f"{block}.{attention}.to_v.weight", (width, keys)
            yield from _layer(f"{block}.{attention}.to_out.0", (width, width))
        yield from _layer(f"{block}.ff.net.0.proj", (8 * width, width))
        yield from _layer(f"{block}.ff.net.2", (width, 4 * width))
        for norm in ("norm1", "norm2", "norm3"):
            yield from _layer(f"{block}.{norm}", (width,))
    yield from _layer(f"{name}.proj_out", edge)


def unet(
    words: int = 768,
    channels: int = 4,
    first: int = 320,
    widths: tuple[int, ...] = (1, 2, 4, 4),
    depths: tuple[int, ...] = (1, 1, 1, 0),
    middle: int = 1,
    told: int | None = None,
    linear: bool = False,
) -> Shapes:
    """Return the tensors of a UNet. `told` is how many numbers it is told beside the words."""
    emb = 4 * first
    made: Shapes = {**dict(_layer("time_embed.0", (emb, first))), **dict(_layer("time_embed.2", (emb, emb)))}
    if told is not None:
        made |= {**dict(_layer("label_emb.0.0", (emb, told))), **dict(_layer("label_emb.0.2", (emb, emb)))}
    made |= dict(_layer("input_blocks.0.0", (first, channels, 3, 3)))
    width, place, skips = first, 1, [first]
    for level, (times, depth) in enumerate(zip(widths, depths, strict=True)):
        for _ in range(2):
            made |= dict(_resnet(f"input_blocks.{place}.0", width, first * times, emb))
            width = first * times
            if depth:
                made |= dict(_transformer(f"input_blocks.{place}.1", width, depth, words, linear))
            skips.append(width)
            place += 1
        if level < len(widths) - 1:
            made |= dict(_layer(f"input_blocks.{place}.0.op", (width, width, 3, 3)))
            skips.append(width)
            place += 1
    made |= dict(_resnet("middle_block.0", width, width, emb))
    made |= dict(_transformer("middle_block.1", width, middle, words, linear))
    made |= dict(_resnet("middle_block.2", width, width, emb))
    place = 0
    for level in reversed(range(len(widths))):
        for number in range(3):
            made |= dict(_resnet(f"output_blocks.{place}.0", width + skips.pop(), first * widths[level], emb))
            width = first * widths[level]
            if depths[level]:
                made |= dict(_transformer(f"output_blocks.{place}.1", width, depths[level], words, linear))
            if level and number == 2:
                made |= dict(_layer(f"output_blocks.{place}.{2 if depths[level] else 1}.conv", (width, width, 3, 3)))
            place += 1
    return made | dict(_layer("out.0", (width,))) | dict(_layer("out.2", (4, width, 3, 3)))


def vae() -> Shapes:
    """Return the tensors of Stable Diffusion's VAE."""
    made: Shapes = dict(_layer("quant_conv", (8, 8, 1, 1))) | dict(_layer("post_quant_conv", (4, 4, 1, 1)))
    widths = (128, 256, 512, 512)
    for side, ends, count in (("encoder", (3, 8), 2), ("decoder", (4, 3), 3)):
        order = widths if side == "encoder" else widths[::-1]
        width = order[0]
        made |= dict(_layer(f"{side}.conv_in", (width, ends[0], 3, 3)))
        for level, wanted in enumerate(order):
            name = f"{side}.down.{level}" if side == "encoder" else f"{side}.up.{3 - level}"
            for number in range(count):
                made |= dict(_vae_resnet(f"{name}.block.{number}", width, wanted))
                width = wanted
            if level < 3:
                sample = "downsample" if side == "encoder" else "upsample"
                made |= dict(_layer(f"{name}.{sample}.conv", (width, width, 3, 3)))
        for block in ("block_1", "block_2"):
            made |= dict(_vae_resnet(f"{side}.mid.{block}", 512, 512))
        made |= dict(_layer(f"{side}.mid.attn_1.norm", (512,)))
        for part in ("q", "k", "v", "proj_out"):
            made |= dict(_layer(f"{side}.mid.attn_1.{part}", (512, 512, 1, 1)))
        made |= dict(_layer(f"{side}.norm_out", (width,))) | dict(_layer(f"{side}.conv_out", (ends[1], width, 3, 3)))
    return made


def _vae_resnet(name: str, taken: int, made: int) -> Iterator[tuple[str, Shape]]:
    yield from _layer(f"{name}.norm1", (taken,))
    yield from _layer(f"{name}.conv1", (made, taken, 3, 3))
    yield from _layer(f"{name}.norm2", (made,))
    yield from _layer(f"{name}.conv2", (made, made, 3, 3))
    if taken != made:
        yield from _layer(f"{name}.nin_shortcut", (made, taken, 1, 1))


def clip(layers: int = 12, width: int = 768, inner: int = 3072) -> Shapes:
    """Return the tensors of a text encoder of CLIP under the names of transformers 4."""
    made: Shapes = {
        "text_model.embeddings.token_embedding.weight": (49408, width),
        "text_model.embeddings.position_embedding.weight": (77, width),
    }
    for number in range(layers):
        layer = f"text_model.encoder.layers.{number}"
        for part in ("k_proj", "v_proj", "q_proj", "out_proj"):
            made |= dict(_layer(f"{layer}.self_attn.{part}", (width, width)))
        made |= dict(_layer(f"{layer}.layer_norm1", (width,))) | dict(_layer(f"{layer}.layer_norm2", (width,)))
        made |= dict(_layer(f"{layer}.mlp.fc1", (inner, width))) | dict(_layer(f"{layer}.mlp.fc2", (width, inner)))
    return made | dict(_layer("text_model.final_layer_norm", (width,)))


def open_clip(layers: int, width: int) -> Shapes:
    """Return the tensors of a text encoder of OpenCLIP."""
    made: Shapes = {
        "token_embedding.weight": (49408, width), "positional_embedding": (77, width),
        "text_projection": (width, width), "logit_scale": (),
    }  # fmt: skip
    for number in range(layers):
        layer = f"transformer.resblocks.{number}"
        made |= {f"{layer}.attn.in_proj_weight": (3 * width, width), f"{layer}.attn.in_proj_bias": (3 * width,)}
        made |= dict(_layer(f"{layer}.attn.out_proj", (width, width)))
        made |= dict(_layer(f"{layer}.ln_1", (width,))) | dict(_layer(f"{layer}.ln_2", (width,)))
        made |= dict(_layer(f"{layer}.mlp.c_fc", (4 * width, width)))
        made |= dict(_layer(f"{layer}.mlp.c_proj", (width, 4 * width)))
    return made | dict(_layer("ln_final", (width,)))


def under(prefix: str, shapes: Shapes) -> Shapes:
    """Return the tensors with `prefix` before their names."""
    return {prefix + name: shape for name, shape in shapes.items()}


def sd1(channels: int = 4) -> Shapes:
    """Return a whole Stable Diffusion 1.5, or its inpainting (9 channels) or instruct (8) kin."""
    return {
        **under("cond_stage_model.transformer.", clip()), **under(VAE, vae()), **under(UNET, unet(channels=channels)),
    }  # fmt: skip


def sd2_unet(channels: int = 4, told: int | None = None) -> Shapes:
    """Return the UNet of Stable Diffusion 2."""
    return unet(words=1024, channels=channels, told=told, linear=True)


def sd2() -> Shapes:
    """Return a whole Stable Diffusion 2."""
    return {
        **under("cond_stage_model.model.", open_clip(24, 1024)), **under(VAE, vae()), **under(UNET, sd2_unet()),
    }  # fmt: skip


def sdxl_unet(channels: int = 4, depths: tuple[int, int, int] = (0, 2, 10)) -> Shapes:
    """Return the UNet of Stable Diffusion XL."""
    return unet(2048, channels, widths=(1, 2, 4), depths=depths, middle=depths[-1], told=2816, linear=True)


def sdxl() -> Shapes:
    """Return a whole Stable Diffusion XL."""
    return {
        **under("conditioner.embedders.0.transformer.", clip()),
        **under("conditioner.embedders.1.model.", open_clip(32, 1280)),
        **under(VAE, vae()),
        **under(UNET, sdxl_unet()),
    }


def refiner_unet() -> Shapes:
    """Return the UNet of the refiner of Stable Diffusion XL."""
    return unet(1280, first=384, depths=(0, 4, 4, 0), middle=4, told=2560, linear=True)


def refiner() -> Shapes:
    """Return a whole refiner of Stable Diffusion XL."""
    return {
        **under("conditioner.embedders.0.model.", open_clip(32, 1280)), **under(VAE, vae()),
        **under(UNET, refiner_unet()),
    }  # fmt: skip


def signs(shapes: Shapes) -> Shapes:
    """Return the few tensors of a UNet that tell what it is: a file with these alone is found to be the same."""
    return {
        name: shape
        for name, shape in shapes.items()
        if name.endswith("attn2.to_k.weight") or not name.startswith(("output_blocks", "input_blocks", "middle_block"))
        or name.startswith("input_blocks.0.0.") or name.endswith("output_blocks.11.1.transformer_blocks.0.norm1.bias")
    }  # fmt: skip
