import io
import random

import pytest

from offlineseed.seed._cuts import find_cut

KIB = 1024
MIB = 1024 * KIB
BLOCK = 4 * KIB
LENGTHS = (64 * KIB, 1 * MIB, 16 * MIB)


def noise(length, seed=0):
    return random.Random(seed).randbytes(length)


def chunks(content, chunk_bytes):
    """
    The chunks of a content, cut as a file or stream is.
    """
    found, offset = [], 0
    while offset < len(content):
        buffer = bytearray(content[offset : offset + chunk_bytes])
        cut = find_cut(buffer, len(buffer), chunk_bytes)
        found.append(content[offset : offset + cut])
        offset += cut
    return found


def stored_bytes(workshop, *contents):
    """
    What is stored of streams with these contents, all of which come back.
    """
    with workshop.writer() as writer:
        for number, content in enumerate(contents):
            writer.add_stream(io.BytesIO(content), str(number))
        seal = writer.seal()
    with workshop.reader() as reader:
        assert list(reader.check()) == []
        for number, content in enumerate(contents):
            assert reader.read(str(number)) == content
    return seal.stored_bytes


@pytest.mark.parametrize("chunk_bytes", LENGTHS)
def test_chunks_are_whole_blocks_between_half_and_all_of_the_length(chunk_bytes):
    content = noise(12 * chunk_bytes + 777)
    found = chunks(content, chunk_bytes)
    assert b"".join(found) == content
    for chunk in found[:-1]:
        assert chunk_bytes // 2 <= len(chunk) <= chunk_bytes
        assert len(chunk) % BLOCK == 0


@pytest.mark.parametrize("chunk_bytes", LENGTHS)
def test_most_chunks_end_where_the_content_says(chunk_bytes):
    found = chunks(noise(40 * chunk_bytes if chunk_bytes < MIB else 64 * MIB), chunk_bytes)
    assert sum(len(chunk) < chunk_bytes for chunk in found) > len(found) / 2


def test_what_ends_before_half_of_the_length_is_one_chunk():
    for have in (1, BLOCK, 32 * KIB - 1, 32 * KIB):
        assert find_cut(bytearray(noise(64 * KIB)), have, 64 * KIB) == have


@pytest.mark.parametrize("content", [bytes(MIB), b"\xff" * MIB, b"the same line\n" * 80_000])
def test_monotonous_content_has_no_more_chunks_than_others(content):
    assert all(len(chunk) >= 32 * KIB for chunk in chunks(content, 64 * KIB)[:-1])
    assert {len(chunk) for chunk in chunks(bytes(MIB), 64 * KIB)} == {64 * KIB}


def test_bytes_behind_the_content_do_not_matter():
    buffer = bytearray(noise(64 * KIB + 1))
    other = bytearray(buffer)
    other[50_000:] = bytes(len(other) - 50_000)
    assert find_cut(buffer, 50_000, 64 * KIB) == find_cut(other, 50_000, 64 * KIB)


@pytest.mark.parametrize("shift", [BLOCK, 5 * BLOCK, 77 * BLOCK])
def test_content_that_an_image_holds_twice_is_stored_once(workshop, shift):
    held = noise(2 * MIB)
    image = noise(shift, 1) + held + noise(3 * BLOCK, 2) + held + noise(BLOCK, 3)
    assert stored_bytes(workshop, image) < len(held) + shift + 6 * 64 * KIB


def test_content_that_shifts_between_generations_is_not_stored_again(workshop, tmp_path):
    held = noise(2 * MIB)
    workshop.stage(streams=[("image", io.BytesIO(held))])
    shifted = noise(9 * BLOCK, 1) + held[:MIB] + noise(BLOCK, 2) + held[MIB:]
    with workshop.catalog() as baseline:
        seal = workshop.stage(
            generation=1, baseline=baseline, streams=[("image", io.BytesIO(shifted))]
        )
    assert seal.stored_bytes < 10 * BLOCK + 5 * 64 * KIB
    with workshop.reader() as reader:
        assert reader.read("image") == shifted


@pytest.mark.parametrize("size", [1, 1000, 4096, 65_537, MIB])
def test_stream_is_cut_as_a_file_is_whatever_its_reads_give(workshop, tree, size):
    content = noise(600 * KIB + 5)
    (tree / "file").write_bytes(content)

    class Stream(io.BytesIO):
        def read(self, wanted=-1):
            return super().read(min(wanted, size))

    with workshop.writer() as writer:
        writer.add_tree(tree)
        writer.add_stream(Stream(content), "stream")
        writer.seal()
    with workshop.reader() as reader:
        catalog = reader.catalog
        file, stream = (list(catalog.extents(catalog.item(name))) for name in ("file", "stream"))
        assert file == stream
        assert len(file) > 600 // 64
        assert reader.read("file") == reader.read("stream") == content
