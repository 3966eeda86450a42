import datetime as dt

import pytest

from offlineseed.errors import CatalogError, FormatError, VerificationError
from offlineseed.handover import FolderRepairs, Handover, HandoverStage, read_manifests
from offlineseed.manifest import render_manifest
from offlineseed.seed import FolderStore, SeedOptions
from offlineseed.settings import SeedSettings
from offlineseed.staging import StagingLocation

NOW = dt.datetime(2026, 4, 1, tzinfo=dt.timezone.utc)


@pytest.fixture
def opaque(bench):
    """
    A job of opaque blobs that landed.
    """
    folder = bench.job.drive_folder("A")
    (folder / "DriveManifest.xml").write_bytes(render_manifest(bench.manifest))
    bench.land(*bench.contents)
    return Handover(bench.job, FolderRepairs(bench.folder, "backups").landed)


def test_opaque_blobs_are_verified_and_handed_over_once(bench, opaque):
    assert opaque.record.stage is HandoverStage.LANDED
    taken = []
    with pytest.raises(VerificationError, match="not verified"):
        opaque.hand_over(lambda *what: taken.append(what))

    report = opaque.verify(now=NOW)
    assert report.is_ok
    assert report.count("blobs") == 3
    assert (opaque.record.stage, opaque.record.verified_at) == (HandoverStage.VERIFIED, NOW)
    assert not opaque.record.may_delete

    record = opaque.hand_over(lambda landed, reader: taken.append((landed.container, reader)))
    opaque.hand_over(lambda *what: taken.append(what))
    assert taken == [("backups", None)]
    assert record.may_delete
    assert opaque.record == record


def test_damaged_landing_is_not_handed_over(bench, opaque):
    bench.land(empty=b"not empty")
    report = opaque.verify()
    assert [failure.subject for failure in report.failures] == ["backups/empty"]
    assert opaque.record.stage is HandoverStage.LANDED


def test_vault_that_fails_is_asked_again(opaque):
    opaque.verify()

    def fail(landed, reader):
        raise ConnectionError("the vault is away")

    with pytest.raises(ConnectionError):
        opaque.hand_over(fail)
    assert opaque.record.stage is HandoverStage.VERIFIED
    assert opaque.hand_over(lambda landed, reader: None).may_delete


@pytest.mark.parametrize("data", [b"", b"{}", b'{"format": 2}', b"[]", b"[" * 99_999])
def test_damaged_record_is_refused(bench, opaque, data):
    (bench.job.folder / "handover.json").write_bytes(data)
    with pytest.raises(FormatError):
        opaque.record.may_delete  # noqa: B018  # reading it is what is tested


def test_manifests_are_read_by_drive(bench, opaque):
    assert read_manifests(bench.job) == read_manifests(bench.job, ["A"]) == [bench.manifest]
    with pytest.raises(FileNotFoundError):
        read_manifests(bench.job, ["B"])


@pytest.fixture
def seed(tmp_path):
    settings = SeedSettings(
        staging_location=str(tmp_path / "other"),
        import_job_name="weekly",
        subscription_id="01234567-89ab-cdef-0123-456789abcdef",
        storage_account="seedaccount",
        container="backups",
    )
    job = StagingLocation(settings.staging_location).create(settings)
    (tmp_path / "source").mkdir()
    (tmp_path / "source/file").write_bytes(b"content" * 10_000)
    with job.write_seed(options=SeedOptions(chunk_bytes=1 << 16)) as writer:
        writer.add_tree(tmp_path / "source")
        writer.seal()
    return job


def test_seed_is_proven_by_its_seal_and_read_by_the_vault(seed):
    # The staging location itself stands for the container that the seed landed in.
    landed = FolderRepairs(seed.folder, "segments").landed
    handover = Handover(seed, landed, store=FolderStore(seed.folder))
    with pytest.raises(CatalogError):
        handover.verify(expected_digest="0" * 64)

    report = handover.verify(expected_digest=seed.seal.digest)
    assert report.count("seals") == 1
    assert handover.record.digest == seed.seal.digest
    items = []
    handover.hand_over(lambda _, reader: items.extend(item.name for item in reader.items()))
    assert "file" in items


def test_seed_with_a_damaged_segment_is_reported(seed):
    segment = next((seed.folder / "segments").rglob("*.zst"))
    data = bytearray(segment.read_bytes())
    data[len(data) // 4] ^= 0xFF
    segment.write_bytes(data)
    landed = FolderRepairs(seed.folder, "segments").landed

    report = Handover(seed, landed, store=FolderStore(seed.folder)).verify()

    assert [failure.code for failure in report.failures] == ["chunk-differs"]
