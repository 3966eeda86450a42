"""
The drive manifest: what lies on a drive, block by block, as the Import/Export service reads it.
"""

from offlineseed.manifest._bounds import BlobOutline, manifest_length_bound
from offlineseed.manifest._hashing import (
    MINIMUM_GAP_BYTES,
    BlockHasher,
    PageHasher,
    block_id,
    manifest_hash,
)
from offlineseed.manifest._limits import CURRENT_LIMITS, LIMITS_2017, ManifestLimits
from offlineseed.manifest._models import (
    BLOCK_BYTES,
    MANIFEST_FILE,
    MANIFEST_VERSION,
    PAGE_BYTES,
    BlobList,
    BlobType,
    Block,
    DriveManifest,
    HashedPath,
    ImportDisposition,
    ManifestBlob,
    PageRange,
    UnknownElement,
)
from offlineseed.manifest._parser import MAXIMUM_MANIFEST_BYTES, ManifestReader, parse_manifest
from offlineseed.manifest._paths import file_path_of, path_of_file_path
from offlineseed.manifest._rules import check_manifest, check_manifest_blob
from offlineseed.manifest._side_files import (
    BlobProperties,
    parse_metadata,
    parse_properties,
    render_metadata,
    render_properties,
)
from offlineseed.manifest._writer import ManifestWriter, WrittenManifest, render_manifest

__all__ = [
    "BLOCK_BYTES",
    "CURRENT_LIMITS",
    "LIMITS_2017",
    "MANIFEST_FILE",
    "MANIFEST_VERSION",
    "MAXIMUM_MANIFEST_BYTES",
    "MINIMUM_GAP_BYTES",
    "PAGE_BYTES",
    "BlobList",
    "BlobOutline",
    "BlobProperties",
    "BlobType",
    "Block",
    "BlockHasher",
    "DriveManifest",
    "HashedPath",
    "ImportDisposition",
    "ManifestBlob",
    "ManifestLimits",
    "ManifestReader",
    "ManifestWriter",
    "PageHasher",
    "PageRange",
    "UnknownElement",
    "WrittenManifest",
    "block_id",
    "check_manifest",
    "check_manifest_blob",
    "file_path_of",
    "manifest_hash",
    "manifest_length_bound",
    "parse_manifest",
    "parse_metadata",
    "parse_properties",
    "path_of_file_path",
    "render_manifest",
    "render_metadata",
    "render_properties",
]
