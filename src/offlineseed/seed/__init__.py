"""
The seed format: chunks in zstd frames in segments, a catalog and a seal for each generation.
"""

from offlineseed.seed._blob_store import BlobStore
from offlineseed.seed._catalog import Catalog
from offlineseed.seed._chain import verify_chain
from offlineseed.seed._folder_store import FolderStore
from offlineseed.seed._model import (
    ChunkPlace,
    Extent,
    Item,
    ItemKind,
    SeedOptions,
    SegmentInfo,
)
from offlineseed.seed._prune import PrunePlan, StoredObject, plan_prune
from offlineseed.seed._reader import DamagedFrame, SeedReader
from offlineseed.seed._restore import LostRange, RestoreReport
from offlineseed.seed._seal import Seal, fetch_catalog, publish_seal, read_seal
from offlineseed.seed._seekable import SeekEntry, parse_seek_table, render_seek_table
from offlineseed.seed._source import ByteStream
from offlineseed.seed._stores import (
    SegmentStore,
    SegmentWriter,
    catalog_name,
    seal_name,
    sealed_generations,
    segment_name,
)
from offlineseed.seed._writer import SeedWriter

__all__ = [
    "BlobStore",
    "ByteStream",
    "Catalog",
    "ChunkPlace",
    "DamagedFrame",
    "Extent",
    "FolderStore",
    "Item",
    "ItemKind",
    "LostRange",
    "PrunePlan",
    "RestoreReport",
    "Seal",
    "SeedOptions",
    "SeedReader",
    "SeedWriter",
    "SeekEntry",
    "SegmentInfo",
    "SegmentStore",
    "SegmentWriter",
    "StoredObject",
    "catalog_name",
    "fetch_catalog",
    "parse_seek_table",
    "plan_prune",
    "publish_seal",
    "read_seal",
    "render_seek_table",
    "seal_name",
    "sealed_generations",
    "segment_name",
    "verify_chain",
]
