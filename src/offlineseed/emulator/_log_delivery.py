"""
Lays copy logs and manifest backups down beside the data.

Source: "Import/Export service log file format" and "Backing up drive manifests" for places and
names; "Review copy logs" for those of the newer form.
"""

from __future__ import annotations

from collections.abc import Iterable

from offlineseed.emulator._blob_copy import REFUSALS
from offlineseed.emulator._destination import BlobTarget, Destination
from offlineseed.emulator._order import IntakeOrder
from offlineseed.events import FindingSeen, OnEvent
from offlineseed.findings import Finding, Severity

__all__ = ["deliver_log"]

_NEW_WORDS = {"error": "CopyLog", "verbose": "VerboseLog", "manifest": "Manifest"}


def deliver_log(
    kind: str,
    pieces: Iterable[bytes],
    length: int,
    *,
    order: IntakeOrder,
    sas_container: str,
    destination: Destination,
    on_event: OnEvent,
) -> str | None:
    """
    Lay down an `error` or `verbose` log or a copy of the `manifest`; return its address.

    Returns None, after a finding, where the destination refuses it: the job goes on without.

    Args:
        kind: which of the three.
        pieces: its bytes, in pieces of at most 4 MiB.
        length: how many they are.
        order: what the job says about the drive.
        sas_container: the container of the drive's container SAS, or empty.
        destination: where it goes.
        on_event: told of a refusal.
    """
    container, _, folder = order.logs_path.strip("/").partition("/")
    if sas_container:
        # A container SAS reaches no other container.
        container, folder = sas_container, order.logs_path.strip("/")
    name = _name(order, kind)
    if folder:
        name = f"{folder}/{name}"
    properties = {"Content-Type": "application/xml"}
    target = BlobTarget(container=container, name=name, length=length, properties=properties)
    try:
        upload = destination.upload(target)
        try:
            ids: list[str] = []
            offset = 0
            for piece in pieces:
                ids.append(f"{len(ids):08d}")
                upload.write(offset, piece, ids[-1])
                offset += len(piece)
            upload.commit(ids)
        finally:
            upload.abandon()
        return destination.uri(container, name)
    except REFUSALS as error:
        finding = Finding(
            code="copy-log-not-written",
            subject=f"{container}/{name}",
            message=f"the datacentre can't write it: {type(error).__name__}",
            severity=Severity.WARNING,
        )
        on_event(FindingSeen(finding=finding))
        return None


def _name(order: IntakeOrder, kind: str) -> str:
    if order.copy_log_format == "2021-08-01":
        return f"{order.job_name}_{order.drive_id}_{_NEW_WORDS[kind]}_{order.order_id}.xml"
    stamp = f"{order.now:%Y%m%d-%H%M%S}-{order.now.microsecond // 1000:03d}"
    return f"waies/{order.job_name}_{order.drive_id}_{stamp}_{kind}.xml"
