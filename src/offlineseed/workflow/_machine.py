"""
Whether a machine is a virtual one: a pure rule over what its firmware says, and a thin reader.

The article: where the source machine is virtual, the drives are prepared on another, physical one.
"""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import final

import attrs

__all__ = ["FirmwareFacts", "Machine", "judge_machine", "read_machine"]

_VIRTUAL_WORDS = (
    "alibaba cloud",
    "amazon ec2",
    "bhyve",
    "bochs",
    "digitalocean",
    "google compute engine",
    "hvm domu",
    "innotek",
    "kvm",
    "nutanix",
    "openstack",
    "parallels",
    "qemu",
    "rhev",
    "virtual machine",
    "virtualbox",
    "vmware",
    "xen",
)
"""What hypervisors call the machines that they make, in firmware tables, lower case."""


@final
@attrs.frozen(kw_only=True)
class FirmwareFacts:
    """
    What firmware and kernel say about the machine; empty where they say nothing.
    """

    vendor: str = ""
    """The system's manufacturer."""
    product: str = ""
    """The system's product name."""
    firmware_vendor: str = ""
    """Who made the firmware."""
    has_hypervisor_flag: bool = False
    """Whether the processor says that a hypervisor runs it."""


@final
@attrs.frozen(kw_only=True)
class Machine:
    """
    A machine of the workflow: the source, or the copy machine.
    """

    host: str
    """Its name."""
    is_virtual: bool | None = None
    """Whether it is a virtual machine; None where nothing tells."""
    product: str = ""
    """What its firmware calls it."""


def judge_machine(host: str, facts: FirmwareFacts) -> Machine:
    """
    Return what the facts make of a machine. Pure.

    Firmware that names a hypervisor, or a processor that says so, makes a virtual machine. A bare
    metal instance of a cloud is a physical one. Without any fact nothing is known.
    """
    words = (facts.vendor, facts.product, facts.firmware_vendor)
    told = " ".join(words).casefold()
    product = " ".join(word.strip() for word in words[:2] if word.strip())
    is_virtual: bool | None = facts.has_hypervisor_flag or any(
        word in told for word in _VIRTUAL_WORDS
    )
    if facts.product.casefold().endswith(".metal"):
        is_virtual = False
    elif not told.strip() and not facts.has_hypervisor_flag:
        is_virtual = None
    return Machine(host=host, is_virtual=is_virtual, product=product)


def read_machine(root: Path = Path("/")) -> Machine:
    """
    Return this machine, as firmware tables and the kernel tell it.

    Args:
        root: where `sys` and `proc` lie on Linux; another folder for tests.

    """
    return judge_machine(socket.gethostname(), _read_facts(root))


def _read_facts(root: Path) -> FirmwareFacts:
    if sys.platform == "win32":
        return _read_registry()
    tables = root / "sys/class/dmi/id"
    return FirmwareFacts(
        vendor=_read_line(tables / "sys_vendor"),
        product=_read_line(tables / "product_name"),
        firmware_vendor=_read_line(tables / "bios_vendor"),
        has_hypervisor_flag="hypervisor" in _processor_flags(root / "proc/cpuinfo"),
    )


def _read_registry() -> FirmwareFacts:
    if sys.platform != "win32":
        return FirmwareFacts()
    import winreg  # noqa: PLC0415  # only Windows has it

    def value(name: str) -> str:
        try:
            key = winreg.OpenKey(
                winreg.HKEY_LOCAL_MACHINE, r"HARDWARE\DESCRIPTION\System\BIOS", 0, winreg.KEY_READ
            )
            with key:
                return str(winreg.QueryValueEx(key, name)[0])
        except OSError:
            return ""

    return FirmwareFacts(
        vendor=value("SystemManufacturer"),
        product=value("SystemProductName"),
        firmware_vendor=value("BIOSVendor"),
    )


def _read_line(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace").strip()
    except OSError:
        return ""


def _processor_flags(path: Path) -> frozenset[str]:
    def flags() -> Iterator[str]:
        with path.open(encoding="utf-8", errors="replace") as lines:
            for line in lines:
                if line.startswith("flags"):
                    # Every processor says the same.
                    yield from line.partition(":")[2].split()
                    return

    try:
        return frozenset(flags())
    except OSError:
        return frozenset()
