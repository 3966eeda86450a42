"""
How the public API is typed, as a type checker sees it; checked by mypy, never run.
"""

from __future__ import annotations

from typing_extensions import assert_type

import offlineseed
from offlineseed.clouds import PUBLIC, AzureCloud, cloud_of_url
from offlineseed.errors import (
    ChunkDamagedError,
    FormatError,
    SettingsError,
    StagingLockedError,
    VerificationError,
)
from offlineseed.events import Event, FindingSeen, GenerationSealed, OnEvent, ignore_events
from offlineseed.findings import Finding, Severity
from offlineseed.settings import SeedSettings, check_container_name


def check_version() -> None:
    assert_type(offlineseed.__version__, str)


def check_settings() -> None:
    settings = SeedSettings(
        staging_location="/srv/staging",
        import_job_name="contoso-first-backup",
        subscription_id="01234567-89ab-cdef-0123-456789abcdef",
        storage_account="contosobackups",
        container="nightly",
    )
    assert_type(settings.publish_settings_path, str | None)
    assert_type(check_container_name("nightly"), Finding | None)


def check_clouds() -> None:
    assert_type(PUBLIC, AzureCloud)
    assert_type(cloud_of_url("https://management.azure.com"), AzureCloud | None)
    assert_type(PUBLIC.blob_endpoint("contosobackups"), str)


def check_findings(finding: Finding) -> None:
    assert_type(finding.severity, Severity)


def check_errors() -> None:
    assert_type(FormatError("x").context, str)
    assert_type(SettingsError("x").findings, tuple[Finding, ...])
    assert_type(StagingLockedError("x").age_seconds, float)
    assert_type(ChunkDamagedError("x").frame_offset, int)
    error: ValueError = FormatError("x")
    raised: Exception = VerificationError("x", report=None)
    del error, raised


def check_events() -> None:
    def listener(event: Event) -> None:
        if isinstance(event, FindingSeen):
            assert_type(event.finding, Finding)
        elif isinstance(event, GenerationSealed):
            assert_type(event.content_bytes, int)

    on_event: OnEvent = listener
    on_event = ignore_events
    del on_event
