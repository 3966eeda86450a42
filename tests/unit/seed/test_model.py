import attrs
import pytest

from offlineseed.seed import SeedOptions

MIB = 1 << 20


@pytest.mark.parametrize("chunk_bytes", [64 * 1024, 128 * 1024, 16 * MIB])
def test_chunk_length_that_is_a_power_of_two_is_taken(chunk_bytes):
    assert SeedOptions(chunk_bytes=chunk_bytes).chunk_bytes == chunk_bytes


@pytest.mark.parametrize(
    "chunk_bytes", [0, 1, 32 * 1024, 65537, 3 * MIB, 32 * MIB, 1.0 * MIB, True]
)
def test_chunk_length_out_of_range_is_refused(chunk_bytes):
    with pytest.raises(ValueError, match="chunk_bytes"):
        SeedOptions(chunk_bytes=chunk_bytes)


def test_segment_that_holds_less_than_four_chunks_is_refused():
    assert SeedOptions(chunk_bytes=MIB, segment_bytes=4 * MIB).segment_bytes == 4 * MIB
    with pytest.raises(ValueError, match="four chunks"):
        SeedOptions(chunk_bytes=MIB, segment_bytes=4 * MIB - 1)


def test_segment_with_more_blocks_than_a_blob_takes_is_refused():
    with pytest.raises(ValueError, match="50,000 blocks"):
        SeedOptions(segment_bytes=4001 * MIB)


@pytest.mark.parametrize("name", ["segment_bytes", "checkpoint_bytes"])
@pytest.mark.parametrize("value", [0, -1, True, "1"])
def test_length_that_is_no_positive_int_is_refused(name, value):
    with pytest.raises(ValueError, match=name):
        SeedOptions(**{name: value})


def test_options_are_values():
    assert SeedOptions() == SeedOptions(chunk_bytes=MIB)
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        SeedOptions().level = 3
