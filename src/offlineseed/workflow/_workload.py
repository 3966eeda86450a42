"""
What is backed up, and whether the article lets it be seeded offline. Pure.
"""

from __future__ import annotations

from enum import Enum

from offlineseed.findings import Finding

__all__ = ["Workload", "check_workload"]


class Workload(str, Enum):
    """
    The kind of backup that a seed begins.

    Source: the offline backup article, "Supported configurations".
    """

    FILES_AND_FOLDERS = "files-and-folders"
    """Files and folders, by the Azure Recovery Services agent (MARS)."""
    DPM = "dpm"
    """Any workload of System Center Data Protection Manager."""
    MABS = "mabs"
    """Any workload of Microsoft Azure Backup Server."""
    OTHER = "other"
    """Another product's backup, which this library's own formats carry."""
    SYSTEM_STATE = "system-state"
    """System state by the agent: not supported."""


def check_workload(workload: Workload) -> Finding | None:
    """
    Check that a workload can be seeded offline.
    """
    if workload is not Workload.SYSTEM_STATE:
        return None
    return Finding(
        code="workload-not-supported",
        subject="workload",
        message=(
            "offline backup does not support system state: send it over the network, or seed "
            "files and folders"
        ),
    )
