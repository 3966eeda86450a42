import pytest

from offlineseed.errors import ManifestError
from offlineseed.manifest import file_path_of, path_of_file_path


def test_paths_go_there_and_back():
    assert file_path_of("nightly/segments/g0.zst") == "\\nightly\\segments\\g0.zst"
    assert path_of_file_path("\\nightly\\segments\\g0.zst") == "nightly/segments/g0.zst"


def test_path_of_file_path_without_leading_backslash_is_read():
    assert path_of_file_path("a\\b") == "a/b"


@pytest.mark.parametrize("path", ["", "/a", "a//b", "a/", "../a", "a/./b", "a\\b", "a\0b"])
def test_file_path_of_path_that_leaves_the_root_is_refused(path):
    with pytest.raises(ManifestError):
        file_path_of(path)


@pytest.mark.parametrize(
    "path", ["", "\\", "\\..\\a", "\\\\server\\a", "C:\\a", "\\a/../b", "\\a:b"]
)
def test_path_of_file_path_that_leaves_the_root_is_refused(path):
    with pytest.raises(ManifestError):
        path_of_file_path(path)
