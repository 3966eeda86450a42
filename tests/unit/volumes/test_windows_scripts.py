import re

import pytest

from offlineseed.volumes._windows_scripts import FORMAT_DRIVE, LIST_DISKS, OPEN_VOLUME

SCRIPTS = {"list disks": LIST_DISKS, "format drive": FORMAT_DRIVE, "open volume": OPEN_VOLUME}
ASKED = {
    "list disks": set(),
    "format drive": {
        *("number", "driveId", "sizeBytes", "label", "encryptionMethod", "recoveryPassword"),
        *("mayErase", "patienceSeconds"),
    },
    "open volume": {"number", "driveId", "sizeBytes", "recoveryPassword"},
}
FRAME_ASKS = {"number", "driveId", "sizeBytes"}
COMMANDS = {
    *("Add-PartitionAccessPath", "Clear-Disk", "ConvertFrom-Json", "ConvertTo-Json"),
    *("Enable-BitLocker", "ForEach-Object", "Format-Volume", "Get-BitLockerVolume", "Get-Disk"),
    *("Get-Partition", "Get-PhysicalDisk", "Initialize-Disk", "New-Object", "New-Partition"),
    *("Select-Object", "Set-Disk", "Sort-Object", "Start-Sleep", "Unlock-BitLocker"),
    "Where-Object",
    # of their own
    *("Get-Answer", "Get-CleanSerial", "Get-DataPartition", "Get-NamedDisk"),
}


@pytest.fixture(scope="module")
def parse():
    language = pytest.importorskip("tree_sitter_powershell", reason="no PowerShell grammar")
    tree_sitter = pytest.importorskip("tree_sitter", reason="tree-sitter is not installed")
    parser = tree_sitter.Parser(tree_sitter.Language(language.language()))
    return lambda text: parser.parse(text.encode()).root_node


def nodes(node):
    yield node
    for child in node.children:
        yield from nodes(child)


@pytest.mark.parametrize("name", SCRIPTS)
def test_script_is_powershell(parse, name):
    root = parse(SCRIPTS[name])
    problems = [node for node in nodes(root) if node.type == "ERROR" or node.is_missing]
    assert not root.has_error, [(node.start_point, node.text) for node in problems]


def test_grammar_refuses_what_is_none(parse):
    assert parse(FORMAT_DRIVE.replace("}", "", 1)).has_error


@pytest.mark.parametrize("name", SCRIPTS)
def test_script_runs_known_commands_only(parse, name):
    found = {
        node.text.decode() for node in nodes(parse(SCRIPTS[name])) if node.type == "command_name"
    }
    assert found
    assert found <= COMMANDS


@pytest.mark.parametrize("name", SCRIPTS)
def test_script_asks_for_what_it_is_given(name):
    asked = set(re.findall(r"\$request\.(\w+)", SCRIPTS[name]))
    assert asked == ASKED[name] | FRAME_ASKS
    assert SCRIPTS[name].isascii()
