"""
Rules for the repository as a whole: what its tracked files may and must hold.
"""

import pkgutil
import re
import shutil
import subprocess
from pathlib import Path

import pytest

import offlineseed

ROOT = Path(__file__).resolve().parent.parent
LONGEST_MODULE = 400
LONG_MODULES = {
    "src/offlineseed/errors.py": "one tree of errors is read in one place",
    "src/offlineseed/workflow/_seed.py": "one face for all steps: promises, and who keeps them",
}
"""Modules that may be longer, each with the reason why splitting it would make it worse."""

# Put together here so that this file does not hold what it looks for.
REGISTRY_HOSTS = [
    ".".join(parts)
    for parts in (
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("npmjs", "org"),
        ("npmjs", "com"),
        ("debian", "org"),
        ("ubuntu", "com"),
        ("anaconda", "org"),
    )
]
MACHINE_PATH = re.compile(r"""["'\s=(`:]/(?:work|tmp|root|home|farm|opt|Users)/\w""")
DRIVE_PATH = re.compile(r"\bC:\\Users\\\w")


def tracked_texts():
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("git: not a checkout, or no git to list its files")
    listing = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True
    )
    for name in filter(None, listing.stdout.split("\0")):
        path = ROOT / name
        if not path.is_file():
            continue
        content = path.read_bytes()
        if b"\0" not in content:
            yield name, content.decode("utf-8")


def places(pattern):
    return [
        f"{name}:{number}: {line.strip()}"
        for name, text in tracked_texts()
        for number, line in enumerate(text.splitlines(), 1)
        if pattern.search(line)
    ]


@pytest.mark.parametrize("host", REGISTRY_HOSTS)
def test_tracked_files_name_no_package_registry(host):
    assert places(re.compile(rf"\b{re.escape(host)}\b", re.IGNORECASE)) == []


@pytest.mark.parametrize("pattern", [MACHINE_PATH, DRIVE_PATH], ids=["POSIX", "Windows"])
def test_tracked_files_name_no_path_of_one_machine(pattern):
    assert places(pattern) == []


def test_tracked_files_hold_no_key_material():
    assert places(re.compile(r"-----BEGIN (?:RSA |EC |ENCRYPTED )?PRIVATE KEY-----\s*$")) == []


def test_modules_have_one_responsibility_and_the_length_of_one():
    lengths = {
        path.relative_to(ROOT).as_posix(): len(path.read_text("utf-8").splitlines())
        for path in sorted((ROOT / "src").rglob("*.py"))
    }
    long = {name for name, length in lengths.items() if length > LONGEST_MODULE}

    assert long == set(LONG_MODULES)


def test_modules_have_names_that_say_something():
    vague = re.compile(r"_?(utils?|common|helpers?|misc|tools?)\.py")

    assert [p.name for p in (ROOT / "src").rglob("*.py") if vague.fullmatch(p.name)] == []


def test_package_inits_hold_imports_and_names_only():
    for path in (ROOT / "src" / "offlineseed").glob("*/**/__init__.py"):
        code = [line for line in path.read_text("utf-8").splitlines() if line and line[0].isalpha()]
        odd = [line for line in code if not line.startswith(("from ", "import "))]
        assert not re.search(r"^(?:class|def|async def) ", "\n".join(odd), re.MULTILINE), path


def test_every_public_package_is_listed_in_the_reference():
    index = (ROOT / "docs" / "reference" / "index.md").read_text("utf-8")
    public = [
        f"offlineseed.{module.name}"
        for module in pkgutil.iter_modules(offlineseed.__path__)
        if not module.name.startswith("_")
    ]

    assert [name for name in public if f"`{name}`" not in index] == []


def test_continuous_integration_runs_the_test_target_and_nothing_else():
    lines = (ROOT / ".ci" / "run").read_text("utf-8").splitlines()
    commands = [line for line in lines if line and not line.startswith(("#", "set ", "cd "))]

    assert commands == ["exec make test"]
