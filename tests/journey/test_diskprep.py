"""
The article's steps with examples/diskprep.py, typed at a pseudo-terminal.

Source and copy machine are processes with state directories of their own; they share nothing but
the staging location and the publish settings file.
"""

import base64
import datetime as dt
import json
import os
import re
import select
import subprocess
import sys
import time
from pathlib import Path

import attrs
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import pkcs12

from offlineseed.emulator import FolderDestination, ImportService, Package, ShippedDrive
from offlineseed.workflow import WAITING_FOR_IMPORT_JOB

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs pseudo-terminals")

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
SUBSCRIPTION = "01234567-89ab-cdef-0123-456789abcdef"
STORAGE_KEY = "c2VjcmV0IHN0b3JhZ2Uga2V5"
PATIENCE_SECONDS = 60
MIB = 1 << 20


class Terminal:
    """
    A process at a pseudo-terminal: what it prints is waited for, what is typed is sent.
    """

    def __init__(self, *arguments, environment):
        master, slave = os.openpty()
        self._master = master
        self.seen = ""
        self._at = 0
        self.process = subprocess.Popen(
            [sys.executable, *map(str, arguments)],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=environment,
            start_new_session=True,
        )
        os.close(slave)

    def expect(self, words):
        deadline = time.monotonic() + PATIENCE_SECONDS
        while (place := self.seen.find(words, self._at)) < 0:
            assert self._read(deadline), f"never said {words!r}:\n{self.seen}"
        self._at = place + len(words)

    def answer(self, words, line):
        self.expect(words)
        os.write(self._master, f"{line}\n".encode())

    def end(self, code=0):
        """
        Wait for the end and return everything that was said.
        """
        deadline = time.monotonic() + PATIENCE_SECONDS
        while self._read(deadline):
            pass
        assert self.process.wait(PATIENCE_SECONDS) == code, self.seen
        return self.seen

    def close(self):
        os.close(self._master)
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def _read(self, deadline):
        ready, _, _ = select.select([self._master], [], [], max(deadline - time.monotonic(), 0))
        try:
            data = os.read(self._master, 65536) if ready else b""
        except OSError:  # Linux: the other side is gone
            data = b""
        self.seen += data.decode("utf-8", "replace").replace("\r\n", "\n")
        return bool(data)


@attrs.define
class Machines:
    """
    A source and a copy machine at one staging location.
    """

    folder: Path
    service: ImportService
    environment: dict
    terminals: list = attrs.field(factory=list)

    @property
    def staging(self):
        return self.folder / "staging"

    @property
    def settings_file(self):
        return self.folder / "contoso.publishsettings"

    def run(self, machine, *words, script="diskprep.py"):
        environment = self.environment | {"DISKPREP_STATE": str(self.folder / machine)}
        terminal = Terminal(EXAMPLES / script, *words, environment=environment)
        self.terminals.append(terminal)
        return terminal

    def initiate(self, job, *more):
        source = self.folder / "data"
        source.mkdir(exist_ok=True)
        for number in range(4):
            (source / f"file-{number}").write_bytes(os.urandom(300_000))
        return self.run(
            "source",
            *(source, self.staging, "--job", job, "--subscription", SUBSCRIPTION),
            *("--account", "contosobackups", "--container", "backups", *more),
            script="initiate_backup.py",
        ).end()

    def type_shipping(self, terminal, commit, number="1Z-77"):
        for words, line in (
            ("Carrier", "FedEx"),
            ("Tracking number", number),
            ("Ship date", ""),
            ("Return to: name", "Contoso"),
            ("Street", "Examplestraat 1"),
            ("City", "Utrecht"),
            ("Postal code", "3511 AA"),
            ("Country", "NL"),
            ("Phone", "+31 30 0000000"),
            ("E-mail", "backup@contoso.example"),
            ("Return carrier", ""),
            ("account number", "12345"),
        ):
            terminal.answer(words, line)
        terminal.expect("Review the shipping information")
        terminal.expect(number)
        terminal.answer("Type yes to commit", commit)

    def arrive(self, *drives, number="1Z-77"):
        boxes = [ShippedDrive(drive_id=name, path=path) for name, path in drives]
        receipt = self.service.datacenter.receive(Package(tracking_number=number, drives=boxes))
        assert receipt.missing == ()
        self.service.datacenter.process()

    def holds(self, where, secret):
        files = (path for path in (self.folder / where).rglob("*") if path.is_file())
        return any(secret.encode() in path.read_bytes() for path in files)


def make_certificate():
    """
    Return a key and a certificate signed by itself, as the portal puts into publish settings.
    """
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Windows Azure Tools")])
    now = dt.datetime.now(dt.timezone.utc)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=365))
        .sign(key, hashes.SHA256())
    )
    return key, certificate


def write_settings(path, url, key, certificate):
    bundle = pkcs12.serialize_key_and_certificates(
        None, key, certificate, None, serialization.NoEncryption()
    )
    path.write_text(
        '<?xml version="1.0" encoding="utf-8"?><PublishData><PublishProfile '
        'SchemaVersion="2.0" PublishMethod="AzureServiceManagementAPI"><Subscription '
        f'ServiceManagementUrl="{url}" Id="{SUBSCRIPTION}" Name="Contoso" '
        f'ManagementCertificate="{base64.b64encode(bundle).decode()}" />'
        "</PublishProfile></PublishData>",
        "utf-8",
    )


@pytest.fixture
def bad_settings(classic):
    """
    A publish settings file whose certificate the service does not know.
    """
    path = classic.folder / "old.publishsettings"
    write_settings(path, classic.service.url, *make_certificate())
    return path


def environment_of(**more):
    kept = {name: text for name, text in os.environ.items() if not name.startswith("DISKPREP_")}
    return kept | {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONUNBUFFERED": "1"} | more


@pytest.fixture
def classic(tmp_path):
    """
    The article's own setting: publish settings, and drives that are folders.
    """
    key, certificate = make_certificate()
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    with ImportService(
        destination=FolderDestination(tmp_path / "landed"), client_certificates=[pem]
    ) as service:
        write_settings(tmp_path / "contoso.publishsettings", service.url, key, certificate)
        drives = tmp_path / "drives"
        attached = (f"E=SERIAL1,{MIB},{drives / 'E'}", f"F=SERIAL2,{8 * MIB},{drives / 'F'}")
        machines = Machines(
            folder=tmp_path,
            service=service,
            environment=environment_of(
                DISKPREP_CA_FILE=str(service.certificate_file),
                DISKPREP_VOLUMES="directory",
                DISKPREP_DRIVES=";".join(attached),
            ),
        )
        yield machines
        for terminal in machines.terminals:
            terminal.close()


def test_articles_steps_from_the_wizard_to_the_storage_account(classic):
    # Initiate offline backup, on the source machine: two backups at one staging location.
    for job in ("weekly", "nightly"):
        told = classic.initiate(job, "--publish-settings", classic.settings_file)
        assert "stored in" in told

    # Prepare SATA drives, on the copy machine.
    copy = classic.run("copy", f"s:{classic.staging}", f"p:{classic.settings_file}")
    copy.expect("nightly")
    copy.answer("Which Azure import job", "monthly")
    copy.answer("Which Azure import job", "nightly")
    copy.answer("Storage account key", STORAGE_KEY)
    copy.answer("Drive letter", "Z")
    copy.expect("There is no drive Z")
    copy.answer("Drive letter", "F")
    copy.expect("SERIAL2")
    copy.answer("Format drive F", "no")
    copy.answer("Drive letter", "E")
    copy.expect("SERIAL1")
    copy.answer("Format drive E", "yes")
    copy.expect("attach another drive")
    copy.answer("Drive letter", "F")
    copy.answer("Format drive F", "yes")
    copy.expect("Drive SERIAL2 is prepared")
    copy.answer("Region of the storage account", "")
    copy.expect("Ship the drives, in one package, to:")
    copy.expect("Microsoft")
    copy.answer("Update the shipping information now?", "no")
    said = copy.end()
    assert STORAGE_KEY not in said  # typed without an echo

    # Update shipping, on the source machine, without arguments.
    source = classic.run("source", "u:")
    source.answer("Which Azure import job", "nightly")
    source.answer("Storage account key", STORAGE_KEY)
    source.expect(WAITING_FOR_IMPORT_JOB)
    source.expect("Import job: Creating")
    source.expect("the service deletes the job unless it has a tracking number")
    source.answer("Update the shipping information?", "yes")
    classic.type_shipping(source, "no")
    assert "Nothing was changed" in source.end(1)
    assert not (classic.staging / "nightly/shipping.json").exists()

    # And elsewhere, with arguments.
    copy = classic.run("copy", "u:", f"s:{classic.staging}", f"p:{classic.settings_file}")
    copy.answer("Which Azure import job", "nightly")
    copy.answer("Storage account key", STORAGE_KEY)
    copy.answer("Update the shipping information?", "yes")
    classic.type_shipping(copy, "yes")
    copy.expect(str(classic.staging / "nightly/shipping.json"))
    copy.expect("Import job: Shipping")
    copy.end()
    kept = json.loads((classic.staging / "nightly/shipping.json").read_text("utf-8"))
    assert kept["package"]["tracking_number"] == "1Z-77"
    entered, due = kept["entered_at"], kept["deadlines"]["arrival-due"]
    assert dt.datetime.fromisoformat(due) - dt.datetime.fromisoformat(entered) == dt.timedelta(14)

    # Monitor the job's status, on the source machine.
    drives = classic.folder / "drives"
    classic.arrive(("SERIAL1", drives / "E"), ("SERIAL2", drives / "F"))
    source = classic.run("source", "u:")
    source.answer("Which Azure import job", "nightly")
    source.answer("Storage account key", STORAGE_KEY)
    said = source.end()
    assert "The Azure Import Job is complete" in said
    assert "Import job: Completed" in said

    passwords = json.loads((classic.folder / "copy/recovery-passwords.json").read_text("utf-8"))
    for secret in (*passwords["recovery_passwords"].values(), STORAGE_KEY):
        assert not classic.holds("staging", secret)
        assert not classic.holds("source", secret)
    landed = classic.folder / "landed/backups/nightly"
    assert any((landed / "segments").iterdir())


def test_publish_settings_are_wanted_on_another_machine_than_the_source(classic):
    classic.initiate("nightly", "--publish-settings", classic.settings_file)
    document = classic.staging / "nightly/seed.json"
    text = document.read_text("utf-8")
    document.write_text(re.sub(r'"source_host": "[^"]*"', '"source_host": "elsewhere"', text))

    assert "give p:" in classic.run("copy", f"s:{classic.staging}").end(1)


def test_credentials_that_are_refused_are_found_before_a_drive_is_touched(classic, bad_settings):
    classic.initiate("nightly")
    copy = classic.run("copy", f"s:{classic.staging}", f"p:{bad_settings}")
    copy.answer("Storage account key", STORAGE_KEY)
    said = copy.end(1)
    assert "service-" in said
    assert "Nothing was changed" in said


def test_nothing_waits_on_a_machine_that_initiated_nothing(classic):
    assert "No import job waits on this machine" in classic.run("copy", "u:").end(1)


@pytest.mark.parametrize("words", [(), ("x:",), ("p:file",)], ids=["none", "unknown", "p: alone"])
def test_wrong_words_show_how_it_is_used(classic, words):
    assert "Usage" in classic.run("copy", *words).end(2)


def test_interrupted_preparation_goes_on_where_it_was(classic):
    classic.initiate("nightly")
    copy = classic.run("copy", f"s:{classic.staging}", f"p:{classic.settings_file}")
    copy.answer("Storage account key", STORAGE_KEY)
    copy.answer("Drive letter", "E")
    copy.answer("Format drive E", "yes")
    copy.expect("attach another drive")
    copy.process.kill()
    copy.process.wait()

    copy = classic.run("copy", f"s:{classic.staging}", f"p:{classic.settings_file}")
    copy.answer("Storage account key", STORAGE_KEY)
    copy.answer("Drive letter", "E")
    copy.expect("attach another drive")  # prepared, so nothing is asked and nothing is done
    copy.answer("Drive letter", "F")
    copy.answer("Format drive F", "yes")
    copy.expect("Drive SERIAL2 is prepared")


def test_tool_of_today_makes_bitlocker_images_for_the_data_box_service(tmp_path):
    pytest.importorskip("pybde", reason="the datacentre's reader of images, libbde-python")
    with ImportService(destination=FolderDestination(tmp_path / "landed")) as service:
        image = tmp_path / "drive.img"
        machines = Machines(
            folder=tmp_path,
            service=service,
            environment=environment_of(
                DISKPREP_DRIVES=f"E=SERIAL1,{72 * MIB},{image}",
                DISKPREP_SERVICE_URL=service.url,
                DISKPREP_TOKEN=service.credential.get_token("any").token,
                DISKPREP_RESOURCE_GROUP="backup",
                DISKPREP_STORAGE_KEY=STORAGE_KEY,
            ),
        )
        try:
            machines.initiate("nightly")
            copy = machines.run("copy", f"s:{machines.staging}")
            copy.answer("Drive letter", "E")
            copy.answer("Format drive E", "yes")
            copy.expect("Drive SERIAL1 is prepared")
            for words in ("Return to: name", "Street", "City", "Postal code", "Country"):
                copy.answer(words, "NL")
            copy.answer("Phone", "+31 30 0000000")
            copy.answer("E-mail", "backup@contoso.example")
            copy.answer("Region of the storage account", "westeurope")
            copy.answer("Update the shipping information now?", "yes")
            machines.type_shipping(copy, "yes")
            copy.end()
            machines.arrive(("SERIAL1", image))
            said = machines.run("source", "u:").end()
        finally:
            for terminal in machines.terminals:
                terminal.close()
    assert "The Azure Import Job is complete" in said
    assert any((tmp_path / "landed/backups/nightly/segments").iterdir())
