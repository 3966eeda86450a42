import pytest

from offlineseed.errors import NameNotAllowedError, UnsafeNameError
from offlineseed.volumes import VolumeFile, require_portable_path


@pytest.mark.parametrize(
    "path", ["", "/", "/a", "a/", "a//b", ".", "..", "a/..", "../a", "a/./b", "a\0b", "..\\up"]
)
def test_volume_file_with_an_unsafe_path_is_refused(path):
    with pytest.raises(UnsafeNameError) as caught:
        VolumeFile(path=path, length=1)
    assert caught.value.name == path


@pytest.mark.parametrize(
    "part",
    [
        "CON",
        "nul.txt",
        "Com1",
        "lpt9.tar.gz",
        "aux .txt",
        "a<b",
        'a"b',
        "a|b",
        "a*",
        "tab\there",
        "new\nline",
        "ends.",
        "ends ",
        "C:file",
        "x" * 256,
        "❄" * 256,
        "lone \udcff surrogate",
    ],
)
def test_require_portable_path_with_a_name_windows_refuses_says_which(part):
    with pytest.raises(NameNotAllowedError) as caught:
        require_portable_path(f"folder/{part}/file")
    (finding,) = caught.value.findings
    assert finding.code == "name-not-allowed"
    assert repr(part) in finding.message


@pytest.mark.parametrize(
    "path", ["a", "nightly/segments/g0000-000000.zst", "x" * 255, "COM", "com10", "~a%20b c", "..a"]
)
def test_require_portable_path_with_a_plain_name_lets_it_pass(path):
    require_portable_path(path)
