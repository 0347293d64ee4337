"""The layout of the repository: which room may import which, how long a file may be, where its test is."""

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parent.parent
MAX_LINES = 300

_COMPONENTS = {
    "components.version": set(),
    "components.base": {"components.version"},
    "components.priority_classes": {"components.base"},
    "components.pod": {"components.base"},
    "components.team_namespace": {"components.base", "components.pod"},
    "components.workload": {"components.base", "components.pod", "components.team_namespace"},
    "components.training_job": {
        "components.base", "components.pod", "components.team_namespace", "components.workload",
    },
    "components.model_service": {
        "components.base", "components.pod", "components.team_namespace", "components.workload",
    },
}  # fmt: skip

ROOMS: dict[str, set[str]] = {
    **_COMPONENTS,
    "components": {*_COMPONENTS},
    "config": {"components"},
    "plugin": {"components"},
    "policies": {"components"},
    "review": {"components", "config", "policies", "review.twin"},
    "review.twin": {"components", "config", "policies", "review", "sandbox"},
    "sandbox": set(),
    "operations": {"components", "config", "review", "sandbox"},
    "__main__": {"components", "components.inventory", "config"},
}
"""The rooms, and the rooms that each may import besides itself. A room includes its subpackages."""

FOLDERS = ("components", "config", "policies", "review", "plugin", "operations", "sandbox")

_NOT_PURE = {"components", "components.priority_classes", "components.base.registration"}
"""What registers resources, together with every ``component``: policies and reviews read manifests only."""

_UNTESTED = {"components/version.py"}
"""Modules without behavior: a constant."""


def _files() -> list[Path]:
    return [PROJECT / "__main__.py", *(file for folder in FOLDERS for file in sorted((PROJECT / folder).rglob("*.py")))]


def _module(file: Path) -> str:
    """``components/pod/volumes.py`` is ``components.pod.volumes``, ``components/__init__.py`` is ``components``."""
    parts = file.relative_to(PROJECT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {_module(file): file for file in _files()}


def _imports(module: str) -> set[str]:
    """The modules of this repository that a module imports, anywhere in its code."""
    return {found for found in _imported_names(module) if found in MODULES}


def _imported_names(module: str) -> Iterator[str]:
    file = MODULES[module]
    package = module.split(".") if file.name == "__init__.py" else module.split(".")[:-1]
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parents = package[: len(package) - node.level + 1] if node.level else []
            origin = ".".join([*parents, *([node.module] if node.module else [])])
            for alias in node.names:  # a submodule, or a name that the package defines
                submodule = f"{origin}.{alias.name}"
                yield submodule if submodule in MODULES else origin


GRAPH = {module: _imports(module) for module in MODULES}


def _room(module: str) -> str:
    """The innermost room that a module is in."""
    parts = module.split(".")
    prefixes = (".".join(parts[:length]) for length in range(len(parts), 0, -1))
    return next(prefix for prefix in prefixes if prefix in ROOMS)


def _allowed(room: str) -> set[str]:
    """The rooms that a room may import: a room in the table stands for the rooms in it, too."""
    nested = {inner for inner in ROOMS for outer in ROOMS[room] if inner.startswith(f"{outer}.")}
    return {room, *ROOMS[room], *nested}


def test_imports_are_found() -> None:
    assert GRAPH["__main__"] == {"components", "components.inventory", "config"}
    assert {"config", "config.loader", "operations.pulumi_cli", "sandbox.progress"} == GRAPH["operations.rollback"]
    assert "sandbox.store" in GRAPH["sandbox.toolchain"]
    assert _room("components.pod.volumes") == "components.pod"
    assert _room("components") == "components"
    assert _room("review.cluster.kubectl") == "review"


@pytest.mark.parametrize("module", sorted(MODULES))
def test_a_module_imports_no_room_above_its_own(module: str) -> None:
    allowed = _allowed(_room(module))
    assert {found for found in GRAPH[module] if _room(found) not in allowed} == set()


@pytest.mark.parametrize(
    "module", sorted(module for module in MODULES if _room(module) in {"policies", "review", "review.twin"})
)
def test_policies_and_reviews_import_only_what_registers_nothing(module: str) -> None:
    components = {found for found in GRAPH[module] if found.split(".")[0] == "components"}
    assert {found for found in components if found in _NOT_PURE or found.endswith(".component")} == set()


def test_modules_have_no_import_cycle() -> None:
    try:
        TopologicalSorter(GRAPH).prepare()
    except CycleError as error:
        pytest.fail(" <- ".join(error.args[1]))


def _product() -> list[Path]:
    return [*_files(), *(file for file in sorted((PROJECT / ".ci").iterdir()) if file.is_file())]


@pytest.mark.parametrize("file", _product(), ids=lambda file: str(file.relative_to(PROJECT)))
def test_a_file_is_not_too_long(file: Path) -> None:
    assert len(file.read_text(encoding="utf-8").splitlines()) <= MAX_LINES


def _has_code(file: Path) -> bool:
    """Whether a module has more than a docstring, imports and ``__all__``."""
    return any(
        not isinstance(node, ast.Import | ast.ImportFrom)
        and not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
        and not (isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__")
        for node in ast.parse(file.read_text(encoding="utf-8")).body
    )


def _tested() -> list[Path]:
    modules = (file.relative_to(PROJECT) for file in _files() if file.name != "__main__.py" and _has_code(file))
    return [module for module in modules if module.as_posix() not in _UNTESTED]


@pytest.mark.parametrize("module", _tested(), ids=str)
def test_a_module_has_a_test_file(module: Path) -> None:
    expected = Path("tests") / module.parent / f"test_{module.name}"
    assert (PROJECT / expected).exists(), f"{expected} is missing"
