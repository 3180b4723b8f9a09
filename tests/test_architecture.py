"""Imports go one way, heavy packages stay where they belong, and what is public says what it does."""

import ast
import inspect
import pickle
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import mnist_dash
from mnist_dash import errors

PROJECT = Path(__file__).resolve().parent.parent
PACKAGE = PROJECT / "mnist_dash"

# A module may import only those before it.
ORDER = (
    "errors",
    "config",
    "datasets",
    "digitizer",
    "corruptions",
    "networks",
    "store",
    "inference",
    "worker",
    "analysis",
    "figures",
    "ui",
    "cli",
    "__main__",
    "tools",
    "pages",
    "app",
)
ONLY_IN = {
    "streamlit": {"ui", "pages", "app"},
    "sqlalchemy": {"store"},
    "distributed": {"worker"},
    "dask": {"worker"},
    "plotly": {"figures"},
    "tensorflow": {"networks", "worker"},
    "keras": {"networks", "worker"},
    "cv2": {"corruptions", "digitizer", "inference", "ui"},
}
ONLY_INSIDE_FUNCTIONS = {"tensorflow", "keras"}  # importing them takes 13 to 20 s


@dataclass(frozen=True)
class Import:
    """One imported module, by its full name, and whether a function imports it."""

    name: str
    in_function: bool


def module_of(file: Path) -> str:
    inside = file.relative_to(PACKAGE if PACKAGE in file.parents else PROJECT)
    return inside.parts[0].removesuffix(".py")


def imports_of(file: Path) -> list[Import]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    in_functions = {inner for function in functions for inner in ast.walk(function)}
    return [Import(name, node in in_functions) for node in ast.walk(tree) for name in names_imported(node)]


def names_imported(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    if isinstance(node, ast.ImportFrom):
        assert node.level == 0, "imports say the full name"
        yield from (f"{node.module}.{alias.name}" for alias in node.names)


def full_names_imported(file: Path) -> set[str]:
    return {found.name for found in imports_of(file)}


def own_modules_imported(file: Path) -> set[str]:
    parts = [found.name.split(".") for found in imports_of(file)]
    # `from mnist_dash import __version__` names no module.
    return {names[1] for names in parts if names[0] == "mnist_dash" and len(names) > 1 and names[1] != "__version__"}


def public_definitions(file: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef]:
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            yield node


def all_files() -> list[Path]:
    folders = [PACKAGE, PROJECT / "pages", PROJECT / "tools"]
    found = [file for folder in folders for file in folder.rglob("*.py")] + [PROJECT / "app.py"]
    return sorted(file for file in found if file != PACKAGE / "__init__.py")


def nodes_of(file: Path, kind: type[ast.AST]) -> list:
    return [node for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))) if isinstance(node, kind)]


MODULES = {str(file.relative_to(PROJECT).with_suffix("")).replace("/", ".") for file in PACKAGE.rglob("*.py")}


def path_of(file: Path) -> str:
    return str(file.relative_to(PROJECT))


FILES = all_files()


def test_every_module_has_its_place_in_the_order_of_imports():
    assert [path_of(file) for file in FILES if module_of(file) not in ORDER] == []


def test_imports_go_one_way():
    upward = {
        path_of(file): wrong
        for file in FILES
        if (wrong := own_modules_imported(file) - {module_of(file)} - set(ORDER[: ORDER.index(module_of(file))]))
    }

    assert upward == {}


def test_no_two_modules_of_the_package_share_a_name():
    names = Counter(file.stem for file in PACKAGE.rglob("*.py") if file.name != "__init__.py")

    assert {name for name, times in names.items() if times > 1} == set()


def test_no_pages_folder_imports_from_another():
    imported = {
        path_of(file): {name.split(".")[2] for name in full_names_imported(file) if name.startswith("mnist_dash.ui.")}
        for file in FILES
        if file.is_relative_to(PACKAGE / "ui")
    }

    assert {path: names for path, names in imported.items() if not names <= {"shared", path.split("/")[2]}} == {}


def test_packages_are_imported_module_by_module():
    packages = {path_of(folder.parent).replace("/", ".") for folder in PACKAGE.rglob("__init__.py")}
    imported = {
        (path_of(file), node.module, alias.name)
        for file in FILES
        for node in nodes_of(file, ast.ImportFrom)
        for alias in node.names
        if node.module in packages and alias.name != "__version__"
    }

    re_exported = {entry for entry in imported if f"{entry[1]}.{entry[2]}" not in MODULES | packages}

    assert re_exported == set()


def test_heavy_packages_are_imported_only_where_they_belong():
    imported = {(path_of(file), found.name.split(".")[0]) for file in FILES for found in imports_of(file)}

    misplaced = {
        (path, package)
        for path, package in imported
        if package in ONLY_IN and module_of(PROJECT / path) not in ONLY_IN[package]
    }

    assert misplaced == set()


def test_tensorflow_is_imported_only_inside_functions():
    at_import = {(path_of(file), found.name) for file in FILES for found in imports_of(file) if not found.in_function}

    assert {entry for entry in at_import if entry[1].split(".")[0] in ONLY_INSIDE_FUNCTIONS} == set()


def test_no_module_is_longer_than_300_lines_and_no_page_longer_than_80():
    lines = {file: len(file.read_text(encoding="utf-8").splitlines()) for file in FILES}

    long = {path_of(file): n for file, n in lines.items() if n > (80 if file.parent.name == "pages" else 300)}

    assert long == {}


def test_no_function_is_longer_than_40_lines():
    # Without docstrings, which have as many lines as they need.
    functions = [
        (path_of(file), node)
        for file in FILES
        for kind in (ast.FunctionDef, ast.AsyncFunctionDef)
        for node in nodes_of(file, kind)
    ]

    long = {(path, node.name): n for path, node in functions if (n := lines_of_code(node)) > 40}

    assert long == {}


def lines_of_code(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    docstring = function.body[0] if ast.get_docstring(function) else None
    own = docstring.end_lineno - docstring.lineno + 1 if docstring else 0
    return function.end_lineno - function.lineno + 1 - own


def test_the_packages_map_names_all_that_is_in_it():
    assert mnist_dash.__doc__
    listed = [name for line in mnist_dash.__doc__.splitlines() for name in re.findall(r"^([a-z, ]+?)  +\S", line)]
    entries = {
        file.stem for file in PACKAGE.iterdir() if file.suffix == ".py" or (file.is_dir() and file.name[0] != "_")
    }

    assert {name for names in listed for name in names.split(", ")} == entries - {"__init__", "__main__"}


def test_importing_the_whole_package_loads_no_tensorflow():
    names = [
        ".".join(file.relative_to(PROJECT).with_suffix("").parts).removesuffix(".__init__")
        for file in PACKAGE.rglob("*.py")
        if file.name != "__main__.py" and "migrations" not in file.parts  # Alembic runs them by their paths
    ]
    code = f"import {', '.join(sorted(names))}, sys; print(sorted({{'tensorflow', 'keras'}} & set(sys.modules)))"

    printed = subprocess.run([sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=True)

    assert printed.stdout.strip() == "[]"


def test_everything_public_has_a_docstring():
    undocumented = {
        (path_of(file), node.name) for file in FILES for node in public_definitions(file) if not ast.get_docstring(node)
    }

    assert undocumented == set()


ERRORS = [value for _, value in inspect.getmembers(errors, inspect.isclass) if value.__module__ == errors.__name__]


@pytest.mark.parametrize("error", ERRORS)
def test_every_error_is_one_of_ours_and_reaches_the_other_side_of_a_worker_as_it_was(error):
    raised = error("Seven is not a digit from 0 to 5.")

    received = pickle.loads(pickle.dumps(raised))

    assert type(received) is error
    assert isinstance(received, errors.MnistDashError)
    assert str(received) == "Seven is not a digit from 0 to 5."


def test_the_order_of_imports_holds_a_mistake_back(tmp_path):
    wrong = tmp_path / "wrong.py"
    wrong.write_text("from mnist_dash import ui\n\ndef f():\n    import keras.layers\n")

    imported = imports_of(wrong)

    assert imported == [Import("mnist_dash.ui", False), Import("keras.layers", True)]
