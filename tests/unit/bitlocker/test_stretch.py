"""
Key stretching against the published vector.
"""

from offlineseed.bitlocker import stretch_recovery_password


def test_stretch_recovery_password_published_vector_matches(vector_password):
    key = stretch_recovery_password(vector_password, bytes(range(0x40, 0x50)))
    assert key.reveal().hex() == "50a31ce052a5e3f240fad65506321b936272fb6182bc877340c1c985d7430cf9"
