"""
What the workers do with a job: hash it, compare it with what is stored, compress what is new.
"""

from __future__ import annotations

import hashlib
from itertools import repeat
from typing import final

import xxhash
import zstandard

from offlineseed.seed._dedup import Dedup
from offlineseed.seed._job import Job
from offlineseed.seed._model import SeedOptions

__all__ = ["Compressors", "Encoder"]

_MANY_ITEMS = 32
_TINY_ITEMS = 128


@final
class Encoder:
    """
    Encodes jobs. `hash` and `compress` may run in any number of threads.

    Args:
        dedup: knows what is stored.
        chunk_bytes: greatest length of a chunk.
        last_chunk: the greatest chunk row in use.

    """

    def __init__(self, dedup: Dedup, *, chunk_bytes: int, last_chunk: int) -> None:
        self._dedup = dedup
        self._zeros = bytes(chunk_bytes)
        self._last_chunk = last_chunk

    def hash(self, job: Job) -> None:
        """
        Compute the digests of a job's contents.
        """
        buffer = job.buffer
        view = memoryview(buffer)
        if job.block is not None:
            if not self._is_zero(buffer, job.used):
                job.digest = hashlib.sha256(view[: job.used]).digest()
            return
        sha256 = hashlib.sha256
        digests = job.digests
        if b"" not in digests:
            return
        for index, (_, _, length, _, _, start) in enumerate(job.smalls):
            if not digests[index]:
                digests[index] = sha256(view[start : start + length]).digest()

    def _is_zero(self, buffer: bytearray, used: int) -> bool:
        if buffer[0] or buffer[used - 1]:
            return False
        if used == len(self._zeros):
            return buffer.startswith(self._zeros)
        return buffer.startswith(self._zeros[:used])

    def compare(self, job: Job) -> list[tuple[int, int]]:
        """
        Find out which contents are new, and complete the job's rows.

        Called by one thread at a time, in the order of the jobs. Returns the job's `runs`.
        """
        rows, dedup = job.rows, self._dedup
        if job.block is not None:
            if not job.digest:
                return []
            item, offset = job.block
            chunk = dedup.find_chunk(job.digest)
            if chunk is None:
                chunk = self._last_chunk = job.chunk = self._last_chunk + 1
                dedup.add_chunk(job.digest, chunk)
            rows.extents.append((item, offset, job.used, chunk, 0))
            return [(0, job.used)]
        if not job.smalls:
            return []
        new_chunk = self._last_chunk + 1
        items, names, lengths, modes, times, starts = zip(*job.smalls, strict=True)
        if dedup.add_all_new(job.digests, new_chunk, starts):
            none, chunk_column = repeat(None), repeat(new_chunk)
            columns = (items, names, repeat(1), lengths, modes, times, job.digests, none)
            rows.items.extend(zip(*columns, chunk_column, starts, strict=False))
            self._last_chunk = job.chunk = new_chunk
            return [(0, job.used)]
        runs: list[tuple[int, int]] = []
        packed = 0
        for small, digest in zip(job.smalls, job.digests, strict=True):
            item, name, length, mode, mtime_ns, start = small
            place = dedup.find_small(digest, length)
            if place is None:
                place = (new_chunk, packed)
                dedup.add_small(digest, new_chunk, packed)
                if runs and runs[-1][1] == start:
                    runs[-1] = (runs[-1][0], start + length)
                else:
                    runs.append((start, start + length))
                packed += length
            rows.items.append((item, name, 1, length, mode, mtime_ns, digest, None, *place))
        if packed:
            self._last_chunk = job.chunk = new_chunk
        return runs

    def compress(self, job: Job, compressors: Compressors) -> None:
        """
        Make the frame of a job's new chunk.
        """
        view, runs = memoryview(job.buffer), job.runs or []
        content: memoryview | bytes
        if len(runs) == 1:
            content = view[runs[0][0] : runs[0][1]]
        else:
            content = b"".join([view[start:end] for start, end in runs])
        if not job.digest:
            whole = len(runs) == 1 and len(job.digests) == 1
            job.digest = job.digests[0] if whole else hashlib.sha256(content).digest()
        job.used = len(content)
        job.checksum = xxhash.xxh64_intdigest(content) & 0xFFFFFFFF
        job.frame = compressors.compress(content, items=len(job.smalls))


@final
class Compressors:
    """
    One thread's compressors.

    At level 1, packs of many small items get larger hash tables: 128 KiB from 32 items on, 256 KiB
    from 128. Small texts become an eighth and a fifth smaller, at the same speed. For large items
    they would cost a tenth of the speed and gain 1 %.
    """

    def __init__(self, options: SeedOptions) -> None:
        self._usual = _compressor(options)
        self._for_many = self._for_tiny = self._usual
        if options.level == 1:
            self._for_many = _compressor(options, hash_log=15)
            self._for_tiny = _compressor(options, hash_log=16)

    def compress(self, content: bytes | memoryview, *, items: int) -> bytes:
        """
        Make a frame of `content`, a chunk or a pack of so many small items.
        """
        if items < _MANY_ITEMS:
            return self._usual.compress(content)
        return (self._for_many if items < _TINY_ITEMS else self._for_tiny).compress(content)


def _compressor(options: SeedOptions, **more: int) -> zstandard.ZstdCompressor:
    parameters = zstandard.ZstdCompressionParameters.from_level(
        options.level,
        source_size=options.chunk_bytes,
        window_log=options.chunk_bytes.bit_length() - 1,
        write_content_size=True,
        write_checksum=False,
        **more,
    )
    return zstandard.ZstdCompressor(compression_params=parameters)
