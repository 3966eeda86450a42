"""
Configuration of the documentation: Sphinx, MyST and furo.

The reference is made from the packages themselves: one page for each public package, written next
to `reference/index.md` when the documentation is built.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
from importlib.metadata import version as version_of
from pathlib import Path
from typing import TYPE_CHECKING, Any

import offlineseed

if TYPE_CHECKING:
    from sphinx.application import Sphinx

project = "offlineseed"
author = "The offlineseed developers"
copyright = author
version = release = version_of("offlineseed")

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = "offlineseed"

myst_enable_extensions = ["deflist"]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
napoleon_google_docstring = True
napoleon_numpy_docstring = False

HERE = Path(__file__).resolve().parent
CODE_SPAN = re.compile(r"(?<![`\w:])`([^`\n]+)`(?!`)")
FENCE = re.compile(r"(?P<indent>\s*)```(?P<language>\w*)\s*")


def public_packages() -> list[str]:
    """
    Return every public module and package below `offlineseed`, sorted.
    """
    return sorted(
        f"offlineseed.{module.name}"
        for module in pkgutil.iter_modules(offlineseed.__path__)
        if not module.name.startswith("_")
    )


def write_reference(folder: Path) -> None:
    """
    Write one page for each public package; leave pages that are right untouched.
    """
    folder.mkdir(exist_ok=True)
    pages = {f"{name}.rst": reference_page(name) for name in public_packages()}
    pages["offlineseed.rst"] = facade_page()
    for stale in {path.name for path in folder.glob("*.rst")} - pages.keys():
        (folder / stale).unlink()
    for name, text in pages.items():
        page = folder / name
        if not page.exists() or page.read_text("utf-8") != text:
            page.write_text(text, "utf-8")


def reference_page(name: str) -> str:
    """
    Return the page of a package: everything in its `__all__`.
    """
    title = f"{name}\n{'=' * len(name)}"
    return f"{title}\n\n.. automodule:: {name}\n   :members:\n   :show-inheritance:\n"


def facade_page() -> str:
    """
    Return the facade's page: each name links to where it is described.
    """
    homes = {
        name: package
        for package in public_packages()
        for name in importlib.import_module(package).__all__
    }
    lines = ["offlineseed", "===========", "", ".. automodule:: offlineseed", "   :no-index:", ""]
    lines += [
        f"- :py:obj:`{name} <{homes[name]}.{name}>`"
        for name in offlineseed.__all__
        if name in homes
    ]
    for name in offlineseed.__all__:
        if name not in homes and not name.startswith("_"):
            lines += ["", f".. autoclass:: offlineseed.{name}", "   :members:"]
    return "\n".join([*lines, ""])


def render_markdown(*arguments: Any) -> None:
    """
    Turn the code spans and fences of docstrings, which are Markdown's, into reStructuredText.

    Takes the arguments of Sphinx's `autodoc-process-docstring`; the last are the lines.
    """
    lines: list[str] = arguments[-1]
    rendered: list[str] = []
    in_fence = False
    for line in lines:
        fence = FENCE.fullmatch(line)
        if fence and not in_fence:
            rendered += ["", f"{fence['indent']}.. code-block:: {fence['language'] or 'text'}", ""]
        elif fence:
            rendered.append("")
        else:
            rendered.append(f"   {line}" if in_fence else CODE_SPAN.sub(r"``\1``", line))
        in_fence ^= fence is not None
    lines[:] = rendered


def setup(app: Sphinx) -> None:
    """
    Write the reference's pages before Sphinx looks for sources.
    """
    write_reference(HERE / "reference" / "packages")
    # Before napoleon, which reads reStructuredText.
    app.connect("autodoc-process-docstring", render_markdown, priority=400)
