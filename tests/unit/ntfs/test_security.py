import hashlib

import pytest

from offlineseed.ntfs._security import root_descriptor, security_entries


@pytest.mark.parametrize(
    ("security_id", "length", "known_hash"),
    [
        (0x100, 104, 0xF80312F0),
        (0x101, 104, 0x00B32451),
        (0x102, 144, 0x8340B60D),
        (0x103, 144, 0xCB40F20D),
        (0x104, 100, 0x38905505),
    ],
)
def test_security_entries_are_the_known_descriptors(security_id, length, known_hash):
    entry = {e.security_id: e for e in security_entries(is_for_contents=True)}[security_id]

    assert len(entry.descriptor) == length
    assert entry.hash == known_hash
    assert entry.offset % 16 == 0


def test_root_descriptor_is_the_one_of_windows():
    digest = hashlib.sha256(root_descriptor()).hexdigest()

    assert digest == "e28720fba3c12a8e6d7019bc79e3e81aab8eaf3cd5a529055fe5d720dd2a3e34"
