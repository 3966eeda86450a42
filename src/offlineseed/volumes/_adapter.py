"""
What a volume adapter is: the protocols behind which every kind of volume looks the same.

A volume is created for its contents: the whole list of files is known before the drive is
touched. It is written file by file, made whole by `finish`, and read again for verification.

The order of durability, which every adapter keeps:

1. `create` makes the drive say that its volume is unfinished, before anything else.
2. A file is whole once its `close` returned: its bytes survive a loss of power.
3. `finish` makes the volume whole, last of all. Nobody takes an unfinished volume for a finished
   one: `open` refuses it, and no reader of the finished format accepts it or finds a manifest.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Protocol

from typing_extensions import Buffer

from offlineseed.bitlocker import RecoveryPassword
from offlineseed.volumes._model import CacheBypass, Drive, VolumeCapacity, VolumeFile

__all__ = ["VolumeAdapter", "VolumeFileWriter", "VolumeReader", "VolumeWriter"]


class VolumeFileWriter(Protocol):
    """
    One file being written, front to back.

    Thread rule: one thread at a time.
    """

    def write(self, data: Buffer, /) -> None:
        """
        Append bytes. The buffer stays the caller's, who may change it as soon as this returns.

        Large writes that are multiples of 4 MiB are quickest; any length is right.

        Raises:
            VolumeError: more bytes than the file's length.
            VolumeFullError: the drive has no space left.
            OSError: the drive refuses.
        """

    def close(self) -> None:
        """
        Make the file whole and durable.

        Raises:
            VolumeError: fewer bytes were written than the file's length (any number is right for
                a file that `is_maximum`). The file is not whole.
            OSError: the drive refuses. The file is not whole.
        """

    def discard(self) -> None:
        """
        Leave the file without making it whole; does nothing after `close`. Never raises.
        """


class VolumeWriter(Protocol):
    """
    An unfinished volume.

    Thread rule: one thread at a time, and one file at a time: the last one is closed or discarded
    before the next is opened.
    """

    def open(self, file: VolumeFile, /) -> VolumeFileWriter:
        """
        Begin to write one of the files that the volume was created for; in any order.

        What an earlier attempt wrote of it is gone.

        Raises:
            VolumeError: another file is still open, or this one is none of the contents.
            OSError: the drive refuses.
        """

    def keep(self, file: VolumeFile, /) -> bool:
        """
        Count on a file that a writer before this one closed.

        Returns:
            Whether the file is there, as far as can be told quickly: its name and length where
            the volume knows them. Its content is for the verification.
        """

    def finish(self) -> None:
        """
        Make the volume whole: from now on it is taken for a finished one.

        Raises:
            VolumeError: a file of the contents was neither written nor kept.
            OSError: the drive refuses. The volume is not finished.
        """

    def close(self) -> None:
        """
        Let go of the drive. Without `finish` before it the volume stays unfinished. Never raises
        after `finish`; may be called twice.
        """


class VolumeReader(Protocol):
    """
    A finished volume, read past the page cache where that can be done.

    Thread rule: one thread at a time.
    """

    @property
    def cache_bypass(self) -> CacheBypass:
        """
        The weakest way in which anything was read so far; before the first read, what to expect.
        """

    def files(self) -> Iterator[VolumeFile]:
        """
        Yield every file there is, the manifest too, in no particular order; the system's own
        files left out.
        """

    def read(self, path: str, offset: int, length: int) -> bytes:
        """
        Return that range of a file: shorter only where the file ends before it.

        Raises:
            FileNotFoundError: there is no such file.
            UnsafeNameError: the path would leave the volume.
            OSError: the drive can't be read there.
        """

    def close(self) -> None:
        """
        Let go of the drive; may be called twice.
        """


class VolumeAdapter(Protocol):
    """
    One way to make volumes on drives.

    Whoever calls `create` has the owner's consent to lose what is on the drive.

    Thread rule: any thread, different drives at once; one handle for a drive at a time.
    """

    def capacity(self, drive: Drive, /) -> VolumeCapacity:
        """
        Return how much a new volume on this drive would hold. Changes nothing.

        Raises:
            AdapterUnavailableError: this machine lacks something; it says what to install.
            OSError: the drive can't be reached.
        """

    def create(
        self, drive: Drive, contents: Collection[VolumeFile], recovery_password: RecoveryPassword
    ) -> VolumeWriter:
        """
        Begin a volume for exactly these files. It is unfinished until its writer's `finish`.

        Args:
            drive: what was on it is lost; an adapter may refuse where it would lose what it can't
                tell from other people's data.
            contents: all files, each path once. Gone through as often as needed, so that millions
                need not lie in memory. At most one `is_maximum`.
            recovery_password: the protector of the volume. An adapter that does not encrypt
                leaves it aside.

        Raises:
            VolumeFullError: the contents do not fit; the drive is as it was.
            NameNotAllowedError: a name that Windows could not open; the drive is as it was.
            VolumeError: the drive must not be used like this; the drive is as it was.
            AdapterUnavailableError: this machine lacks something; it says what to install.
            OSError: the drive refuses.
        """

    def resume(
        self, drive: Drive, contents: Collection[VolumeFile], recovery_password: RecoveryPassword
    ) -> VolumeWriter:
        """
        Go on with a volume that `create` began for the same contents and nobody finished.

        Files that are not kept are to be written again.

        Raises:
            DriveChangedError: the drive holds no such unfinished volume.
            UnlockRefusedError: the recovery password is not that volume's, where it can tell.
            OSError: the drive refuses.
        """

    def open(self, drive: Drive, recovery_password: RecoveryPassword) -> VolumeReader:
        """
        Open a finished volume for reading. Changes nothing.

        Raises:
            VolumeError: there is no finished volume on the drive.
            UnlockRefusedError: the recovery password does not open it.
            OSError: the drive can't be read.
        """
