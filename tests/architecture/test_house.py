"""The house rules that no linter knows: sizes, where imports stand, and that nothing outside a dialect names it."""

import ast
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from os import environ
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "customerhub"
DIALECTS = sorted(path.parent.name for path in (SOURCE / "dialects").glob("*/__init__.py"))

MOST_LINES_OF_A_FILE = 400
MOST_LINES_OF_A_FUNCTION = 60

# Dialects whose name is an English word too: only as a package name do they count as named.
ORDINARY_WORDS = {"count", "hub"}

Function = ast.FunctionDef | ast.AsyncFunctionDef


def modules() -> dict[str, str]:
    """Path from the root and text of every Python file of ours."""
    files = [path for folder in ("src", "tests") for path in sorted((ROOT / folder).rglob("*.py"))]
    assert SOURCE / "__init__.py" in files
    return {str(path.relative_to(ROOT)): path.read_text("utf-8") for path in files}


def functions(text: str) -> Iterator[Function]:
    """Every function in a module, nested ones and methods too."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, Function):
            yield node


def test_files_are_short() -> None:
    """No file is longer than 400 lines."""
    lengths = {path: len(text.splitlines()) for path, text in modules().items()}
    assert {path: length for path, length in lengths.items() if length > MOST_LINES_OF_A_FILE} == {}


def test_functions_are_short() -> None:
    """No function is longer than 60 lines, its docstring counted and its decorators not."""
    lengths = {
        f"{path}:{function.lineno} {function.name}": (function.end_lineno or 0) - function.lineno + 1
        for path, text in modules().items()
        for function in functions(text)
    }
    assert {place: length for place, length in lengths.items() if length > MOST_LINES_OF_A_FUNCTION} == {}


def test_every_module_says_what_it_is_for() -> None:
    """Every module opens with a docstring."""
    assert [path for path, text in modules().items() if not ast.get_docstring(ast.parse(text))] == []


def test_imports_stand_at_the_top() -> None:
    """No function imports: what a module needs is seen in its first lines, and import-linter sees it too."""
    assert [
        f"{path}:{node.lineno}"
        for path, text in modules().items()
        for function in functions(text)
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    ] == []


def imported_names(path: str, tree: ast.Module) -> Iterator[str]:
    """Full names of all that a module under src imports, relative imports resolved."""
    package = Path(path).relative_to("src").parent.parts
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parents = package[: len(package) - node.level + 1] if node.level else ()
            origin = ".".join((*parents, *([node.module] if node.module else [])))
            yield from (f"{origin}.{alias.name}" for alias in node.names)


def spoken_words(tree: ast.Module) -> Iterator[str]:
    """Identifiers and string literals of a module: all that runs, so neither comments nor docstrings."""
    nodes = list(ast.walk(tree))
    prose = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
    for node in nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in prose:
            yield node.value
        for field in ("id", "attr", "name", "arg", "asname"):
            if isinstance(word := getattr(node, field, None), str):
                yield word


def names(dialect: str, text: str) -> bool:
    """Whether a piece of code names the dialect: by its package always, by its bare name unless that is a word."""
    pattern = rf"\bdialects[./]{dialect}\b" if dialect in ORDINARY_WORDS else dialect
    return re.search(pattern, text, re.IGNORECASE) is not None


def test_there_are_dialects() -> None:
    """The tests below are about something."""
    assert DIALECTS != []


def test_only_a_dialect_imports_itself() -> None:
    """A dialect is imported from inside its own folder and from nowhere else, not by its neighbours' tests either."""
    assert [
        f"{path} imports {name}"
        for path, text in modules().items()
        if path.startswith("src/")
        for name in imported_names(path, ast.parse(text))
        for dialect in DIALECTS
        if f"{name}.".startswith(f"customerhub.dialects.{dialect}.")
        and not path.startswith(f"src/customerhub/dialects/{dialect}/")
    ] == []


def test_no_code_outside_the_dialects_names_one() -> None:
    """Outside dialects/ no identifier and no string is a dialect's name: those who need one ask the folder."""
    assert [
        f"{path} says {word!r}"
        for path, text in modules().items()
        if path.startswith("src/") and not path.startswith("src/customerhub/dialects/")
        for word in spoken_words(ast.parse(text))
        for dialect in DIALECTS
        if names(dialect, word)
    ] == []


def test_no_query_or_page_outside_the_dialects_names_one() -> None:
    """SQL and pages outside dialects/ name no dialect, but in SQL comments."""
    files = [
        path
        for suffix in ("sql", "html", "js", "css")
        for path in SOURCE.rglob(f"*.{suffix}")
        if not path.is_relative_to(SOURCE / "dialects")
    ]
    assert files != []
    assert [
        f"{path.relative_to(ROOT)} names {dialect}"
        for path in files
        for dialect in DIALECTS
        if names(dialect, re.sub(r"--.*", "", path.read_text("utf-8")))
    ] == []


@pytest.mark.parametrize("gone", sorted({*((name,) for name in DIALECTS), tuple(DIALECTS)}), ids="+".join)
def test_deleting_the_folder_deletes_the_dialect(gone: tuple[str, ...], tmp_path: Path) -> None:
    """The hub is whole without the folder of any one dialect, and without all of them."""
    shutil.copytree(SOURCE, tmp_path / "customerhub", ignore=shutil.ignore_patterns("__pycache__"))
    for dialect in gone:
        shutil.rmtree(tmp_path / "customerhub" / "dialects" / dialect)
    done = subprocess.run(
        [sys.executable, "-c", "import customerhub.app, customerhub.cli; print(customerhub.app.__file__)"],
        env={**environ, "PYTHONPATH": str(tmp_path)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    assert done.stdout == f"{tmp_path / 'customerhub' / 'app.py'}\n"
