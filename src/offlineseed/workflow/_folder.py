"""
The workflow's records in a job's folder, read and written whole.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, final

from offlineseed._durable import write_whole
from offlineseed.jobs import ShippingRecord, parse_shipping_record, render_shipping_record
from offlineseed.staging import StagedJob
from offlineseed.workflow._documents import (
    JOB_FILE,
    SHIPPING_FILE,
    WORKFLOW_FILE,
    SeenJob,
    WorkflowRecord,
    parse_seen_job,
    parse_workflow,
    render_seen_job,
    render_workflow,
)

__all__ = ["JobFolder"]

_T = TypeVar("_T")


@final
class JobFolder:
    """
    The records of one staged job. Nothing is remembered: another machine may have written.

    Args:
        job: the staged job.

    Raises:
        FormatError, StagingError: from every reading method, where a record is damaged.
        OSError: the staging location can't be reached.
    """

    def __init__(self, job: StagedJob) -> None:
        self._folder = job.folder

    def read_workflow(self) -> WorkflowRecord:
        """
        Return `workflow.json`, or an empty record where there is none.
        """
        return self._read(WORKFLOW_FILE, parse_workflow) or WorkflowRecord()

    def write_workflow(self, record: WorkflowRecord) -> None:
        """
        Replace `workflow.json`.
        """
        write_whole(self._folder / WORKFLOW_FILE, render_workflow(record))

    def read_job(self) -> SeenJob | None:
        """
        Return `job.json`, or None before the import job is created.
        """
        return self._read(JOB_FILE, parse_seen_job)

    def write_job(self, seen: SeenJob) -> None:
        """
        Replace `job.json`.
        """
        write_whole(self._folder / JOB_FILE, render_seen_job(seen))

    def read_shipping(self) -> ShippingRecord | None:
        """
        Return `shipping.json`, or None before anything was entered.
        """
        return self._read(SHIPPING_FILE, parse_shipping_record)

    def write_shipping(self, record: ShippingRecord) -> None:
        """
        Replace `shipping.json`.
        """
        write_whole(self._folder / SHIPPING_FILE, render_shipping_record(record))

    def _read(self, name: str, parse: Callable[[bytes], _T]) -> _T | None:
        try:
            data = (self._folder / name).read_bytes()
        except FileNotFoundError:
            return None
        return parse(data)
