"""
New volumes: from keys, names and times to the bytes that make a partition a BitLocker volume.
"""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import final

import attrs
from typing_extensions import Buffer

from offlineseed.bitlocker._boot_sector import BootSector, render_boot_sector
from offlineseed.bitlocker._boxes import seal_box
from offlineseed.bitlocker._cipher import SECTOR_BYTES, CipherMethod, SectorCipher
from offlineseed.bitlocker._key import Key
from offlineseed.bitlocker._layout import MOVED_BYTES, VolumeLayout
from offlineseed.bitlocker._open import ReadVolume, open_volume
from offlineseed.bitlocker._recovery_password import RecoveryPassword
from offlineseed.bitlocker._stretch import stretch_recovery_password
from offlineseed.bitlocker._values import (
    Box,
    BoxedKey,
    Datum,
    KeyMethod,
    Metadata,
    Nonce,
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
from offlineseed.bitlocker._wire_metadata import render_metadata_block, seal_metadata
from offlineseed.errors import BitLockerFormatError

__all__ = ["EncryptingVolume", "StoredPiece", "VolumeSpec", "encrypt_volume", "resume_volume"]

_EPOCH = datetime(1601, 1, 1, tzinfo=timezone.utc)
_MILLISECOND = 10_000  # of a FILETIME's 100 ns
_FIRST_COUNTER = 2
_MASTER_KEY_BYTES = 32
_SALT_BYTES = 16


@final
@attrs.frozen(kw_only=True)
class VolumeSpec:
    """
    Everything that makes a new volume what it is, but for its recovery password.

    The same specification and password give the same bytes. Keys, salt and identifiers are for
    one volume only: `generate` draws them.
    """

    layout: VolumeLayout
    """Where the structures lie."""
    description: str
    """For a person: computer, label and date, such as `HOST DATA 11/22/2026`."""
    created: datetime
    """When the volume is encrypted; aware. Nonces carry it: one time for one master key."""
    volume_guid: uuid.UUID
    """The volume's identifier."""
    protector_guid: uuid.UUID
    """The recovery password's identifier, which Windows shows beside it."""
    master_key: Key
    """The 32 bytes that the protector opens and that opens the volume's key."""
    volume_key: Key
    """The key of the sectors, `method.key_bytes` long."""
    salt: bytes
    """16 bytes for the stretching of the recovery password."""
    method: CipherMethod = CipherMethod.XTS_128
    """How sectors are encrypted."""
    hidden_sectors: int = 2048
    """The partition's first sector on the disk, as in the NTFS inside."""
    protector_name: str = "DiskPassword"
    """What Windows' command line calls the protector; may be empty."""
    os_stamp: OsStamp = attrs.field(factory=OsStamp)
    """The system that claims to have written the volume."""

    @classmethod
    def generate(
        cls,
        layout: VolumeLayout,
        *,
        description: str,
        created: datetime,
        method: CipherMethod = CipherMethod.XTS_128,
        hidden_sectors: int = 2048,
        random_bytes: Callable[[int], bytes] = secrets.token_bytes,
    ) -> VolumeSpec:
        """
        Return a specification with keys, salt and identifiers drawn anew.

        `random_bytes` returns as many bytes as it is asked for, fit for keys.
        """
        return cls(
            layout=layout,
            description=description,
            created=created,
            volume_guid=uuid.UUID(bytes=random_bytes(16), version=4),
            protector_guid=uuid.UUID(bytes=random_bytes(16), version=4),
            master_key=Key.generate(_MASTER_KEY_BYTES, random_bytes=random_bytes),
            volume_key=Key.generate(method.key_bytes, random_bytes=random_bytes),
            salt=random_bytes(_SALT_BYTES),
            method=method,
            hidden_sectors=hidden_sectors,
        )


@final
@attrs.frozen(kw_only=True)
class StoredPiece:
    """
    Bytes as they lie on the volume.
    """

    offset: int
    """Where they lie, in bytes from the start of the volume."""
    data: Buffer = attrs.field(repr=False)
    """The bytes; a view into a buffer of the caller's where `encrypt` was given one."""


@final
class EncryptingVolume:
    """
    A new volume: its plain structures, and the encryption of all that the file system writes.

    Order on disk, so that a half-made volume never opens: blank the place of `boot_sector` first,
    and write `boot_sector` last, each made durable by itself. Between them come file data and NTFS
    through `encrypt`, and `structures` in their order: before the data where `resume_volume` shall
    find the keys again after a crash, else after them.

    `encrypt` may be called from several threads at once.
    """

    __slots__ = ("_cipher", "_map", "boot_sector", "layout", "structures")

    def __init__(
        self,
        layout: VolumeLayout,
        cipher: SectorCipher,
        *,
        structures: tuple[StoredPiece, ...],
        boot_sector: StoredPiece,
    ) -> None:
        self.layout = layout
        """Where the structures lie."""
        self.structures = structures
        """The sectors after the boot sector, then the metadata's copies, the last one first."""
        self.boot_sector = boot_sector
        """The sector that makes it a BitLocker volume."""
        self._cipher = cipher
        self._map = layout.view_map

    def encrypt(
        self, offset: int, data: Buffer, *, out: Buffer | None = None
    ) -> tuple[StoredPiece, ...]:
        """
        Encrypt bytes of the file system for the places where they lie on the volume.

        Almost always one piece at the same offset. Bytes of the beginning go to the virtualised
        block; zeros in the places of the structures go nowhere.

        Args:
            offset: where the file system writes, in bytes from the start of its volume.
            data: what it writes; offset and length are whole sectors.
            out: a writable buffer at least as long, which the pieces then refer to; may be
                `data` itself. Without it there is a new one for each call.

        Raises:
            ValueError: the range is not in the volume or not whole sectors, or something other
                than zeros goes where the structures lie and would be lost.
        """
        source = memoryview(data).cast("B")
        target = memoryview(bytearray(len(source)) if out is None else out).cast("B")
        stored: list[StoredPiece] = []
        for piece in self._map.pieces(offset, len(source)):
            start = piece.offset - offset
            part = source[start : start + piece.length]
            if piece.stored_offset is None:
                if any(part):
                    raise ValueError(
                        f"file data at {piece.offset} lie where BitLocker's structures are;"
                        " reserve their extents in the file system"
                    )
                continue
            room = target[start : start + piece.length]
            self._cipher.encrypt_into(piece.stored_offset, part, room)
            stored.append(StoredPiece(offset=piece.stored_offset, data=room))
        return tuple(stored)


def encrypt_volume(
    spec: VolumeSpec, recovery_password: RecoveryPassword, *, vectorized: bool | None = None
) -> EncryptingVolume:
    """
    Make a volume that the recovery password opens, in the state "fully encrypted".

    Takes half a second, for the stretching of the password. `vectorized` is as for
    `SectorCipher`.

    Raises:
        BitLockerFormatError: the description is too long, or a value of the specification is not
            possible.
    """
    cipher = SectorCipher(spec.method, spec.volume_key, vectorized=vectorized)
    block = _metadata_block(spec, recovery_password)
    boot = _boot_sector(spec.layout, spec.hidden_sectors)
    return _encrypting_volume(spec.layout, cipher, boot, block)


def resume_volume(
    read: ReadVolume,
    layout: VolumeLayout,
    *,
    recovery_password: RecoveryPassword,
    hidden_sectors: int = 2048,
) -> EncryptingVolume:
    """
    Go on with a volume whose `structures` were written and whose boot sector may be missing.

    Its keys are taken from its metadata, so what was encrypted before stays good. Takes half a
    second.

    Args:
        read: as for `open_volume`.
        layout: the layout that the volume was begun with.
        recovery_password: the password that it was begun with.
        hidden_sectors: the partition's first sector on the disk.

    Raises:
        BitLockerFormatError: no copy of the metadata can be read, or they are of another layout:
            begin anew.
        UnlockRefusedError: it was begun with another password.
    """
    boot = _boot_sector(layout, hidden_sectors)
    unlocked = open_volume(read, boot_sector=boot).unlock(recovery_password)
    metadata = unlocked.metadata
    found = (metadata.encrypted_bytes, metadata.info_offsets, metadata.virtualized_offset)
    if found != (layout.volume_bytes, layout.info_offsets, layout.moved_offset):
        raise BitLockerFormatError(
            "the volume was begun with another layout; begin anew", context="information header"
        )
    block = render_metadata_block(unlocked.metadata_block)
    return _encrypting_volume(layout, unlocked.cipher, boot, block)


def _boot_sector(layout: VolumeLayout, hidden_sectors: int) -> BootSector:
    return BootSector(
        sectors_per_cluster=layout.cluster_bytes // SECTOR_BYTES,
        hidden_sectors=hidden_sectors,
        info_offsets=layout.info_offsets,
    )


def _encrypting_volume(
    layout: VolumeLayout, cipher: SectorCipher, boot: BootSector, block: bytes
) -> EncryptingVolume:
    # Nobody reads the rest of the moved sectors' first place; ciphertext overwrites what was there.
    rest = cipher.encrypt(SECTOR_BYTES, bytes(MOVED_BYTES - SECTOR_BYTES))
    return EncryptingVolume(
        layout,
        cipher,
        structures=(
            StoredPiece(offset=SECTOR_BYTES, data=rest),
            *(StoredPiece(offset=offset, data=block) for offset in layout.info_offsets[::-1]),
        ),
        boot_sector=StoredPiece(offset=0, data=render_boot_sector(boot)),
    )


def _metadata_block(spec: VolumeSpec, password: RecoveryPassword) -> bytes:
    layout = spec.layout
    created = _filetime(spec.created)
    sealer = _Sealer(created // _MILLISECOND * _MILLISECOND)
    datums: tuple[Datum, ...] = (
        Text(role=Role.DESCRIPTION, text=spec.description),
        _recovery_protector(spec, password, sealer),
        sealer.seal(spec.volume_key, spec.method, under=spec.master_key, role=Role.VOLUME_KEY),
        Virtualization(
            role=Role.VIRTUALIZATION,
            offset=layout.moved_offset,
            length=MOVED_BYTES,
            extension=VirtualizationExtension(
                os_stamp=spec.os_stamp, region_offset=layout.region_offset
            ),
        ),
    )
    nonce = sealer.next_nonce()
    metadata = Metadata(
        state=VolumeState.ENCRYPTED,
        next_state=VolumeState.ENCRYPTED,
        encrypted_bytes=layout.volume_bytes,
        info_offsets=layout.info_offsets,
        virtualized_offset=layout.moved_offset,
        volume_guid=spec.volume_guid,
        next_counter=nonce.counter + 1,
        method=spec.method,
        created=created,
        datums=datums,
    )
    return render_metadata_block(seal_metadata(metadata, spec.master_key, nonce))


def _recovery_protector(spec: VolumeSpec, password: RecoveryPassword, sealer: _Sealer) -> Protector:
    stretched = stretch_recovery_password(password, spec.salt)
    name = [Text(role=Role.NESTED, text=spec.protector_name)] if spec.protector_name else []
    return Protector(
        role=Role.PROTECTOR,
        guid=spec.protector_guid,
        changed=sealer.time,
        kind=ProtectorKind.RECOVERY_PASSWORD,
        datums=(
            *name,
            StretchedKey(
                role=Role.NESTED,
                method=KeyMethod.RECOVERY_PASSWORD,
                salt=spec.salt,
                datums=(
                    sealer.seal(
                        Key(password.key_bytes()),
                        KeyMethod.RECOVERY_PASSWORD,
                        under=spec.master_key,
                        role=Role.PASSWORD_BACKUP,
                    ),
                    sealer.seal(
                        stretched,
                        KeyMethod.STRETCHED_RECOVERY_PASSWORD,
                        under=spec.master_key,
                        role=Role.STRETCHED_BACKUP,
                    ),
                ),
            ),
            sealer.seal(spec.master_key, KeyMethod.MASTER_KEY, under=stretched, role=Role.NESTED),
        ),
    )


@final
class _Sealer:
    # Counts the boxes of one volume, so that no nonce comes twice.
    def __init__(self, time: int) -> None:
        self.time = time
        self._counter = _FIRST_COUNTER

    def next_nonce(self) -> Nonce:
        nonce = Nonce(time=self.time, counter=self._counter)
        self._counter += 1
        return nonce

    def seal(self, key: Key, method: int, *, under: Key, role: int) -> Box:
        content = BoxedKey(method=method, key=key)
        return seal_box(content, under, self.next_nonce(), role=role)


def _filetime(moment: datetime) -> int:
    if moment.tzinfo is None or moment < _EPOCH:
        raise BitLockerFormatError("the volume's time of creation is not an aware time after 1601")
    return (moment - _EPOCH) // timedelta(microseconds=1) * 10
