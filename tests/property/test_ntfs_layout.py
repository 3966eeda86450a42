"""
Any files that may stand on a volume: laid out, rendered, verified and read back.
"""

import datetime as dt

from hypothesis import given, settings
from hypothesis import strategies as st

from offlineseed.ntfs import (
    Fill,
    NtfsFile,
    NtfsReader,
    ReservedExtent,
    check_names,
    plan_volume,
    render_volume,
    verify_volume,
)

SIZE = 16 << 20
CREATED = dt.datetime(2026, 11, 22, tzinfo=dt.timezone.utc)

names = st.one_of(
    st.text("abAB.-_ ~^[é日😀ſıǅ\ue000", min_size=1, max_size=6),
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12),
    st.text("xY", min_size=200, max_size=255),
)
paths = st.lists(names, min_size=1, max_size=3).map("/".join)
lengths = st.one_of(st.integers(0, 20), st.integers(0, 5000), st.sampled_from([4095, 4096, 65536]))
reserved_extents = st.lists(st.integers(1, 200), max_size=4, unique=True).map(
    lambda places: [
        ReservedExtent(name=f"FVE2.{place}", offset=place * 65536, length=65536)
        for place in sorted(places)
    ]
)


@st.composite
def contents(draw):
    chosen = {}
    wanted = draw(st.dictionaries(paths, lengths, max_size=40))
    for path, length in wanted.items():
        if not check_names([*chosen, path]):
            chosen[path] = length
    crowd = (
        draw(st.integers(0, 400)) if "crowd" not in {p.split("/")[0].lower() for p in chosen} else 0
    )
    width = draw(st.integers(3, 120))
    chosen |= {f"crowd/{i:0{width}}": i % 5 for i in range(crowd)}
    return chosen


def draw_image(layout, data, final_lengths):
    image = bytearray(b"\x5a" * SIZE)
    for place in layout.files():
        rest = data[place.path]
        for extent in () if place.is_rendered else place.extents:
            part, rest = rest[: extent.length], rest[extent.length :]
            image[extent.offset : extent.offset + len(part)] = part
    for piece in render_volume(layout, final_lengths):
        data = bytes([piece.value]) * piece.length if isinstance(piece, Fill) else piece.data
        image[piece.offset : piece.offset + piece.length] = data
    return image


@settings(max_examples=60)
@given(contents(), reserved_extents, st.sampled_from([512, 1024, 4096, 8192, 65536]), st.data())
def test_volume_of_any_files_verifies_and_reads_back(wanted, reserved, cluster_bytes, data):
    kinds = {
        path: data.draw(st.sampled_from(["streamed", "given", "bounded"]))
        if length > 5
        else "given"
        for path, length in wanted.items()
    }
    content = {path: (path.encode() * (length + 1))[:length] for path, length in wanted.items()}
    files = [
        NtfsFile(
            path=path,
            length=length,
            is_maximum=kinds[path] == "bounded",
            content=content[path] if kinds[path] == "given" else None,
        )
        for path, length in wanted.items()
    ]
    layout = plan_volume(
        SIZE, files, created=CREATED, serial=7, reserved=reserved, cluster_bytes=cluster_bytes
    )
    final = {p: data.draw(st.integers(0, wanted[p])) for p in wanted if kinds[p] == "bounded"}
    content |= {path: content[path][:length] for path, length in final.items()}
    image = draw_image(layout, content, final)

    def read(offset, length):
        return bytes(image[offset : offset + length])

    assert verify_volume(read) == ()
    reader = NtfsReader(read)
    found = {entry.path: reader.read(entry.path, 0, entry.length) for entry in reader.files()}
    assert found == content
    assert all(layout.find(path).path == path for path in wanted)


@given(st.lists(st.text(max_size=12), max_size=6))
def test_names_of_any_kind_give_findings_and_no_error(texts):
    findings = check_names(texts)

    assert all(finding.code.startswith("name-") for finding in findings)
