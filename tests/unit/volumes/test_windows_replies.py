import json

import pytest

from offlineseed.errors import (
    ConsentError,
    DriveNotEligibleError,
    UnlockRefusedError,
    VolumeError,
)
from offlineseed.volumes import Bus
from offlineseed.volumes._windows_replies import parse_disks, parse_reply, parse_volume

# As Windows PowerShell 5.1 writes it: long, on one line, with a byte order mark before it.
DISKS = (
    '\ufeff{"value":{"disks":[{"serial":"S4EWNX0N123456","bus":"NVMe","isReadOnly":false,'
    '"partitionStyle":"GPT","logicalSectorBytes":512,"mounts":["C:"],"media":"SSD","number":0,'
    '"sizeBytes":512110190592,"physicalSectorBytes":4096,"isSystem":true,"model":"Samsung SSD 980",'
    '"path":"\\\\\\\\.\\\\PhysicalDrive0"},{"serial":"ZFN01ABC","bus":"SATA","isReadOnly":false,'
    '"partitionStyle":"RAW","logicalSectorBytes":512,"mounts":null,"media":"HDD","number":1,'
    '"sizeBytes":4000787030016,"physicalSectorBytes":4096,"isSystem":false,'
    '"model":"ST4000DM004-2CV104","path":"\\\\\\\\.\\\\PhysicalDrive1"}]},"ok":true}\r\n'
)
VOLUME = {
    "root": "E:\\",
    "volumeStatus": "FullyEncrypted",
    "lockStatus": "Unlocked",
    "encryptionMethod": "XtsAes128",
}


def test_disks_are_read_from_what_powershell_writes():
    system, data = parse_disks(parse_reply(DISKS))
    assert (system.number, system.facts.is_system, system.facts.bus) == (0, True, Bus.NVME)
    assert system.facts.mounts == ("C:",)
    assert not system.is_blank
    assert data.facts.path == r"\\.\PhysicalDrive1"
    assert data.facts.serial == "ZFN01ABC"
    assert data.facts.size_bytes == 4000787030016
    assert (data.facts.bus, data.facts.is_rotational) == (Bus.SATA, True)
    assert data.facts.mounts == ()
    assert data.is_blank


@pytest.mark.parametrize("disks", [None, []])
def test_no_disks_are_none(disks):
    assert parse_disks({"disks": disks}) == ()


@pytest.mark.parametrize(
    ("bus", "expected"),
    [("SATA", Bus.SATA), ("USB", Bus.USB), ("RAID", Bus.UNKNOWN), ("iSCSI", Bus.UNKNOWN)],
)
def test_bus_is_told_in_our_words(bus, expected):
    value = parse_reply(DISKS)
    value["disks"][0]["bus"] = bus
    assert parse_disks(value)[0].facts.bus is expected


@pytest.mark.parametrize("value", [None, {}, [], {"disks": [{}]}, {"disks": [{"number": "x"}]}, 7])
def test_answer_of_another_shape_is_refused(value):
    with pytest.raises(VolumeError):
        parse_disks(value)


def test_volume_is_read():
    volume = parse_volume(VOLUME)
    assert (volume.root, volume.is_encrypted) == ("E:\\", True)
    assert not parse_volume(VOLUME | {"volumeStatus": "EncryptionInProgress"}).is_encrypted


@pytest.mark.parametrize("value", [None, {}, VOLUME | {"lockStatus": "Locked"}])
def test_volume_that_is_locked_or_unknown_is_refused(value):
    with pytest.raises(VolumeError):
        parse_volume(value)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("unlock-refused", UnlockRefusedError),
        ("drive-other", ConsentError),
        ("drive-not-blank", ConsentError),
        ("drive-of-system", DriveNotEligibleError),
        ("HRESULT 0x80041010,Get-Disk", VolumeError),
    ],
)
def test_refusal_is_raised_as_what_it_is(code, kind):
    with pytest.raises(kind, match="because") as caught:
        parse_reply(json.dumps({"ok": False, "code": code, "message": "because"}))
    assert type(caught.value) is kind


@pytest.mark.parametrize("output", ["", "text\r\n", "{broken", '{"other":1}', "[]"])
def test_output_without_an_answer_is_refused(output):
    with pytest.raises(VolumeError, match="Get-Disk is not recognized"):
        parse_reply(output, "Get-Disk is\r\nnot recognized")


def test_noise_before_the_answer_is_passed_over():
    assert parse_reply('WARNING: {"x"}\r\n{"ok":true,"value":3}\r\n\r\n') == 3
