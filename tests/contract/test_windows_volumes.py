"""
The adapter for Windows, with a Windows that is made up: a folder plays the formatted volume.
"""

import base64
import json
import shutil

import attrs
import pytest

from offlineseed.bitlocker import RecoveryPassword
from offlineseed.errors import (
    AdapterUnavailableError,
    ConsentError,
    DriveChangedError,
    UnlockRefusedError,
    VolumeError,
)
from offlineseed.testing import VolumeContract
from offlineseed.volumes import CommandResult, Drive, VolumeFile, WindowsVolumes
from offlineseed.volumes._windows_scripts import FORMAT_DRIVE, LIST_DISKS, OPEN_VOLUME

GIB = 1 << 30
SERIAL = "9WM35C2V"
PASSWORD = RecoveryPassword(bytes(range(16)))
FILE = VolumeFile(path="file", length=6)


class Windows:
    """
    Answers as the scripts would, in their words.
    """

    def __init__(self, root):
        self.root = root
        self.password = ""
        self.commands = []
        self.disk = {
            "number": 2,
            "path": r"\\.\PhysicalDrive2",
            "serial": SERIAL,
            "model": "ST1000LM035",
            "sizeBytes": GIB,
            "logicalSectorBytes": 512,
            "physicalSectorBytes": 4096,
            "bus": "SATA",
            "media": "HDD",
            "isSystem": False,
            "isReadOnly": False,
            "partitionStyle": "RAW",
            "mounts": None,
        }

    def find(self, name, /):
        return name == "powershell.exe"

    def run(self, command, /, *, given=b""):
        self.commands.append((command, given))
        script = base64.b64decode(command[-1]).decode("utf-16-le")
        request = json.loads(given)
        answer = {LIST_DISKS: self.list, FORMAT_DRIVE: self.format, OPEN_VOLUME: self.open}[script]
        try:
            reply = {"ok": True, "value": answer(request)}
        except ValueError as error:
            code, message = str(error).split(": ", 1)
            reply = {"ok": False, "code": code, "message": message}
        # What modules say on their own comes before the answer.
        output = f"WARNING: something\r\n{json.dumps(reply)}\r\n"
        return CommandResult(status=not reply["ok"], output=output)

    def list(self, request):
        return {"disks": self.disk}  # PowerShell makes one of a list of one

    def format(self, request):
        self._require(request)
        if self.disk["partitionStyle"] != "RAW" and not request["mayErase"]:
            raise ValueError("drive-not-blank: disk 2 has partitions")
        if self.root.exists():
            shutil.rmtree(self.root)
        (self.root / "System Volume Information").mkdir(parents=True)
        self.disk["partitionStyle"] = "GPT"
        self.password = request["recoveryPassword"]
        return self._volume(request)

    def open(self, request):
        self._require(request)
        if not self.root.exists():
            raise ValueError("volume-missing: disk 2 has no data partition")
        if request["recoveryPassword"] != self.password:
            raise ValueError(f"unlock-refused: {request['recoveryPassword']} does not open it")
        return self._volume(request)

    def _require(self, request):
        if (request["driveId"], request["sizeBytes"]) != (SERIAL, GIB):
            raise ValueError("drive-other: disk 2 is not the drive that was named")

    def _volume(self, request):
        return {
            "root": str(self.root),
            "volumeStatus": "FullyEncrypted",
            "lockStatus": "Unlocked",
            "encryptionMethod": request.get("encryptionMethod", "XtsAes128"),
        }


@pytest.fixture
def windows(memory_path):
    return Windows(memory_path / "E")


@pytest.fixture
def adapter(windows, drive):
    return WindowsVolumes(commands=windows, erasable=[drive])


@pytest.fixture
def drive():
    return Drive(drive_id=SERIAL, path="PhysicalDrive2", size_bytes=GIB)


class TestWindowsVolumes(VolumeContract):
    pass


def test_recovery_password_stands_on_no_command_line(adapter, windows, drive):
    adapter.create(drive, [FILE], PASSWORD).close()
    assert len(windows.commands) == 2
    for command, _ in windows.commands:
        decoded = base64.b64decode(command[-1]).decode("utf-16-le")
        assert PASSWORD.reveal() not in decoded + " ".join(command)
        # What one process may give another on Windows.
        assert len(" ".join(command)) < 32_000


def test_recovery_password_stands_in_no_error(adapter, windows, drive):
    adapter.create(drive, [FILE], PASSWORD).close()
    other = RecoveryPassword(bytes(16))
    with pytest.raises(UnlockRefusedError) as caught:
        adapter.open(drive, other)
    assert other.reveal() not in str(caught.value)


def test_disk_with_partitions_wants_consent_for_it(windows, drive):
    windows.disk["partitionStyle"] = "MBR"
    with pytest.raises(ConsentError):
        WindowsVolumes(commands=windows).create(drive, [FILE], PASSWORD)
    WindowsVolumes(commands=windows, erasable=[drive]).create(drive, [FILE], PASSWORD).close()


def test_drive_that_is_not_attached_is_refused(adapter, drive):
    with pytest.raises(VolumeError, match="no such disks"):
        adapter.create(attrs.evolve(drive, drive_id="OTHER"), [FILE], PASSWORD)


def test_resume_of_a_drive_without_a_volume_says_that_it_changed(adapter, drive):
    with pytest.raises(DriveChangedError):
        adapter.resume(drive, [FILE], PASSWORD)


def test_check_of_a_drive_tells_what_is_wrong(adapter, windows, drive):
    assert adapter.check_drive(drive) == ()
    windows.disk |= {"isSystem": True, "bus": "NVMe", "logicalSectorBytes": 4096}
    codes = {finding.code for finding in adapter.check_drive(drive)}
    assert codes == {"drive-of-system", "drive-bus", "drive-sector-size"}


def test_machine_without_powershell_is_told_what_to_use(drive):
    class Nothing:
        def find(self, name, /):
            return False

    with pytest.raises(AdapterUnavailableError, match="NativeVolumes"):
        WindowsVolumes(commands=Nothing()).create(drive, [FILE], PASSWORD)
