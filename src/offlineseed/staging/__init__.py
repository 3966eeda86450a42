"""
The staging location: its import jobs, their locks, and the blobs that go onto drives.
"""

from offlineseed.staging._blobs import StagedBlob
from offlineseed.staging._job import StagedJob
from offlineseed.staging._location import StagingLocation
from offlineseed.staging._lock import JobLock, LockHolder

__all__ = ["JobLock", "LockHolder", "StagedBlob", "StagedJob", "StagingLocation"]
