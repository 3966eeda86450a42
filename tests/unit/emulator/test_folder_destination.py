import pytest

from offlineseed.emulator import BlobTarget, FolderDestination
from offlineseed.errors import UnsafeNameError


def lay_down(destination, name, data=b"data", container="seed"):
    upload = destination.upload(BlobTarget(container=container, name=name, length=len(data)))
    try:
        upload.write(0, data, "AAAA")
        upload.commit(["AAAA"])
    finally:
        upload.abandon()


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("a b/ü€/%41", id="spaces, non-ASCII, percent"),
        pytest.param("line\nbreak\ttab", id="control characters"),
        pytest.param("trailing.../dots.", id="trailing dots"),
        pytest.param("back\\slash", id="a backslash"),
        pytest.param("x" * 255 + "/" + "é" * 127, id="255 bytes"),
        pytest.param("CON/aux.txt:stream~1*?", id="what Windows refuses"),
        pytest.param(" leading and trailing ", id="blanks around"),
    ],
)
def test_upload_odd_name_lands_under_that_name(landed, name):
    destination = FolderDestination(landed)
    lay_down(destination, name)
    assert (landed / "seed" / name).read_bytes() == b"data"
    assert destination.exists("seed", name)


@pytest.mark.parametrize("name", ["../x", "a/../../x", "/x", "a//b", "a/", ".", "a/./b", "n\0ul"])
def test_upload_name_without_place_is_refused(landed, name):
    destination = FolderDestination(landed)
    with pytest.raises(UnsafeNameError) as caught:
        lay_down(destination, name)
    assert caught.value.name == name
    with pytest.raises(UnsafeNameError):
        destination.exists("seed", name)


@pytest.mark.parametrize(
    "container", ["..", "", "a/b", "UPPER", "ab", ".landing", "a--b", "x" * 64]
)
def test_upload_container_without_place_is_refused(landed, container):
    with pytest.raises(UnsafeNameError):
        lay_down(FolderDestination(landed), "x", container=container)


def test_upload_root_container_is_a_folder_of_that_name(landed):
    lay_down(FolderDestination(landed), "x", container="$root")
    assert (landed / "$root" / "x").exists()


def test_upload_abandoned_leaves_nothing(landed):
    destination = FolderDestination(landed)
    upload = destination.upload(BlobTarget(container="seed", name="x", length=4))
    upload.write(0, b"da", "AAAA")
    assert not (landed / "seed").exists()
    upload.abandon()
    upload.abandon()
    assert list((landed / ".landing").iterdir()) == []


def test_uri_is_a_file_url_with_escapes(landed):
    uri = FolderDestination(landed).uri("seed", "a b%")
    assert uri.startswith("file:///")
    assert uri.endswith("/seed/a%20b%25")


def test_upload_blob_where_a_folder_is_fails(landed):
    destination = FolderDestination(landed)
    lay_down(destination, "x/y")
    assert not destination.exists("seed", "x")
    with pytest.raises(OSError, match="directory"):
        lay_down(destination, "x")
    with pytest.raises(OSError, match=r"directory|exists"):
        lay_down(destination, "x/y/z")
