import attrs
import pytest

from offlineseed.findings import Severity
from offlineseed.volumes import Bus, Drive, DriveCheck, DriveFacts, FormFactor, check_drive

TB = 10**12
GOOD = DriveFacts(
    path="/dev/sdb",
    size_bytes=4 * TB,
    physical_sector_bytes=4096,
    serial="9WM35C2V",
    model="ST4000DM004",
    bus=Bus.SATA,
    is_rotational=True,
    form_factor=FormFactor.INCH_3_5,
)
DRIVE = Drive(drive_id="9WM35C2V", path="/dev/sdb", size_bytes=4 * TB)


def errors(facts, **options):
    return {f.code for f in check_drive(facts, **options) if f.severity is Severity.ERROR}


def warnings(facts, **options):
    return {f.code for f in check_drive(facts, **options) if f.severity is Severity.WARNING}


@pytest.mark.parametrize(
    "facts",
    [
        GOOD,
        attrs.evolve(GOOD, form_factor=FormFactor.INCH_2_5),
        attrs.evolve(GOOD, form_factor=FormFactor.INCH_2_5, is_rotational=False),
        attrs.evolve(GOOD, form_factor=FormFactor.UNKNOWN, is_rotational=None),
        attrs.evolve(GOOD, size_bytes=10 * TB),
    ],
    ids=["3.5 inch disk", "2.5 inch disk", "2.5 inch SSD", "form unknown", "10 TB"],
)
def test_drive_that_the_service_takes_has_no_findings(facts):
    assert check_drive(facts) == ()


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"is_system": True}, "drive-of-system"),
        ({"mounts": ("/mnt",)}, "drive-mounted"),
        ({"is_read_only": True}, "drive-read-only"),
        ({"logical_sector_bytes": 4096}, "drive-sector-size"),
        ({"size_bytes": 10 * TB + 512}, "drive-too-large"),
        ({"bus": Bus.NVME}, "drive-bus"),
        ({"bus": Bus.SAS}, "drive-bus"),
        ({"is_removable": True, "bus": Bus.USB}, "drive-removable"),
        ({"form_factor": FormFactor.SMALLER}, "drive-form-factor"),
        ({"form_factor": FormFactor.LARGER}, "drive-form-factor"),
        ({"is_rotational": False}, "drive-form-factor"),
    ],
)
def test_drive_that_the_service_refuses_has_one_error(changes, code):
    assert errors(attrs.evolve(GOOD, **changes)) == {code}


def test_every_broken_rule_is_found_at_once():
    bad = attrs.evolve(GOOD, is_system=True, logical_sector_bytes=4096, size_bytes=20 * TB)
    assert errors(bad) == {"drive-of-system", "drive-sector-size", "drive-too-large"}


@pytest.mark.parametrize("bus", [Bus.USB, Bus.VIRTUAL, Bus.UNKNOWN])
def test_drive_whose_bus_hides_what_it_is_has_a_warning(bus):
    facts = attrs.evolve(GOOD, bus=bus)
    assert errors(facts) == set()
    assert len(warnings(facts)) == 1


def test_limit_of_size_is_a_parameter():
    facts = attrs.evolve(GOOD, size_bytes=18 * TB)
    assert errors(facts, max_bytes=20 * TB) == set()


def test_another_drive_than_was_named_is_found():
    assert check_drive(GOOD, drive=DRIVE) == ()
    assert errors(GOOD, drive=attrs.evolve(DRIVE, drive_id="OTHER")) == {"drive-other"}
    assert errors(GOOD, drive=attrs.evolve(DRIVE, size_bytes=TB)) == {"drive-size-other"}
    unknown = attrs.evolve(GOOD, serial="")
    assert warnings(unknown, drive=DRIVE) == {"drive-serial-unknown"}


def test_check_of_an_image_knows_its_size_alone(tmp_path):
    drive = Drive(drive_id="IMAGE1", path=tmp_path / "missing.img", size_bytes=TB)
    assert DriveCheck()(drive) == ()
    assert [f.code for f in DriveCheck(max_bytes=TB - 1)(drive)] == ["drive-too-large"]
    drive.path.write_bytes(bytes(512))
    assert [f.code for f in DriveCheck()(drive)] == ["drive-size-other"]
    drive.path.write_bytes(b"")
    assert DriveCheck()(drive) == ()
