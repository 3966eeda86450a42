"""
Partition tables: one data partition on a GPT disk, and what a stranger's disk has on it.
"""

from offlineseed.partitions._models import (
    BASIC_DATA,
    FIRST_LBA,
    SECTOR_BYTES,
    DiskPartitions,
    GptPartition,
    PartitionFound,
    PartitionScheme,
    PartitionTable,
)
from offlineseed.partitions._render import plan_data_partition, render_partition_table
from offlineseed.partitions._survey import read_partitions, require_overwritable

__all__ = [
    "BASIC_DATA",
    "FIRST_LBA",
    "SECTOR_BYTES",
    "DiskPartitions",
    "GptPartition",
    "PartitionFound",
    "PartitionScheme",
    "PartitionTable",
    "plan_data_partition",
    "read_partitions",
    "render_partition_table",
    "require_overwritable",
]
