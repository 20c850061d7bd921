"""The house rules that no linter knows: sizes, where imports stand, and that nothing outside a dialect names it."""

import ast
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
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


@dataclass(frozen=True)
class Module:
    """What the rules ask of a Python file: `lengths` of its functions by place, `words` and `imported` of src alone."""

    text: str
    docstring: str | None
    lengths: dict[str, int]
    inner_imports: list[str]
    imported: list[str]
    words: list[str]


def read_module(path: str, text: str) -> Module:
    """A file, parsed once for all rules; its tree is not kept, since those of all files together are large."""
    tree = ast.parse(text)
    nodes = list(ast.walk(tree))
    functions = [node for node in nodes if isinstance(node, Function)]
    bodies = [range(one.lineno, (one.end_lineno or 0) + 1) for one in functions]
    return Module(
        text,
        ast.get_docstring(tree),
        {f"{path}:{one.lineno} {one.name}": (one.end_lineno or 0) - one.lineno + 1 for one in functions},
        [
            f"{path}:{node.lineno}"
            for node in nodes
            if isinstance(node, ast.Import | ast.ImportFrom) and any(node.lineno in body for body in bodies)
        ],
        list(imported_names(path, nodes)) if path.startswith("src/") else [],
        sorted({*spoken_words(nodes)}) if path.startswith("src/") else [],
    )


@pytest.fixture(scope="module")
def modules() -> dict[str, Module]:
    """Every Python file of ours by its path from the root."""
    files = [path for folder in ("src", "tests") for path in sorted((ROOT / folder).rglob("*.py"))]
    assert SOURCE / "__init__.py" in files
    paths = {str(path.relative_to(ROOT)): path for path in files}
    return {name: read_module(name, path.read_text("utf-8")) for name, path in paths.items()}


def test_files_are_short(modules: dict[str, Module]) -> None:
    """No file is longer than 400 lines."""
    lengths = {path: len(module.text.splitlines()) for path, module in modules.items()}
    assert {path: length for path, length in lengths.items() if length > MOST_LINES_OF_A_FILE} == {}


def test_functions_are_short(modules: dict[str, Module]) -> None:
    """No function is longer than 60 lines, its docstring counted and its decorators not."""
    lengths = {place: length for module in modules.values() for place, length in module.lengths.items()}
    assert {place: length for place, length in lengths.items() if length > MOST_LINES_OF_A_FUNCTION} == {}


def test_every_module_says_what_it_is_for(modules: dict[str, Module]) -> None:
    """Every module opens with a docstring."""
    assert [path for path, module in modules.items() if not module.docstring] == []


def test_imports_stand_at_the_top(modules: dict[str, Module]) -> None:
    """No function imports: what a module needs is seen in its first lines, and import-linter sees it too."""
    assert [place for module in modules.values() for place in module.inner_imports] == []


def imported_names(path: str, nodes: list[ast.AST]) -> Iterator[str]:
    """Full names of all that a module under src imports, relative imports resolved."""
    package = Path(path).relative_to("src").parent.parts
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parents = package[: len(package) - node.level + 1] if node.level else ()
            origin = ".".join((*parents, *([node.module] if node.module else [])))
            yield from (f"{origin}.{alias.name}" for alias in node.names)


def spoken_words(nodes: list[ast.AST]) -> Iterator[str]:
    """Identifiers and string literals of a module: all that runs, so neither comments nor docstrings."""
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


def test_only_a_dialect_imports_itself(modules: dict[str, Module]) -> None:
    """A dialect is imported from inside its own folder and from nowhere else, not by its neighbours' tests either."""
    assert [
        f"{path} imports {name}"
        for path, module in modules.items()
        for name in module.imported
        for dialect in DIALECTS
        if f"{name}.".startswith(f"customerhub.dialects.{dialect}.")
        and not path.startswith(f"src/customerhub/dialects/{dialect}/")
    ] == []


def test_no_code_outside_the_dialects_names_one(modules: dict[str, Module]) -> None:
    """Outside dialects/ no identifier and no string is a dialect's name: those who need one ask the folder."""
    assert [
        f"{path} says {word!r}"
        for path, module in modules.items()
        if not path.startswith("src/customerhub/dialects/")
        for word in module.words
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
    """The hub is whole without the folder of any one dialect, and without all of them.

    What is compiled already comes along, but for what is being written: Python takes it of a source of the same time.
    """
    shutil.copytree(SOURCE, tmp_path / "customerhub", ignore=shutil.ignore_patterns("*.pyc.*"))
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
