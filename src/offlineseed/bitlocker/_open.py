"""
Volumes that exist: finding their metadata, unlocking them, reading their plaintext.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeAlias, final

from typing_extensions import Buffer

from offlineseed.bitlocker._boot_sector import BOOT_SECTOR_BYTES, BootSector, parse_boot_sector
from offlineseed.bitlocker._boxes import open_box
from offlineseed.bitlocker._cipher import SECTOR_BYTES, CipherMethod, SectorCipher
from offlineseed.bitlocker._key import Key
from offlineseed.bitlocker._layout import ViewMap
from offlineseed.bitlocker._recovery_password import RecoveryPassword
from offlineseed.bitlocker._stretch import stretch_passphrase, stretch_recovery_password
from offlineseed.bitlocker._values import (
    Box,
    Metadata,
    Protector,
    ProtectorKind,
    Role,
    StretchedKey,
    VolumeState,
)
from offlineseed.bitlocker._wire_metadata import (
    METADATA_BYTES,
    MetadataBlock,
    parse_metadata_block,
)
from offlineseed.errors import BitLockerFormatError, UnlockRefusedError
from offlineseed.findings import Finding, Severity

__all__ = ["LockedVolume", "ReadVolume", "UnlockedVolume", "open_volume"]

ReadVolume: TypeAlias = Callable[[int, int], Buffer]
"""Reads `(offset, length)` from a volume. Fewer bytes than asked for mean its end."""

_PIECE_BYTES = 1 << 20
_MOST_OFFSET = (1 << 63) - 1


def open_volume(read: ReadVolume, *, boot_sector: BootSector | None = None) -> LockedVolume:
    """
    Find the metadata of a BitLocker volume.

    Args:
        read: reads `(offset, length)` of the volume. Reads of the boot sector and the metadata
            are at most 64 KiB, those of the unlocked view at most 1 MiB, all in whole sectors.
        boot_sector: taken instead of what lies at the volume's start, for a volume that has no
            boot sector yet or whose boot sector is lost.

    Raises:
        BitLockerFormatError: it is no BitLocker volume, or none of its metadata copies can be
            read.
    """
    boot = boot_sector or parse_boot_sector(_read_exactly(read, 0, BOOT_SECTOR_BYTES))
    if boot.sector_bytes != SECTOR_BYTES:
        raise BitLockerFormatError(
            f"the volume has sectors of {boot.sector_bytes} bytes; drives for seeding have"
            f" {SECTOR_BYTES}",
            context="boot sector",
        )
    blocks: list[MetadataBlock] = []
    findings: list[Finding] = []
    for number, offset in enumerate(boot.info_offsets, 1):
        copy = _read_copy(read, number, offset)
        if isinstance(copy, Finding):
            findings.append(copy)
        else:
            blocks.append(copy)
    if not blocks:
        raise BitLockerFormatError(
            "none of the volume's three copies of its BitLocker metadata can be read: "
            + "; ".join(finding.message for finding in findings),
            context="metadata",
        )
    return LockedVolume(read, boot, tuple(blocks), tuple(findings))


@final
class LockedVolume:
    """
    A volume whose metadata were found. Made by `open_volume`.
    """

    __slots__ = ("_blocks", "_read", "boot_sector", "findings")

    def __init__(
        self,
        read: ReadVolume,
        boot_sector: BootSector,
        blocks: tuple[MetadataBlock, ...],
        findings: tuple[Finding, ...],
    ) -> None:
        self._read = read
        self._blocks = blocks
        self.boot_sector = boot_sector
        """What the boot sector says."""
        self.findings = findings
        """A warning for each copy of the metadata that can't be read."""

    @property
    def metadata(self) -> Metadata:
        """
        The metadata of the first copy that can be read; nothing vouches for them yet.
        """
        return self._blocks[0].metadata

    def unlock(self, recovery_password: RecoveryPassword) -> UnlockedVolume:
        """
        Unlock the volume with its recovery password. Takes half a second for each one it has.

        Raises:
            UnlockRefusedError: it is not the recovery password of this volume.
            BitLockerFormatError: the password is right, and the volume can't be read.
        """
        return self._unlock_by_protector(
            ProtectorKind.RECOVERY_PASSWORD,
            lambda salt: stretch_recovery_password(recovery_password, salt),
        )

    def unlock_with_passphrase(self, passphrase: str) -> UnlockedVolume:
        """
        Unlock the volume with its passphrase. Takes half a second.

        Raises:
            UnlockRefusedError: it is not the passphrase of this volume.
            BitLockerFormatError: the passphrase is right, and the volume can't be read.
        """
        return self._unlock_by_protector(
            ProtectorKind.PASSPHRASE, lambda salt: stretch_passphrase(passphrase, salt)
        )

    def unlock_with_master_key(self, master_key: Key) -> UnlockedVolume:
        """
        Unlock the volume with its master key, as whoever made it may. Takes no time.

        Raises:
            UnlockRefusedError: it is not the master key of this volume.
            BitLockerFormatError: the key is right, and the volume can't be read.
        """
        return self._unlock(lambda _metadata: master_key)

    def _unlock_by_protector(
        self, kind: ProtectorKind, stretch: Callable[[bytes], Key]
    ) -> UnlockedVolume:
        keys: dict[bytes, Key] = {}  # the copies have the same salts

        def find_master_key(metadata: Metadata) -> Key | None:
            for salt, box in _ways(metadata, kind):
                key = keys.get(salt) or keys.setdefault(salt, stretch(salt))
                content = open_box(box, key)
                if content is not None:
                    return content.key
            return None

        return self._unlock(find_master_key)

    def _unlock(self, find_master_key: Callable[[Metadata], Key | None]) -> UnlockedVolume:
        problems: list[BitLockerFormatError] = []
        for block in self._blocks:
            outcome = _try_block(self._read, block, find_master_key)
            if isinstance(outcome, UnlockedVolume):
                return outcome
            if outcome is not None:
                problems.append(outcome)
        if problems:
            raise problems[0]
        raise UnlockRefusedError(
            "the volume does not open with this; take the one that belongs to this drive"
        )


@final
class UnlockedVolume:
    """
    The plaintext of a volume as its file system sees it. Made by `LockedVolume.unlock`.

    Calls may come from several threads at once where the volume's `read` allows it.
    """

    __slots__ = ("_map", "_read", "cipher", "metadata_block", "size_bytes")

    def __init__(
        self, read: ReadVolume, block: MetadataBlock, cipher: SectorCipher, view_map: ViewMap
    ) -> None:
        self._read = read
        self._map = view_map
        self.cipher = cipher
        """What its sectors are encrypted with."""
        self.metadata_block = block
        """The copy of the metadata that the volume's own key vouches for."""
        self.size_bytes = view_map.volume_bytes
        """The view's size: that of the partition."""

    @property
    def metadata(self) -> Metadata:
        """
        The metadata that the volume's own key vouches for.
        """
        return self.metadata_block.metadata

    def read(self, offset: int, length: int) -> bytes:
        """
        Return any range of the plaintext.

        Raises:
            ValueError: the range is not in the volume.
            BitLockerFormatError: the volume ends before the range does.
        """
        out = bytearray(length)
        self.read_into(offset, out)
        return bytes(out)

    def read_into(self, offset: int, out: Buffer) -> None:
        """
        Fill a writable buffer with the plaintext at any offset; needs at most 1 MiB beside it.

        Raises:
            ValueError: the range is not in the volume.
            BitLockerFormatError: the volume ends before the range does.
        """
        target = memoryview(out).cast("B")
        for piece in self._map.pieces(offset, len(target)):
            start = piece.offset - offset
            room = target[start : start + piece.length]
            if piece.stored_offset is None:
                room[:] = bytes(len(room))
            else:
                self._read_stored(piece.stored_offset, room)

    def pieces(
        self, offset: int = 0, length: int | None = None, *, piece_bytes: int = _PIECE_BYTES
    ) -> Iterator[bytes]:
        """
        Yield a range of the plaintext in pieces, in order; by default all of it.

        Raises:
            ValueError: the range is not in the volume.
            BitLockerFormatError: the volume ends before the range does.
        """
        end = self.size_bytes if length is None else offset + length
        for position in range(offset, end, piece_bytes):
            yield self.read(position, min(piece_bytes, end - position))

    def _read_stored(self, offset: int, room: memoryview) -> None:
        # Whole sectors around the range; only its ends may need less than a sector.
        end = offset + len(room)
        position = offset
        while position < end:
            first = position // SECTOR_BYTES * SECTOR_BYTES
            last = min(-(-end // SECTOR_BYTES) * SECTOR_BYTES, first + _PIECE_BYTES)
            data = _read_exactly(self._read, first, last - first)
            stop = min(end, last)
            part = room[position - offset : stop - offset]
            if len(part) == len(data):
                self.cipher.decrypt_into(first, data, part)
            else:
                part[:] = self.cipher.decrypt(first, data)[position - first : stop - first]
            position = stop


def _ways(metadata: Metadata, kind: ProtectorKind) -> Iterator[tuple[bytes, Box]]:
    for protector in metadata.datums:
        if isinstance(protector, Protector) and protector.kind == kind:
            salts = [d.salt for d in protector.datums if isinstance(d, StretchedKey)]
            boxes = [d for d in protector.datums if isinstance(d, Box)]
            if len(salts) == 1 and len(boxes) == 1:
                yield salts[0], boxes[0]


def _try_block(
    read: ReadVolume, block: MetadataBlock, find_master_key: Callable[[Metadata], Key | None]
) -> UnlockedVolume | BitLockerFormatError | None:
    # None: the secret does not open this copy. An error: it does, and the copy is of no use.
    try:
        master_key = find_master_key(block.metadata)
        if master_key is None:
            return None
        volume_key = _open_volume_key(block.metadata, master_key)
        if volume_key is None:
            return None
        return _unlock_block(read, block, master_key, volume_key)
    except BitLockerFormatError as error:
        return error


def _open_volume_key(metadata: Metadata, master_key: Key) -> Key | None:
    for datum in metadata.datums:
        if isinstance(datum, Box) and datum.role == Role.VOLUME_KEY:
            content = open_box(datum, master_key)
            if content is not None:
                return content.key
    return None


def _unlock_block(
    read: ReadVolume, block: MetadataBlock, master_key: Key, volume_key: Key
) -> UnlockedVolume:
    metadata = block.metadata
    if not block.is_vouched_for(master_key):
        raise BitLockerFormatError(
            "the BitLocker metadata were changed behind the volume's back; do not trust this drive",
            context="validation",
        )
    if (metadata.state, metadata.next_state) != (VolumeState.ENCRYPTED, VolumeState.ENCRYPTED):
        raise BitLockerFormatError(
            f"the volume is not fully encrypted (state {metadata.state}); let Windows finish",
            context="information header",
        )
    try:
        cipher = SectorCipher(CipherMethod(metadata.method), volume_key)
    except ValueError as error:
        raise BitLockerFormatError(
            f"the volume's encryption method 0x{metadata.method:04x} is not known; encrypt it"
            " with AES in XTS or CBC mode, without diffuser",
            context="data set",
        ) from error
    view_map = ViewMap(
        volume_bytes=metadata.encrypted_bytes,
        info_offsets=metadata.info_offsets,
        moved_offset=metadata.virtualized_offset,
        moved_bytes=metadata.virtualized_sectors * SECTOR_BYTES,
    )
    return UnlockedVolume(read, block, cipher, view_map)


def _read_exactly(read: ReadVolume, offset: int, length: int) -> bytes:
    if offset + length > _MOST_OFFSET:  # systems have no such offsets: `read` may not know them
        raise BitLockerFormatError(
            f"the volume names an impossible offset of {offset}; it is damaged",
            context=f"offset {offset}",
        )
    data = bytes(read(offset, length))
    if len(data) != length:
        raise BitLockerFormatError(
            f"the volume ends inside the {length} bytes at {offset}; copy it whole",
            context=f"offset {offset}",
        )
    return data


def _read_copy(read: ReadVolume, number: int, offset: int) -> MetadataBlock | Finding:
    try:
        block = parse_metadata_block(_read_exactly(read, offset, METADATA_BYTES))
    except BitLockerFormatError as error:
        message = str(error)
    else:
        if offset in block.metadata.info_offsets:
            return block
        message = "a BitLocker metadata block says that it belongs elsewhere; use another copy"
    return Finding(
        code="metadata-copy-damaged",
        subject=f"metadata copy {number}",
        message=message,
        severity=Severity.WARNING,
    )
