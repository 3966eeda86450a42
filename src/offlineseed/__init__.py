"""
Offline seeding: a first full backup to Azure by shipped disk, then incrementals.

The names here are the ones that most programs need; each package has more. They are loaded when
they are first used, so that a program pays only for what it takes.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from offlineseed._secret import Secret
    from offlineseed.drives import (
        Consent,
        DrivePlanner,
        DrivePreparer,
        DriveSpace,
        FileKeyStore,
        PreparedDrive,
        prepare_drives,
    )
    from offlineseed.errors import OfflineSeedError
    from offlineseed.jobs import (
        DataBoxJobs,
        DeliveryPackage,
        ImportExportJobs,
        ImportJob,
        JobDrive,
        ReturnAddress,
        ReturnShipping,
    )
    from offlineseed.seed import BlobStore, FolderStore, SeedOptions, SeedReader, SeedWriter
    from offlineseed.settings import SeedSettings
    from offlineseed.staging import StagingLocation
    from offlineseed.verify import verify_drive, verify_landed
    from offlineseed.volumes import DirectoryVolumes, Drive, NativeVolumes
    from offlineseed.workflow import OfflineSeed

    __version__: str
    """The installed version."""

__all__ = [
    "BlobStore",
    "Consent",
    "DataBoxJobs",
    "DeliveryPackage",
    "DirectoryVolumes",
    "Drive",
    "DrivePlanner",
    "DrivePreparer",
    "DriveSpace",
    "FileKeyStore",
    "FolderStore",
    "ImportExportJobs",
    "ImportJob",
    "JobDrive",
    "NativeVolumes",
    "OfflineSeed",
    "OfflineSeedError",
    "PreparedDrive",
    "ReturnAddress",
    "ReturnShipping",
    "Secret",
    "SeedOptions",
    "SeedReader",
    "SeedSettings",
    "SeedWriter",
    "StagingLocation",
    "__version__",
    "prepare_drives",
    "verify_drive",
    "verify_landed",
]

_ROOMS = {
    "_secret": "Secret",
    "drives": (
        "Consent DrivePlanner DrivePreparer DriveSpace FileKeyStore PreparedDrive prepare_drives"
    ),
    "errors": "OfflineSeedError",
    "jobs": (
        "DataBoxJobs DeliveryPackage ImportExportJobs ImportJob JobDrive ReturnAddress "
        "ReturnShipping"
    ),
    "seed": "BlobStore FolderStore SeedOptions SeedReader SeedWriter",
    "settings": "SeedSettings",
    "staging": "StagingLocation",
    "verify": "verify_drive verify_landed",
    "volumes": "DirectoryVolumes Drive NativeVolumes",
    "workflow": "OfflineSeed",
}
_ROOM_OF = {name: room for room, names in _ROOMS.items() for name in names.split()}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version  # noqa: PLC0415  # slow, and seldom asked for

        value: Any = version("offlineseed")
    elif name in _ROOM_OF:
        value = getattr(import_module(f"offlineseed.{_ROOM_OF[name]}"), name)
    else:
        raise AttributeError(f"module 'offlineseed' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
