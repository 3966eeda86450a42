"""
The import service and its datacentre in this process, for tests and trials.

It speaks the service's own dialects, reads shipped drives with readers that are not this library's,
and lays the blobs down in a folder or at any blob endpoint.
"""

from offlineseed.emulator._blob_destination import BlobDestination
from offlineseed.emulator._clock import VirtualClock
from offlineseed.emulator._datacenter import Datacenter
from offlineseed.emulator._destination import BlobTarget, BlobUpload, Destination
from offlineseed.emulator._faults import Faults
from offlineseed.emulator._folder_destination import FolderDestination
from offlineseed.emulator._package import Package, Receipt, ShippedDrive
from offlineseed.emulator._service import FixedTokenCredential, ImportService

__all__ = [
    "BlobDestination",
    "BlobTarget",
    "BlobUpload",
    "Datacenter",
    "Destination",
    "Faults",
    "FixedTokenCredential",
    "FolderDestination",
    "ImportService",
    "Package",
    "Receipt",
    "ShippedDrive",
    "VirtualClock",
]
