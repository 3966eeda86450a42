"""
Volumes on drives: what an adapter is, and the adapters there are.
"""

from __future__ import annotations

from offlineseed.volumes._adapter import (
    VolumeAdapter,
    VolumeFileWriter,
    VolumeReader,
    VolumeWriter,
)
from offlineseed.volumes._directory import DirectoryVolumes
from offlineseed.volumes._model import CacheBypass, Drive, VolumeCapacity, VolumeFile
from offlineseed.volumes._names import require_portable_path

__all__ = [
    "CacheBypass",
    "DirectoryVolumes",
    "Drive",
    "VolumeAdapter",
    "VolumeCapacity",
    "VolumeFile",
    "VolumeFileWriter",
    "VolumeReader",
    "VolumeWriter",
    "require_portable_path",
]
