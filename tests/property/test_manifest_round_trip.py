import hashlib
import itertools

from hypothesis import given
from hypothesis import strategies as st

from offlineseed._secret import Secret
from offlineseed.errors import ManifestError
from offlineseed.manifest import (
    BlobList,
    Block,
    BlockHasher,
    DriveManifest,
    HashedPath,
    ImportDisposition,
    ManifestBlob,
    PageHasher,
    PageRange,
    UnknownElement,
    parse_manifest,
    render_manifest,
)

# What XML 1.0 can carry; the reader strips blanks around ids.
TEXT = st.text(
    st.characters(
        blacklist_categories=["Cs"], blacklist_characters="\ufffe\uffff", min_codepoint=32
    )
    | st.sampled_from("\t\n\r")
)
WORD = st.text("abcXYZ019=+/", max_size=12)
NAME = st.from_regex(r"\A[A-Za-z_][A-Za-z0-9_.-]{0,8}\Z").map(lambda name: "x" + name)
HASH = st.text("0123456789ABCDEF", max_size=40)
SIZE = st.integers(0, 2**63)
PAIRS = st.dictionaries(NAME, TEXT, max_size=2).map(lambda pairs: tuple(pairs.items()))


def _nested(children):
    return st.builds(
        UnknownElement,
        name=NAME,
        attributes=PAIRS,
        # Texts side by side would come back as one.
        content=st.lists(children, max_size=2) | st.lists(TEXT.filter(bool), max_size=1),
    )


UNKNOWN = st.recursive(
    st.builds(UnknownElement, name=NAME, attributes=PAIRS), _nested, max_leaves=4
)
SIDE = st.none() | st.builds(HashedPath, path=TEXT, hash=HASH, unknown_attributes=PAIRS)
ENTRY = {"offset": SIZE, "length": SIZE, "hash": HASH, "unknown_attributes": PAIRS}
LISTS = st.one_of(
    st.just({}),
    st.builds(
        lambda blocks: {"blocks": blocks},
        st.lists(st.builds(Block, id=st.none() | WORD, **ENTRY), max_size=3),
    ),
    st.builds(
        lambda ranges: {"page_ranges": ranges},
        st.lists(st.builds(PageRange, **ENTRY), max_size=3),
    ),
)
BLOB = st.builds(
    lambda lists, **values: ManifestBlob(**values, **lists),
    LISTS,
    blob_path=TEXT,
    file_path=TEXT,
    length=SIZE,
    import_disposition=st.none() | st.sampled_from(ImportDisposition) | st.just("Rename"),
    metadata_path=SIDE,
    properties_path=SIDE,
    client_data=st.none() | TEXT,
    snapshot=st.none() | WORD,
    unknown_attributes=PAIRS,
    unknown_elements=st.lists(UNKNOWN, max_size=2),
)
MANIFEST = st.builds(
    DriveManifest,
    drive_id=WORD,
    version=WORD,
    storage_account_key=st.none() | WORD.map(Secret),
    container_sas=st.none() | WORD.map(Secret),
    client_creator=st.none() | TEXT,
    blob_lists=st.lists(
        st.builds(
            BlobList,
            blobs=st.lists(BLOB, max_size=3),
            id=st.none() | TEXT,
            metadata_path=SIDE,
            properties_path=SIDE,
            unknown_attributes=PAIRS,
            unknown_elements=st.lists(UNKNOWN, max_size=2),
        ),
        min_size=1,
        max_size=2,
    ),
    unknown_attributes=PAIRS,
    unknown_elements=st.lists(UNKNOWN, max_size=2),
)


@given(MANIFEST)
def test_parse_of_render_gives_the_manifest(manifest):
    data = render_manifest(manifest)
    assert parse_manifest(data) == manifest
    assert render_manifest(parse_manifest(data)) == data


@given(st.text())
def test_any_name_survives_or_is_refused(name):
    manifest = DriveManifest(
        drive_id="D",
        blob_lists=[
            BlobList(id=name, blobs=[ManifestBlob(blob_path=name, file_path="", length=0)])
        ],
    )
    try:
        data = render_manifest(manifest)
    except ManifestError:
        assert any(ord(c) < 32 or c in "\ufffe\uffff" or 0xD800 <= ord(c) < 0xE000 for c in name)
    else:
        assert parse_manifest(data) == manifest


@given(st.binary(max_size=300), st.integers(1, 40), st.lists(st.integers(0, 60)))
def test_block_hasher_any_split_gives_the_same_blocks(data, block_bytes, splits):
    whole, split = BlockHasher(block_bytes=block_bytes), BlockHasher(block_bytes=block_bytes)
    whole.update(data)
    rest = data
    for size in splits:
        split.update(rest[:size])
        rest = rest[size:]
    split.update(rest)
    blocks = split.finish()
    assert blocks == whole.finish()
    assert sum(block.length for block in blocks) == len(data)


PAGES = st.lists(st.sampled_from([bytes(512), b"a" * 512, bytes(511) + b"b"]), max_size=40)


@given(PAGES, st.integers(1, 8), st.integers(1, 8), st.lists(st.integers(0, 3000)))
def test_page_hasher_any_split_covers_exactly_the_data(pages, per_range, per_gap, splits):
    data = b"".join(pages)
    options = {"range_bytes": per_range * 512, "minimum_gap_bytes": per_gap * 512}
    whole, split = PageHasher(**options), PageHasher(**options)
    whole.update(data)
    rest = data
    for size in splits:
        split.update(rest[:size])
        rest = rest[size:]
    split.update(rest)
    ranges = split.finish()
    assert ranges == whole.finish()
    rebuilt = bytearray(len(data))
    end = 0
    for page_range in ranges:
        content = data[page_range.offset : page_range.offset + page_range.length]
        assert page_range.offset >= end
        assert 512 <= len(content) == page_range.length <= per_range * 512
        assert page_range.hash == hashlib.md5(content).hexdigest().upper()
        rebuilt[page_range.offset : page_range.offset + page_range.length] = content
        end = page_range.offset + page_range.length
    assert rebuilt == data
    covered = {
        page for r in ranges for page in range(r.offset // 512, (r.offset + r.length) // 512)
    }
    page = 0
    for is_zero, run in itertools.groupby(pages, key=lambda content: not any(content)):
        numbers = range(page, page := page + len(list(run)))
        is_edge = numbers[0] == 0 or page == len(pages)
        if is_zero and (is_edge or len(numbers) >= per_gap):
            assert covered.isdisjoint(numbers)
        else:
            assert covered.issuperset(numbers)


JUNK = st.binary(max_size=200) | st.text("<>/&;'\"= DriveManfstBlobPthLeng!?-[]", max_size=200).map(
    str.encode
)


@given(JUNK)
def test_parse_junk_raises_only_manifest_errors(data):
    try:
        parse_manifest(data)
    except ManifestError:
        return
    raise AssertionError("junk was read")


@given(st.data())
def test_parse_mutated_manifest_raises_only_manifest_errors(data):
    good = bytearray(render_manifest(data.draw(MANIFEST)))
    for _ in range(data.draw(st.integers(1, 4))):
        good[data.draw(st.integers(0, len(good) - 1))] = data.draw(st.integers(0, 255))
    try:
        parse_manifest(bytes(good))
    except ManifestError:
        return
