"""Hold the layers of docs/architecture.md: who may import whom, no cycles, no function that needs a scroll."""

import ast
import functools
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SOURCE_FOLDERS = ("modules", "webui")
LONGEST_FUNCTION = 60
LONGEST_FILE = 400

STANDARD_LIBRARY = frozenset(sys.stdlib_module_names)
BASE = frozenset(
    f"modules.{name}"
    for name in (
        "errors",
        "paths",
        "cmd_args",
        "late_imports",
        "open_files",
        "options",
        "setting_field",
        "drawing_settings",
        "settings",
        "saving_settings",
        "settings_file",
        "shared_state",
        "shared",
    )
)
PURE = BASE | {
    "modules.jobs",
    "modules.prompts",
    "modules.images",
    "pydantic",
    "pydantic_core",
    "PIL",
    "tokenizers",
    "yaml",
}
WEB = {"modules.api", "webui", "gradio", "app"}
ENGINE_LIBRARIES = {
    "torch", "diffusers", "transformers", "accelerate", "safetensors", "scipy", "numpy", "psutil", "peft", "spandrel",
    "gguf", "torchvision",
}  # fmt: skip

# Each room and what it may import beside the standard library and itself. The first matching prefix counts.
ROOMS: dict[str, frozenset[str]] = {
    "launch": frozenset({"modules.launcher", "modules.cmd_args"}),
    "modules.launcher": frozenset(
        {
            "modules.link",
            "modules.credentials",
            "modules.shared_state",
            "modules.cmd_args",
            "modules.open_files",
            "modules.paths",
            "modules.errors",
        }
    ),
    "modules.link": frozenset({"modules.shared_state", "modules.errors"}),
    "modules.hub": frozenset(BASE | {"modules.jobs", "huggingface_hub"}),
    "modules.credentials": frozenset({"modules.paths", "modules.errors"}),
    "modules.jobs": frozenset(PURE),
    "modules.prompts": frozenset(PURE),
    "modules.images": frozenset(PURE | {"numpy"}),
    "modules.engine": frozenset(PURE | ENGINE_LIBRARIES | {"modules.link"}),
    "modules.api": frozenset(
        PURE
        | {
            "modules.hub",
            "modules.link",
            "modules.credentials",
            "fastapi",
            "starlette",
            "uvicorn",
            "h11",
            "anyio",
            "orjson",
            "websockets",
            "psutil",
            "httpx",
        }
    ),
    "webui": frozenset(PURE | {"gradio"}),
    "app": frozenset(
        PURE
        | {
            "modules.link",
            "modules.credentials",
            "modules.api",
            "webui",
            "fastapi",
            "starlette",
            "uvicorn",
            "gradio",
            "anyio",
        }
    ),
    "modules": BASE,
}

# Within a room: the packages and modules of the same room that a package may import beside itself. What stands beside
# the packages, such as `modules.engine.worker`, puts them together and may import them all.
PACKAGES: dict[str, frozenset[str]] = {
    f"modules.{package}": frozenset(f"modules.{package.split('.')[0]}.{name}" for name in names.split())
    for package, names in {
        "jobs.inputs": "kinds lenient",
        "jobs.models": "latent_upscaling lenient samplers",
        "jobs.kinds": "models latent_upscaling lenient rows samplers version",
        "jobs.store": "outputs rows",
        "engine.families": "samplers",
        "engine.models": "families stopping",
        "engine.networks": "families models stopping",
        "engine.previews": "families models progress stopping",
        "engine.progress": "",
        "engine.samplers": "",
        "engine.captioning": "models stopping",
        "engine.stopping": "",
        "engine.upscaling": "models stopping",
        "engine.work": "engine_parts families models networks progress samplers stopping captioning upscaling",
        "api.auth": "answers services server",
        "api.jobs": "answers auth live numbers openapi sdapi services",
        "api.live": "answers auth numbers page server services",
        "api.models": "answers auth numbers openapi services",
        "api.page": "answers",
        "api.sdapi": "answers auth jobs live openapi services",
        "api.server": "answers live services",
    }.items()
}


def source_files() -> Iterator[Path]:
    """Yield every Python file of the program itself (no tests, benchmarks or training scripts)."""
    yield from (ROOT / name for name in ("launch.py", "app.py"))
    for folder in SOURCE_FOLDERS:
        yield from sorted((ROOT / folder).rglob("*.py"))


def module_name(path: Path) -> str:
    """Return the dotted name of a file of the project."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def room_of(name: str) -> str | None:
    """Return the room that a module belongs to, the most specific first."""
    fitting = [room for room in ROOMS if name == room or name.startswith(room + ".")]
    return max(fitting, key=len) if fitting else None


def only_for_types(tree: ast.Module) -> set[ast.AST]:
    """Return the nodes under `if TYPE_CHECKING:`, which import nothing when the program runs."""
    hidden: set[ast.AST] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            for statement in node.body:
                hidden.update(ast.walk(statement))
    return hidden


@functools.cache
def imports_of(path: Path) -> set[str]:
    """Return the dotted names that a file imports, inside functions too."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    hidden = only_for_types(tree)
    found: set[str] = set()
    for node in ast.walk(tree):
        if node in hidden:
            continue
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            package = module_name(path).split(".")
            if path.name != "__init__.py":
                package = package[:-1]
            base = package[: len(package) - node.level + 1] if node.level else []
            prefix = ".".join([*base, *(node.module or "").split(".")]).strip(".")
            for alias in node.names:
                joined = f"{prefix}.{alias.name}".strip(".")
                found.add(joined if is_project_module(joined) else prefix)
    return found


def is_project_module(name: str) -> bool:
    """Tell whether a dotted name is a module or a package of the project."""
    path = ROOT.joinpath(*name.split("."))
    return path.with_suffix(".py").is_file() or (path / "__init__.py").is_file()


def allowed(name: str, room: str) -> bool:
    """Tell whether a module of `room` may import `name`."""
    if name.split(".")[0] in STANDARD_LIBRARY or name == "modules":
        return True
    if name == room or (room != "modules" and name.startswith(room + ".")):
        return True
    return any(name == ok or name.startswith(ok + ".") for ok in ROOMS[room])


FILES = list(source_files())


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_room_imports_only_what_it_may(path: Path) -> None:
    room = room_of(module_name(path))
    assert room is not None, f"{path} belongs to no room"
    wrong = sorted(name for name in imports_of(path) if not allowed(name, room))
    assert not wrong, f"{path.relative_to(ROOT)} is in the room {room}, which may not import {wrong}"


def test_every_package_of_a_room_is_in_the_table() -> None:
    found = {
        ".".join(path.parent.relative_to(ROOT).parts)
        for room in ("jobs", "engine", "api")
        for path in (ROOT / "modules" / room).glob("*/__init__.py")
    }
    assert found == set(PACKAGES)


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_imports_of_its_room_only_what_it_may(package: str) -> None:
    room = package.rpartition(".")[0]
    inside = (*PACKAGES[package], package)
    wrong = {
        f"{module_name(path)} imports {name}"
        for path in FILES
        if module_name(path).startswith(package + ".")
        for name in imports_of(path)
        if name.startswith(room + ".") and not any(name == ok or name.startswith(ok + ".") for ok in inside)
    }
    assert not wrong


def test_nobody_imports_app() -> None:
    assert not [path for path in FILES if "app" in imports_of(path)]


def test_no_import_cycles() -> None:
    names = {module_name(path) for path in FILES}
    graph = {module_name(path): {name for name in imports_of(path) if name in names} for path in FILES}
    done: set[str] = set()

    def visit(name: str, trail: tuple[str, ...]) -> None:
        if name in trail:
            pytest.fail("import cycle: " + " -> ".join([*trail[trail.index(name) :], name]))
        if name in done:
            return
        for other in sorted(graph[name]):
            visit(other, (*trail, name))
        done.add(name)

    for name in sorted(graph):
        visit(name, ())
    assert done == set(graph)


def tracked_files(*suffixes: str) -> list[Path]:
    """Return the files of the repository (also new ones that git does not ignore) that end in one of `suffixes`."""
    listing = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    return [ROOT / name for name in listing.splitlines() if name.endswith(suffixes) and (ROOT / name).is_file()]


@dataclass(frozen=True)
class Function:
    """Where it stands, how many lines it has, and whether it says what it returns."""

    place: str
    lines: int
    typed: bool


@functools.cache
def functions_of(path: Path) -> list[Function]:
    """Return all functions of a file, also those within others."""
    return [
        Function(
            f"{path.relative_to(ROOT)}:{node.lineno} {node.name}",
            (node.end_lineno or node.lineno) - node.lineno + 1,
            node.returns is not None,
        )
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]


def test_no_function_needs_a_scroll() -> None:
    functions = [function for path in tracked_files(".py") for function in functions_of(path)]
    assert not [f"{one.place} has {one.lines} lines" for one in functions if one.lines > LONGEST_FUNCTION]


# Libraries' files, as their makers wrote them.
FROM_OUTSIDE = tuple(ROOT / "webui" / "assets" / name for name in ("photoswipe", "uqr"))


def test_no_file_needs_a_long_scroll() -> None:
    long = {
        str(path.relative_to(ROOT)): lines
        for path in tracked_files(".py", ".js", ".css")
        if path.parent not in FROM_OUTSIDE and (lines := path.read_text(encoding="utf-8").count("\n")) > LONGEST_FILE
    }
    assert not long


def test_every_function_of_the_program_is_typed() -> None:
    assert not [function.place for path in FILES for function in functions_of(path) if not function.typed]


def test_nothing_is_left_undone() -> None:
    mark = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|X{3}|HA" + r"CK)\b|^[<>]{7} ")
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in tracked_files(".py", ".js", ".css", ".md", ".toml", ".sh")
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if mark.search(line)
    ]
    assert not found


def test_launch_parses_on_an_old_python() -> None:
    """An old Python must be able to read launch.py to be told that a newer one is needed."""
    read = ast.parse((ROOT / "launch.py").read_text(encoding="utf-8"), feature_version=(3, 8))
    assert "explain_old_python" in [node.name for node in read.body if isinstance(node, ast.FunctionDef)]


def test_launcher_loads_only_the_standard_library() -> None:
    """The launcher has nothing to crash on: after all its imports no third-party package is in memory."""
    script = (
        "import sys, pkgutil, importlib\n"
        "import launch, modules.launcher\n"
        "for info in pkgutil.iter_modules(modules.launcher.__path__):\n"
        "    importlib.import_module('modules.launcher.' + info.name)\n"
        "paths = [getattr(m, '__file__', None) or '' for m in list(sys.modules.values())]\n"
        "print([p for p in paths if 'site-packages' in p and 'distutils-precedence' not in p])\n"
    )
    done = subprocess.run([sys.executable, "-S", "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
