"""
BitLocker volumes, written and read in pure Python: values, bytes and ciphers, no I/O.
"""

from __future__ import annotations

from offlineseed.bitlocker._boot_sector import BootSector, parse_boot_sector, render_boot_sector
from offlineseed.bitlocker._boxes import open_box, seal_box
from offlineseed.bitlocker._cipher import SECTOR_BYTES, CipherMethod, SectorCipher
from offlineseed.bitlocker._key import Key
from offlineseed.bitlocker._layout import (
    LEAST_VOLUME_BYTES,
    SYSTEM_FOLDER,
    ReservedExtent,
    ViewMap,
    ViewPiece,
    VolumeLayout,
    plan_layout,
)
from offlineseed.bitlocker._new_volume import (
    EncryptingVolume,
    StoredPiece,
    VolumeSpec,
    encrypt_volume,
    resume_volume,
)
from offlineseed.bitlocker._open import LockedVolume, ReadVolume, UnlockedVolume, open_volume
from offlineseed.bitlocker._recovery_password import RecoveryPassword
from offlineseed.bitlocker._stretch import stretch_passphrase, stretch_recovery_password
from offlineseed.bitlocker._values import (
    Box,
    BoxedKey,
    Datum,
    KeyMethod,
    Metadata,
    Nonce,
    OpaqueDatum,
    OsStamp,
    Protector,
    ProtectorKind,
    Role,
    StretchedKey,
    Text,
    Virtualization,
    VirtualizationExtension,
    VolumeState,
)
from offlineseed.bitlocker._wire_metadata import (
    METADATA_BYTES,
    MetadataBlock,
    parse_metadata_block,
    render_metadata_block,
    seal_metadata,
)

__all__ = [
    "LEAST_VOLUME_BYTES",
    "METADATA_BYTES",
    "SECTOR_BYTES",
    "SYSTEM_FOLDER",
    "BootSector",
    "Box",
    "BoxedKey",
    "CipherMethod",
    "Datum",
    "EncryptingVolume",
    "Key",
    "KeyMethod",
    "LockedVolume",
    "Metadata",
    "MetadataBlock",
    "Nonce",
    "OpaqueDatum",
    "OsStamp",
    "Protector",
    "ProtectorKind",
    "ReadVolume",
    "RecoveryPassword",
    "ReservedExtent",
    "Role",
    "SectorCipher",
    "StoredPiece",
    "StretchedKey",
    "Text",
    "UnlockedVolume",
    "ViewMap",
    "ViewPiece",
    "Virtualization",
    "VirtualizationExtension",
    "VolumeLayout",
    "VolumeSpec",
    "VolumeState",
    "encrypt_volume",
    "open_box",
    "open_volume",
    "parse_boot_sector",
    "parse_metadata_block",
    "plan_layout",
    "render_boot_sector",
    "render_metadata_block",
    "resume_volume",
    "seal_box",
    "seal_metadata",
    "stretch_passphrase",
    "stretch_recovery_password",
]
