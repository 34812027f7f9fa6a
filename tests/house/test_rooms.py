"""The house's walls: which room may open which door, how long a function and a file may be, who has a test."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted(ROOT.glob("packages/*/src/**/*.py"))

# library -> the only places (path fragments below packages/*/src) that may import it
DOORS = {
    "pulumi": (
        "epolab/provider/plugin.py",
        "epolab/components/",
        "epolab/program.py",
        "epolab/stack.py",
        "epolab/hands/pulumi_engine.py",
    ),
    "docker": ("epolab/hands/",),
    "subprocess": ("epolab/hands/",),
    "paramiko": ("epolab/hands/",),
    "pyroute2": ("epolab_fabric/",),
    "ansible_runner": ("epolab/deploy/runner.py",),
    "ruamel": ("epolab/yaml_file.py",),
    "psycopg": ("miniepo/store/",),
    "psycopg_pool": ("miniepo/store/",),
    "h11": ("miniepo/wire/", "miniepo/protocol/"),
    # the programs and the Ansible module run on the lab's nodes, not in epolab
    "ssl": (
        "miniepo/wire/",
        "epolab/verify/certificate_program.py",
        "epolab/verify/door_program.py",
        "epolab/verify/relay_program.py",
        "epolab/deploy/ansible_collections/",
    ),
    "random": ("miniepo/clock.py", "epolab_fabric/", "epolab/wan/"),
    "requests": (),
    "yaml": (),
}


def place(path: Path) -> str:
    return path.relative_to(ROOT / "packages").as_posix().split("/src/", 1)[1]


def imports_of(path: Path) -> Iterator[tuple[str, int]]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, node.lineno
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module, node.lineno


@pytest.mark.parametrize("path", SOURCES, ids=place)
def test_each_library_is_imported_through_its_door_only(path: Path) -> None:
    wrong = [
        f"{place(path)}:{line} imports {name}; only {DOORS[name.split('.')[0]] or 'nobody'} may"
        for name, line in imports_of(path)
        if name.split(".")[0] in DOORS and not place(path).startswith(DOORS[name.split(".")[0]])
    ]
    assert wrong == []


@pytest.mark.parametrize("path", SOURCES, ids=place)
def test_a_module_opens_with_what_it_answers_for(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text())), f"{place(path)} has no docstring"


@pytest.mark.parametrize("path", SOURCES, ids=place)
def test_files_and_functions_stay_short(path: Path) -> None:
    text = path.read_text()
    lines = text.count("\n")
    assert lines <= 400, f"{place(path)} has {lines} lines"
    long = [
        f"{place(path)}:{node.lineno} {node.name} has {node.end_lineno - node.lineno + 1} lines"
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.end_lineno is not None
        and node.end_lineno - node.lineno + 1 > 50
    ]
    assert long == []


def test_every_module_has_its_test_file() -> None:
    doors = set((ROOT / "tests/house/doors.txt").read_text().split())
    missing = []
    for path in SOURCES:
        where = Path(place(path))
        if where.name in {"__init__.py", "__main__.py"} or where.parent.name == "acceptance":
            continue  # acceptance files are tests themselves
        test = ROOT / "tests" / "unit" / where.parent / f"test_{where.name}"
        if not test.exists() and where.as_posix() not in doors:
            missing.append(where.as_posix())
    assert missing == [], "no unit test, and not a door that only an integration test can hold"


def test_no_door_is_listed_that_is_not_there() -> None:
    doors = (ROOT / "tests/house/doors.txt").read_text().split()
    there = {place(path) for path in SOURCES}
    assert [door for door in doors if door not in there] == []
