"""
Every example in the documentation and in docstrings is run.
"""

import doctest
import importlib
import pkgutil
import re
from pathlib import Path

import pytest

import offlineseed

ROOT = Path(__file__).resolve().parent.parent.parent
OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
BLOCK = re.compile(
    r"^(?P<fence>```+|~~~+) *(?:python|pycon)\b.*\n(?P<code>(?:.*\n)*?)(?P=fence)", re.MULTILINE
)


def session_of(text):
    """
    Return the prompts of a document's Python blocks, each on its own line of the document.

    A closing fence would count as expected output, so everything between blocks becomes blank.
    """
    lines = [""] * (text.count("\n") + 1)
    for block in BLOCK.finditer(text):
        if ">>>" in block["code"]:
            first = text.count("\n", 0, block.start("code"))
            code = block["code"].splitlines()
            lines[first : first + len(code)] = code
    return "\n".join(lines) + "\n"


def documents():
    paths = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
    return [path for path in paths if ">>>" in session_of(path.read_text("utf-8"))]


def documented_modules():
    names = [offlineseed.__name__]
    walk = pkgutil.walk_packages(offlineseed.__path__, f"{offlineseed.__name__}.")
    names += [module.name for module in walk]
    found = []
    for name in names:
        source = Path(str(importlib.util.find_spec(name).origin)).read_text("utf-8")
        if ">>> " in source:
            found.append(name)
    return found


def run(test):
    runner = doctest.DocTestRunner(optionflags=OPTIONS)
    report = []
    runner.run(test, out=report.append)
    assert runner.failures == 0, "".join(report)
    return runner.tries


def test_session_of_a_document_leaves_text_and_fences_out():
    text = "# Title\n\n```python\n>>> 1 + 1\n2\n```\n\nText.\n\n```console\n>>> not Python\n```\n"

    assert session_of(text).splitlines()[:6] == ["", "", "", ">>> 1 + 1", "2", ""]
    assert "not Python" not in session_of(text)


@pytest.mark.parametrize("path", documents(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_document_shows_what_happens(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    session = session_of(path.read_text("utf-8"))

    test = doctest.DocTestParser().get_doctest(session, {}, path.name, str(path), 0)

    assert run(test) > 0


@pytest.mark.parametrize("name", documented_modules())
def test_docstring_shows_what_happens(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    module = importlib.import_module(name)

    tests = [test for test in doctest.DocTestFinder().find(module) if test.examples]

    assert tests
    for test in tests:
        run(test)
