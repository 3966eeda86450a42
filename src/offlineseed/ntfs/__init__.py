"""
Write-once NTFS: a volume laid out for files that are known beforehand.

The package does no I/O. `plan_volume` lays the volume out, the caller writes each file's data to
the extents that the layout gives, and `render_volume` yields everything else as pieces. A reader
and a verifier, which share no code with the writer, read volumes back.
"""

from offlineseed.ntfs._files import NtfsFile, ReservedExtent
from offlineseed.ntfs._layout import Extent, FilePlace, NtfsLayout
from offlineseed.ntfs._pieces import Fill, Piece, Rendered
from offlineseed.ntfs._places import Placement
from offlineseed.ntfs._plan import check_names, plan_volume
from offlineseed.ntfs._reader import NtfsEntry, NtfsReader
from offlineseed.ntfs._render import render_volume
from offlineseed.ntfs._verify import verify_volume

__all__ = [
    "Extent",
    "FilePlace",
    "Fill",
    "NtfsEntry",
    "NtfsFile",
    "NtfsLayout",
    "NtfsReader",
    "Piece",
    "Placement",
    "Rendered",
    "ReservedExtent",
    "check_names",
    "plan_volume",
    "render_volume",
    "verify_volume",
]
