"""
Doubles and contracts for tests: a host's own adapters pass the tests that ours pass. Needs pytest.
"""

from __future__ import annotations

from offlineseed.testing._faulty_store import FaultyStore, StoreFault
from offlineseed.testing._faulty_volumes import FaultEffect, FaultyVolumes, VolumeFault
from offlineseed.testing._memory_store import MemoryStore
from offlineseed.testing._memory_volumes import MemoryVolumes
from offlineseed.testing._store_contract import SegmentStoreContract
from offlineseed.testing._volume_contract import VolumeContract

__all__ = [
    "FaultEffect",
    "FaultyStore",
    "FaultyVolumes",
    "MemoryStore",
    "MemoryVolumes",
    "SegmentStoreContract",
    "StoreFault",
    "VolumeContract",
    "VolumeFault",
]
