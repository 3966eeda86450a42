"""
Fixtures for the tests of a product that embeds this library. Needs pytest.

Name them in the product's `conftest.py`:

```
pytest_plugins = ["offlineseed.testing.fixtures"]
```
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from offlineseed.emulator import FolderDestination, ImportService

__all__ = ["import_service", "landed_folder"]


@pytest.fixture
def landed_folder(tmp_path: Path) -> Path:
    """
    Return the folder that plays the storage account: `<landed_folder>/<container>/<blob name>`.
    """
    return tmp_path / "landed"


@pytest.fixture
def import_service(landed_folder: Path) -> Iterator[ImportService]:
    """
    Start an import service for one test; what its drives bring lands in `landed_folder`.

    It listens on a free port. Its clock stands still until `import_service.clock.advance(days=14)`,
    its `faults` happen on request, and its `datacenter` does what the carrier and the operators do.
    """
    with ImportService(destination=FolderDestination(landed_folder)) as service:
        yield service
