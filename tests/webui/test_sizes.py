from webui.sizes import Preset, presets


def test_native_size_comes_first_and_the_shapes_keep_the_area() -> None:
    chosen = presets(1024, 1024)
    assert chosen[0] == Preset("1:1 native", 1024, 1024)
    assert [(one.label, one.width, one.height) for one in chosen[1:]] == [
        ("4:3", 1152, 896),
        ("3:4", 896, 1152),
        ("16:9", 1344, 768),
        ("9:16", 768, 1344),
    ]


def test_small_models_get_a_finer_grid() -> None:
    sides = [(one.width, one.height) for one in presets(128, 128)]
    assert sides == [(128, 128), (144, 112), (112, 144), (176, 96), (96, 176)]
    assert all(side % 8 == 0 for pair in sides for side in pair)


def test_a_model_that_is_not_square_says_only_native() -> None:
    assert presets(768, 512)[0] == Preset("native", 768, 512)
