"""
What every volume adapter does alike, as tests.
"""

from __future__ import annotations

import contextlib
import random
from collections.abc import Collection

import pytest

from offlineseed.bitlocker import RecoveryPassword
from offlineseed.errors import (
    DriveChangedError,
    NameNotAllowedError,
    UnsafeNameError,
    VolumeError,
    VolumeFullError,
)
from offlineseed.volumes import Drive, VolumeAdapter, VolumeFile, VolumeFileWriter

__all__ = ["VolumeContract"]

_MIB = 1024 * 1024
_LENGTHS = {
    "empty": 0,
    "one byte": 1,
    "folder/511": 511,
    "folder/sector.bin": 512,
    "folder/deeper/4097": 4097,
    "nightly/segments/g0000-000000.zst": 4 * _MIB,
    "nightly/segments/g0000-000001.zst": 4 * _MIB + 1,
    "Größe ❄.bin": 70_000,
    "a" * 255: 3,
}
_MANIFEST = VolumeFile(path="DriveManifest.xml", length=_MIB, is_maximum=True)


class VolumeContract:
    """
    Tests of a volume adapter. Subclass it, and give two fixtures:

    - `adapter`: the adapter;
    - `drive`: a `Drive` that `adapter` may create a volume on, with room for 32 MiB of files and
      without a volume.

    Each test gets fresh ones.
    """

    recovery_password = RecoveryPassword(bytes(range(16)))
    """The recovery password of the volumes."""

    def test_capacity_of_an_unused_drive_leaves_room_for_files(
        self, adapter: VolumeAdapter, drive: Drive
    ) -> None:
        capacity = adapter.capacity(drive)
        assert 32 * _MIB <= capacity.usable_bytes <= drive.size_bytes
        with pytest.raises(VolumeError):
            adapter.open(drive, self.recovery_password)

    def test_files_written_come_back_with_their_paths_and_lengths(
        self, adapter: VolumeAdapter, drive: Drive
    ) -> None:
        files = _files(_LENGTHS)
        self._write(adapter, drive, files, manifest=b"<DriveManifest/>")
        with contextlib.closing(adapter.open(drive, self.recovery_password)) as reader:
            found = {file.path: file.length for file in reader.files()}
            assert found == _LENGTHS | {_MANIFEST.path: 16}
            for file in files:
                assert reader.read(file.path, 0, file.length) == _content(file)
            assert reader.read(_MANIFEST.path, 0, 1000) == b"<DriveManifest/>"

    def test_any_split_of_writes_gives_the_same_file(
        self, adapter: VolumeAdapter, drive: Drive
    ) -> None:
        file = VolumeFile(path="split", length=9 * _MIB + 7)
        content, chosen = _content(file), random.Random(1)  # noqa: S311  # not for keys
        writer = adapter.create(drive, [file], self.recovery_password)
        out = writer.open(file)
        position = 0
        while position < file.length:
            step = chosen.choice((0, 1, 511, 4096, 100_000, 3 * _MIB))
            out.write(memoryview(content)[position : position + step])
            position += step
        out.close()
        writer.finish()
        writer.close()
        with contextlib.closing(adapter.open(drive, self.recovery_password)) as reader:
            assert reader.read("split", 0, file.length) == content

    def test_buffer_changed_after_a_write_does_not_change_the_file(
        self, adapter: VolumeAdapter, drive: Drive
    ) -> None:
        file = VolumeFile(path="buffer", length=2 * _MIB)
        writer = adapter.create(drive, [file], self.recovery_password)
        out = writer.open(file)
        buffer = bytearray(b"A" * _MIB)
        out.write(buffer)
        buffer[:] = b"B" * _MIB
        out.write(buffer)
        buffer[:] = b"C" * _MIB
        out.close()
        writer.finish()
        writer.close()
        with contextlib.closing(adapter.open(drive, self.recovery_password)) as reader:
            assert reader.read("buffer", 0, 2 * _MIB) == b"A" * _MIB + b"B" * _MIB

    def test_read_returns_any_range_and_stops_at_the_end(
        self, adapter: VolumeAdapter, drive: Drive
    ) -> None:
        file = VolumeFile(path="ranges", length=5 * _MIB + 123)
        self._write(adapter, drive, [file])
        content = _content(file)
        with contextlib.closing(adapter.open(drive, self.recovery_password)) as reader:
            for offset, length in (
                (0, 1),
                (1, 4096),
                (4095, 2),
                (_MIB - 1, 4 * _MIB),
                (4 * _MIB, 4 * _MIB),
                (5 * _MIB + 122, 10),
                (5 * _MIB + 123, 10),
                (9 * _MIB, 10),
                (7, 0),
            ):
                assert reader.read("ranges", offset, length) == content[offset : offset + length]

    def test_unfinished_volume_is_refused_and_resumed(
        self, adapter: VolumeAdapter, drive: Drive
    ) -> None:
        first, second = _files({"first": 5000, "second": 6000})
        contents = [first, second, _MANIFEST]
        writer = adapter.create(drive, contents, self.recovery_password)
        _write_file(writer.open(first), _content(first))
        writer.open(second).write(b"half of it")
        writer.close()
        with pytest.raises(VolumeError):
            adapter.open(drive, self.recovery_password)

        writer = adapter.resume(drive, contents, self.recovery_password)
        assert writer.keep(first)
        _write_file(writer.open(second), _content(second))
        _write_file(writer.open(_MANIFEST), b"manifest")
        writer.finish()
        writer.close()
        with contextlib.closing(adapter.open(drive, self.recovery_password)) as reader:
            assert reader.read("first", 0, 9000) == _content(first)
            assert reader.read("second", 0, 9000) == _content(second)
            assert {file.path for file in reader.files()} == {"first", "second", _MANIFEST.path}

    def test_file_written_twice_has_its_second_content(
        self, adapter: VolumeAdapter, drive: Drive
    ) -> None:
        (file,) = _files({"twice": 10_000})
        writer = adapter.create(drive, [file], self.recovery_password)
        _write_file(writer.open(file), b"1" * 10_000)
        writer.close()
        writer = adapter.resume(drive, [file], self.recovery_password)
        _write_file(writer.open(file), b"2" * 10_000)
        writer.finish()
        writer.close()
        with contextlib.closing(adapter.open(drive, self.recovery_password)) as reader:
            assert reader.read("twice", 0, 10_000) == b"2" * 10_000

    def test_discarded_file_can_be_written_again(
        self, adapter: VolumeAdapter, drive: Drive
    ) -> None:
        (file,) = _files({"again": 10_000})
        writer = adapter.create(drive, [file], self.recovery_password)
        out = writer.open(file)
        out.write(b"wrong")
        out.discard()
        _write_file(writer.open(file), _content(file))
        writer.finish()
        writer.close()
        with contextlib.closing(adapter.open(drive, self.recovery_password)) as reader:
            assert reader.read("again", 0, 10_000) == _content(file)

    def test_file_longer_than_declared_is_refused(
        self, adapter: VolumeAdapter, drive: Drive
    ) -> None:
        (file,) = _files({"long": 100})
        with (
            contextlib.closing(adapter.create(drive, [file], self.recovery_password)) as writer,
            pytest.raises(VolumeError),
        ):
            writer.open(file).write(bytes(101))

    def test_file_shorter_than_declared_is_not_whole(
        self, adapter: VolumeAdapter, drive: Drive
    ) -> None:
        (file,) = _files({"short": 100})
        with contextlib.closing(adapter.create(drive, [file], self.recovery_password)) as writer:
            out = writer.open(file)
            out.write(bytes(99))
            with pytest.raises(VolumeError):
                out.close()
            with pytest.raises(VolumeError):
                writer.finish()

    def test_second_file_opened_before_the_first_is_closed_is_refused(
        self, adapter: VolumeAdapter, drive: Drive
    ) -> None:
        first, second = _files({"first": 1, "second": 1})
        with contextlib.closing(
            adapter.create(drive, [first, second], self.recovery_password)
        ) as writer:
            writer.open(first)
            with pytest.raises(VolumeError):
                writer.open(second)

    def test_finish_with_a_file_missing_leaves_the_volume_unfinished(
        self, adapter: VolumeAdapter, drive: Drive
    ) -> None:
        files = _files({"there": 10, "missing": 10})
        writer = adapter.create(drive, files, self.recovery_password)
        _write_file(writer.open(files[0]), _content(files[0]))
        with pytest.raises(VolumeError):
            writer.finish()
        writer.close()
        with pytest.raises(VolumeError):
            adapter.open(drive, self.recovery_password)

    def test_resume_for_other_contents_is_refused(
        self, adapter: VolumeAdapter, drive: Drive
    ) -> None:
        adapter.create(drive, _files({"one": 10}), self.recovery_password).close()
        with pytest.raises(DriveChangedError):
            adapter.resume(drive, _files({"another": 10}), self.recovery_password)

    def test_resume_on_a_drive_without_a_volume_is_refused(
        self, adapter: VolumeAdapter, drive: Drive
    ) -> None:
        with pytest.raises(DriveChangedError):
            adapter.resume(drive, _files({"one": 10}), self.recovery_password)

    def test_create_for_more_than_fits_leaves_the_drive_alone(
        self, adapter: VolumeAdapter, drive: Drive
    ) -> None:
        files = _files({"a": drive.size_bytes, "b": drive.size_bytes})
        with pytest.raises(VolumeFullError) as caught:
            adapter.create(drive, files, self.recovery_password)
        assert caught.value.needed_bytes >= 2 * drive.size_bytes > caught.value.free_bytes
        with pytest.raises(DriveChangedError):
            adapter.resume(drive, files, self.recovery_password)

    @pytest.mark.parametrize("name", ["a:b", "back\\slash", "dot.", "blank ", "com1.txt", "what?"])
    def test_create_for_a_name_that_windows_refuses_leaves_the_drive_alone(
        self, adapter: VolumeAdapter, drive: Drive, name: str
    ) -> None:
        files = [VolumeFile(path=f"folder/{name}", length=1)]
        with pytest.raises(NameNotAllowedError):
            adapter.create(drive, files, self.recovery_password)
        with pytest.raises(DriveChangedError):
            adapter.resume(drive, _files({"one": 10}), self.recovery_password)

    def test_read_of_a_missing_file_says_so(self, adapter: VolumeAdapter, drive: Drive) -> None:
        self._write(adapter, drive, _files({"there": 10}))
        with (
            contextlib.closing(adapter.open(drive, self.recovery_password)) as reader,
            pytest.raises(FileNotFoundError),
        ):
            reader.read("not there", 0, 1)

    @pytest.mark.parametrize("path", ["../outside", "/etc/hosts", "a/../../b", "", "..\\outside"])
    def test_read_outside_the_volume_is_refused(
        self, adapter: VolumeAdapter, drive: Drive, path: str
    ) -> None:
        self._write(adapter, drive, _files({"there": 10}))
        with (
            contextlib.closing(adapter.open(drive, self.recovery_password)) as reader,
            pytest.raises(UnsafeNameError),
        ):
            reader.read(path, 0, 1)

    def test_contents_may_be_any_collection(self, adapter: VolumeAdapter, drive: Drive) -> None:
        files = _files({f"many/{number:04d}": number for number in range(50)})
        self._write(adapter, drive, dict.fromkeys(files).keys())
        with contextlib.closing(adapter.open(drive, self.recovery_password)) as reader:
            assert len(list(reader.files())) == 50

    def _write(
        self,
        adapter: VolumeAdapter,
        drive: Drive,
        files: Collection[VolumeFile],
        *,
        manifest: bytes | None = None,
    ) -> None:
        contents = files if manifest is None else [*files, _MANIFEST]
        writer = adapter.create(drive, contents, self.recovery_password)
        for file in files:
            _write_file(writer.open(file), _content(file))
        if manifest is not None:
            _write_file(writer.open(_MANIFEST), manifest)
        writer.finish()
        writer.close()


def _files(lengths: dict[str, int]) -> list[VolumeFile]:
    return [VolumeFile(path=path, length=length) for path, length in lengths.items()]


def _content(file: VolumeFile) -> bytes:
    return random.Random(file.path).randbytes(file.length)  # noqa: S311  # not for keys


def _write_file(out: VolumeFileWriter, content: bytes) -> None:
    out.write(content)
    out.close()
