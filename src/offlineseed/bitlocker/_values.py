"""
What BitLocker's metadata say, as values: datums and the data set around them.

Numbers whose meaning is known have names; the rest keep their place, so that metadata read and
rendered again are the same bytes. Times are FILETIMEs, whole numbers, because nonces carry them
with marks that are no time.

Source: libbde, "BitLocker Drive Encryption (BDE) format"; volumes made by Windows 7 to 11.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from enum import IntEnum
from typing import TypeAlias, final

import attrs

from offlineseed.bitlocker._key import Key

__all__ = [
    "Box",
    "BoxedKey",
    "Datum",
    "KeyMethod",
    "Metadata",
    "Nonce",
    "OpaqueDatum",
    "OsStamp",
    "Protector",
    "ProtectorKind",
    "Role",
    "StretchedKey",
    "Text",
    "Virtualization",
    "VirtualizationExtension",
    "VolumeState",
]


class Role(IntEnum):
    """
    What a datum is for.
    """

    NESTED = 0x00
    """Part of the datum around it, or of the validation structure."""
    PROTECTOR = 0x02
    """A key protector."""
    VOLUME_KEY = 0x03
    """The key of the sectors."""
    DESCRIPTION = 0x07
    """The computer, the label and the date, for a person."""
    VIRTUALIZATION = 0x0F
    """Where the first sectors of the file system went."""
    PASSWORD_BACKUP = 0x12
    """A recovery password's 16 bytes, so that Windows can show it again."""
    STRETCHED_BACKUP = 0x13
    """A recovery password's stretched key, so that Windows can wrap anew."""


class ProtectorKind(IntEnum):
    """
    What opens a key protector.
    """

    CLEAR = 0x0000
    TPM = 0x0100
    STARTUP_KEY = 0x0200
    RECOVERY_PASSWORD = 0x0800
    SMART_CARD = 0x1000
    PASSPHRASE = 0x2000


class KeyMethod(IntEnum):
    """
    What a stored key is, beside the volume's own key that bears the cipher's number.
    """

    RECOVERY_PASSWORD = 0x1000
    PASSPHRASE = 0x1001
    MASTER_KEY = 0x2003
    VALIDATION_HASH = 0x2005
    STRETCHED_RECOVERY_PASSWORD = 0x2008


class VolumeState(IntEnum):
    """
    How far a volume's encryption is.
    """

    DECRYPTED = 1
    SWITCHING = 2
    CONVERTING = 3
    ENCRYPTED = 4
    PAUSED = 5


def _as_datums(datums: Iterable[Datum]) -> tuple[Datum, ...]:
    return tuple(datums)


@final
@attrs.frozen(kw_only=True)
class Nonce:
    """
    What makes every box of a volume's metadata unique under its key.
    """

    time: int
    """A FILETIME; Windows' driver sets bit 63."""
    counter: int
    """Counts the boxes of the volume, from 2 on."""


@final
@attrs.frozen(kw_only=True)
class BoxedKey:
    """
    What a box holds: a key and what it is.
    """

    method: int
    """A `KeyMethod`, or the volume's `CipherMethod`."""
    key: Key
    """The key itself."""
    flags: int = 0
    """0 as Windows writes it; 1 in volumes of some other tools."""


@final
@attrs.frozen(kw_only=True)
class Text:
    """
    A string, such as the description or a protector's name.
    """

    role: int
    """A `Role`."""
    text: str
    """Without the closing NUL that it has on disk."""
    flags: int = 1
    """1 on disk."""


@final
@attrs.frozen(kw_only=True)
class Box:
    """
    A key sealed with AES-CCM under another key.
    """

    role: int
    """A `Role`."""
    nonce: Nonce
    """Its nonce."""
    tag: bytes
    """The 16 bytes that prove the key right and the content whole."""
    ciphertext: bytes
    """A sealed `BoxedKey`."""
    flags: int = 1
    """1 on disk."""


@final
@attrs.frozen(kw_only=True)
class StretchedKey:
    """
    How a key is stretched from what a person holds.
    """

    role: int
    """A `Role`."""
    method: int
    """A `KeyMethod`: of a recovery password or of a passphrase."""
    reserved: int = 0
    """0 as far as known."""
    salt: bytes
    """16 bytes."""
    datums: tuple[Datum, ...] = attrs.field(converter=_as_datums)
    """Boxes under the volume's master key from which Windows shows and re-wraps the password."""
    flags: int = 1
    """1 on disk."""


@final
@attrs.frozen(kw_only=True)
class Protector:
    """
    A key protector: one way to the volume's master key.
    """

    role: int
    """A `Role`."""
    guid: uuid.UUID
    """Its name in Windows' tools."""
    changed: int
    """When it was made, a FILETIME of whole milliseconds."""
    reserved: int = 0
    """0 as far as known."""
    kind: int
    """A `ProtectorKind`, or a number that this version does not know."""
    datums: tuple[Datum, ...] = attrs.field(converter=_as_datums)
    """How to get at the master key, and the master key's box."""
    flags: int = 1
    """1 on disk."""


@final
@attrs.frozen(kw_only=True)
class OsStamp:
    """
    The version of the system that wrote the metadata.
    """

    major: int = 10
    """Major version."""
    minor: int = 0
    """Minor version."""
    build: int = 19041
    """Build number."""
    platform: int = 2
    """2: Windows NT."""
    service_pack_major: int = 0
    """Service pack."""
    service_pack_minor: int = 0
    """Service pack, minor."""
    suite: int = 0x0110
    """A mask of product suites."""
    product_type: int = 1
    """1: a workstation."""
    last: int = 2
    """2 in every volume seen."""


@final
@attrs.frozen(kw_only=True)
class VirtualizationExtension:
    """
    What Windows 8 and later say beside the virtualised block's place.
    """

    settings: int = 0x0A
    """A mask; 0x0A for NTFS on sectors of 512 bytes."""
    log_offset: int = 0
    """Where a conversion's log is; 0 when there is none."""
    log_length: int = 0
    """How long it is."""
    first_sector_bytes: int = 512
    """Bytes in a sector."""
    second_sector_bytes: int = 512
    """The same number in every volume seen."""
    os_stamp: OsStamp = attrs.field(factory=OsStamp)
    """The writing system."""
    region_offset: int
    """Where the extension's own region of 64 KiB is."""
    region_length: int = 0x10000
    """How long it is."""
    reserved: int = 0
    """0 as far as known."""


@final
@attrs.frozen(kw_only=True)
class Virtualization:
    """
    Where the first sectors of the file system went.
    """

    role: int
    """A `Role`."""
    offset: int
    """Where the virtualised block is, in bytes from the start of the volume."""
    length: int
    """How long it is: 8192."""
    extension: VirtualizationExtension | None
    """What Windows 8 and later add."""
    flags: int = 1
    """1 on disk."""


@final
@attrs.frozen(kw_only=True)
class OpaqueDatum:
    """
    A datum that this version does not understand; kept as it is.
    """

    role: int
    """A `Role`, or a number that this version does not know."""
    kind: int
    """The number of its type."""
    flags: int
    """1 on disk, as far as known."""
    body: bytes = attrs.field(repr=False)  # may hold a clear key
    """All that follows its header."""


Datum: TypeAlias = Text | Box | StretchedKey | Protector | Virtualization | OpaqueDatum
"""Any datum of a metadata block."""


@final
@attrs.frozen(kw_only=True)
class Metadata:
    """
    A volume's metadata: what one metadata block says before its validation structure.
    """

    state: int
    """A `VolumeState`."""
    next_state: int
    """The state that the volume is on its way to."""
    encrypted_bytes: int
    """How much of the volume is encrypted; all of it when the state is `ENCRYPTED`."""
    conversion_bytes: int = 0
    """The unit of a running conversion."""
    virtualized_sectors: int = 16
    """How many of the file system's first sectors lie elsewhere."""
    info_offsets: tuple[int, int, int]
    """Where the three copies of the metadata block are, in bytes from the volume's start."""
    virtualized_offset: int
    """Where the virtualised block is."""
    volume_guid: uuid.UUID
    """The volume's identifier."""
    next_counter: int
    """The counter that the next nonce takes."""
    method: int
    """The `CipherMethod`, or a number that this version does not know."""
    previous_method: int = 0
    """0 or the same as `method`; nobody reads it."""
    created: int
    """When the volume was encrypted, a FILETIME."""
    datums: tuple[Datum, ...] = attrs.field(converter=_as_datums)
    """Description, protectors, the volume's key, the virtualisation; in the order on disk."""
