import pytest

from modules.cmd_args import Arguments, from_environment, is_loopback, parse


def test_defaults() -> None:
    assert parse([]) == Arguments()
    assert Arguments().host == "127.0.0.1"
    assert Arguments(listen=True).host == "0.0.0.0"


def test_every_option() -> None:
    argv = ["--port", "81", "--listen", "--data-dir", "d", "--models-dir", "a", "--models-dir", "b", "--autolaunch"]
    assert parse([*argv, "--loglevel", "debug", "--skip-install", "--api-server-stop"]) == Arguments(
        command="serve", port=81, listen=True, data_dir="d", models_dir=("a", "b"), autolaunch=True, loglevel="DEBUG",
        skip_install=True, api_server_stop=True,
    )  # fmt: skip


def test_the_flags_of_other_programs_name_folders_by_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    argv = ["--ckpt-dir", "c", "--ckpt-dir", "d", "--vae-dir", "v", "--lora-dir", "serve", "--embeddings-dir", "e"]
    arguments = parse([*argv, "--extra-model-paths-config", "x.yaml", "y.yaml", "--extra-model-paths-config", "z.yaml"])
    assert arguments.ckpt_dir == ("c", "d")
    assert arguments.model_places == {
        "checkpoint": ("c", "d"),
        "vae": ("v",),
        "lora": ("serve",),
        "embedding": ("e",),
        "extra_paths": ("x.yaml", "y.yaml", "z.yaml"),
    }
    monkeypatch.setenv("STEADY_ARGS", arguments.to_json())
    assert from_environment() == arguments


def test_what_test_does_not_know_goes_to_pytest_in_order() -> None:
    arguments = parse(["--skip-install", "test", "-x", "-k", "not slow", "tests/launcher", "--lf"])
    assert arguments == Arguments(
        command="test", skip_install=True, rest=("-x", "-k", "not slow", "tests/launcher", "--lf")
    )


@pytest.mark.parametrize(
    ("argv", "command"),
    [
        (["doctor"], "doctor"),
        (["--port", "1", "doctor"], "doctor"),
        (["serve"], "serve"),
        (["--data-dir", "test"], "serve"),
    ],
)
def test_the_command_may_stand_anywhere_but_a_value_is_none(argv: list[str], command: str) -> None:
    assert parse(argv).command == command


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["--port", "70000"], "70000 is not a port: use 0 (any free one) to 65535"),
        (["--port", "x"], "x is not a port"),
        (["--loglevel", "loud"], "loud is not a log level: use one of DEBUG, INFO"),
        (["--xformers"], "--xformers is not known: `python3 launch.py --help` lists what is"),
        (["--po", "1"], "--po 1 is not known"),
    ],
)
def test_a_wrong_argument_is_named_with_exit_code_2(
    argv: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        parse(argv)
    assert ended.value.code == 2
    assert words in capsys.readouterr().err


def test_children_read_the_launchers_arguments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("STEADY_ARGS", raising=False)
    assert from_environment() == Arguments()
    arguments = Arguments(port=1, models_dir=("a", "b"), rest=("x",), api_server_stop=True)
    monkeypatch.setenv("STEADY_ARGS", arguments.to_json())
    assert from_environment() == arguments


@pytest.mark.parametrize(
    ("address", "ours"),
    [("127.0.0.1", True), ("127.8.8.8", True), ("::1", True), ("::ffff:127.0.0.1", True),
     ("192.168.1.9", False), ("::ffff:10.0.0.1", False), ("fe80::1", False), ("unknown", False), ("", False)],
)  # fmt: skip
def test_this_machine_is_known_by_its_address(address: str, ours: bool) -> None:
    assert is_loopback(address) is ours


def test_commands_are_for_those_who_are_trusted_unless_the_flag_opens_them() -> None:
    assert Arguments().refusal_of_command("stop", "10.0.0.3", trusted=True) is None
    refusal = Arguments().refusal_of_command("stop", "10.0.0.3", trusted=False)
    assert refusal is not None
    assert all(words in refusal for words in ("stop", "10.0.0.3", "--api-auth", "--api-server-stop"))
    assert Arguments(api_server_stop=True).refusal_of_command("stop", "10.0.0.3", trusted=False) is None


def test_no_password_is_handed_on_or_shown() -> None:
    argv = [
        "--api-auth",
        "anna:gull egg",
        "--gradio-auth=ben:puffin",
        "--api-auth-path",
        "a",
        "--gradio-auth-path",
        "b",
    ]
    arguments = parse(argv)
    assert (arguments.api_auth, arguments.gradio_auth) == ("anna:gull egg", "ben:puffin")
    assert (arguments.api_auth_path, arguments.gradio_auth_path) == ("a", "b")
    for text in (arguments.to_json(), repr(arguments)):
        assert "gull" not in text and "puffin" not in text


def test_a_password_that_is_a_command_is_a_password() -> None:
    assert parse(["--api-auth", "test"]).command == "serve"
    assert parse(["token", "phone", "--revoke"]).rest == ("phone", "--revoke")


@pytest.mark.parametrize(
    ("flags", "vram"),
    [([], ""), (["--medvram"], "medium"), (["--medvram-sdxl"], "medium-sdxl"), (["--lowvram"], "low")],
)
def test_a1111s_flags_for_little_memory_reach_the_engine(
    flags: list[str], vram: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STEADY_ARGS", parse(flags).to_json())
    assert from_environment().vram == vram
