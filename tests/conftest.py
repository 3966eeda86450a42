"""
What holds for every test.
"""

import os
import shutil
import stat
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from offlineseed.bitlocker import _new_volume, _open, stretch_recovery_password

# A busy machine is no failure: how long a test may take is said once, by pytest's own limit.
settings.register_profile(
    "offlineseed", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("offlineseed")


@pytest.fixture
def memory_path(tmp_path):
    """
    A folder like `tmp_path`, in memory where there is room: fsync costs nothing there.
    """
    memory = Path("/dev/shm")
    if memory.is_dir() and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > 1 << 30:
        with tempfile.TemporaryDirectory(dir=memory, prefix="test-") as folder:
            yield Path(folder)
    else:
        yield tmp_path


@pytest.fixture(scope="session")
def _stretched():
    return {}


@pytest.fixture
def stretch_once(_stretched, monkeypatch):
    """
    Have each recovery password stretched once for each salt: half a second, many times over.
    """

    def stretch(password, salt):
        key = (password.key_bytes(), salt)
        if key not in _stretched:
            _stretched[key] = stretch_recovery_password(password, salt)
        return _stretched[key]

    for module in (_new_volume, _open):
        monkeypatch.setattr(module, "stretch_recovery_password", stretch)


@pytest.fixture(scope="session")
def snapshot():
    """
    Return a function that tells all of a tree that a seed keeps, by name: equal trees are equal.
    """

    def see(root):
        seen = {}
        top = os.fsencode(root)
        for directory, folders, files in os.walk(top):
            for name in (*folders, *files):
                path = os.path.join(directory, name)
                status = os.lstat(path)
                if stat.S_ISLNK(status.st_mode):
                    content = os.readlink(path)
                else:
                    is_file = stat.S_ISREG(status.st_mode)
                    content = Path(os.fsdecode(path)).read_bytes() if is_file else None
                seen[os.path.relpath(path, top)] = (
                    stat.S_IFMT(status.st_mode),
                    stat.S_IMODE(status.st_mode),
                    status.st_mtime_ns,
                    content,
                )
        return seen

    return see
