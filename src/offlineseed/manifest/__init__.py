"""
The drive manifest: what lies on a drive, block by block, as the Import/Export service reads it.
"""

from offlineseed.manifest._hashing import (
    MINIMUM_GAP_BYTES,
    BlockHasher,
    PageHasher,
    block_id,
    manifest_hash,
)
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
from offlineseed.manifest._writer import ManifestWriter, WrittenManifest, render_manifest

__all__ = [
    "BLOCK_BYTES",
    "MANIFEST_FILE",
    "MANIFEST_VERSION",
    "MINIMUM_GAP_BYTES",
    "PAGE_BYTES",
    "BlobList",
    "BlobType",
    "Block",
    "BlockHasher",
    "DriveManifest",
    "HashedPath",
    "ImportDisposition",
    "ManifestBlob",
    "ManifestWriter",
    "PageHasher",
    "PageRange",
    "UnknownElement",
    "WrittenManifest",
    "block_id",
    "manifest_hash",
    "render_manifest",
]
