import pytest

from offlineseed.ntfs import check_names

REFUSED = {
    "a<b": "name-illegal-character",
    "a:stream": "name-illegal-character",
    "back\\slash": "name-illegal-character",
    "bell\x07": "name-illegal-character",
    "dot.": "name-trailing",
    "space ": "name-trailing",
    "dir./x": "name-trailing",
    "con": "name-device",
    "COM1.txt": "name-device",
    "lpt².log": "name-device",
    "NUL .txt": "name-device",
    "x/clock$": "name-device",
    "x" * 256: "name-too-long",
    "😀" * 128: "name-too-long",
    "a/../b": "name-relative",
    "./b": "name-relative",
    "/absolute": "name-empty",
    "a//b": "name-empty",
    "a/": "name-empty",
    "": "name-empty",
    "lone\ud800": "name-surrogate",
    "$MFT": "name-system",
    "$extend/x": "name-system",
    "System Volume Information/x": "name-system",
}
ALLOWED = [
    "segments/g0000-000000.zst", "x" * 255, "😀" * 127, "com10", "console", "a.con", "x/$MFT",
    ".hidden", "trailing.dot.x", "日本語/ﬁ", "$other", " leading",
]  # fmt: skip


@pytest.mark.parametrize(("path", "code"), REFUSED.items(), ids=range(len(REFUSED)))
def test_check_names_of_a_name_that_windows_refuses_says_the_rule(path, code):
    assert code in {finding.code for finding in check_names([path])}


def test_check_names_of_names_that_windows_takes_finds_nothing():
    assert check_names(ALLOWED) == ()


def test_check_names_finds_all_problems_at_once():
    findings = check_names(["a?b.", "ok", "Same", "dir/nul", "sAME"])

    assert [(finding.code, finding.subject) for finding in findings] == [
        ("name-illegal-character", "a?b."),
        ("name-trailing", "a?b."),
        ("name-device", "dir/nul"),
        ("name-duplicate", "sAME"),
    ]


@pytest.mark.parametrize(
    "paths", [["é", "É"], ["a/x", "A/y"], ["d", "D/x"], ["twice", "twice"]], ids=" ".join
)
def test_check_names_of_names_that_windows_takes_for_one_says_so(paths):
    assert [finding.code for finding in check_names(paths)] == ["name-duplicate"]


def test_check_names_takes_letters_apart_that_only_python_joins():
    assert check_names(["ß", "SS", "ı", "I", "ſ", "S"]) == ()
