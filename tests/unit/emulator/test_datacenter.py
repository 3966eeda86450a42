import pytest

from offlineseed.emulator import Package, ShippedDrive
from offlineseed.errors import JobNotFoundError, JobStateError
from offlineseed.events import BlobLanded, JobChanged


def test_receive_drive_of_a_shipped_job_lands_its_blobs(
    client, service, drive, body, landed, events
):
    drive.add("seed/a/ten.bin", b"0123456789").add("seed/empty", b"").seal()
    assert client.job("PUT", body=body(drive))[0] == 201
    assert client.ship()[1]["properties"]["state"] == "Shipping"

    receipt = service.datacenter.receive(Package(tracking_number="1Z", drives=[drive.shipped()]))
    assert receipt.received == ("9WM35C2V",)
    assert client.job("GET")[1]["properties"]["state"] == "Received"
    service.datacenter.process()

    assert (landed / "seed/a/ten.bin").read_bytes() == b"0123456789"
    assert (landed / "seed/empty").read_bytes() == b""
    job = client.job("GET")[1]["properties"]
    assert job["state"] == "Completed"
    assert job["percentComplete"] == 100
    assert job["returnPackage"]["trackingNumber"] == "RETURN-1Z"
    assert job["returnPackage"]["driveCount"] == 1
    (shown,) = job["driveList"]
    assert shown["state"] == "ShippedBack"
    assert shown["copyStatus"] == "Completed"
    assert shown["bytesSucceeded"] == 10
    assert "errorLogUri" not in shown
    assert not (landed / "waimportexport").exists()
    assert list((landed / ".landing").iterdir()) == []
    assert [e.blob_path for e in events if isinstance(e, BlobLanded)] == [
        "seed/a/ten.bin",
        "seed/empty",
    ]
    assert [e.state for e in events if isinstance(e, JobChanged)] == [
        "Received",
        "Transferring",
        "Packaging",
        "Completed",
    ]


def test_step_moves_job_and_drive_one_stage_at_a_time(client, service, drive, body):
    drive.add("seed/x", b"data").seal()
    client.job("PUT", body=body(drive))
    client.ship()
    service.datacenter.receive(Package(tracking_number="1z ", drives=[drive.shipped()]))
    seen = []
    while True:
        job = client.job("GET")[1]["properties"]
        seen.append((job["state"], job["driveList"][0]["state"]))
        if not service.datacenter.step():
            break
    assert seen == [
        ("Received", "Received"),
        ("Transferring", "Transferring"),
        ("Packaging", "Completed"),
        ("Completed", "ShippedBack"),
    ]


def test_receive_unknown_tracking_number_raises(service, drive):
    with pytest.raises(JobNotFoundError):
        service.datacenter.receive(Package(tracking_number="nope", drives=[drive.shipped()]))


def test_receive_job_not_shipped_yet_raises(client, service, drive, body):
    package = {"carrierName": "FedEx", "trackingNumber": "1Z"}
    client.job("PUT", body=body(drive, deliveryPackage=package))
    with pytest.raises(JobStateError) as caught:
        service.datacenter.receive(Package(tracking_number="1Z", drives=[drive.shipped()]))
    assert caught.value.current == "Creating"


def test_receive_with_missing_and_extra_drives_names_them(client, service, make_drive, body):
    one, two = make_drive("ONE").add("seed/1", b"1").seal(), make_drive("TWO").seal()
    client.job("PUT", body=body(one, two))
    client.ship()
    extra = ShippedDrive(drive_id="THREE", path=one.path)
    receipt = service.datacenter.receive(
        Package(tracking_number="1Z", drives=[one.shipped(), extra])
    )
    assert receipt.missing == ("TWO",)
    assert receipt.extra == ("THREE",)
    service.datacenter.process()
    job = client.job("GET")[1]["properties"]
    assert job["state"] == "Closed"
    assert [d["state"] for d in job["driveList"]] == ["ShippedBack", "NeverReceived"]


def test_receive_missing_drive_in_a_later_package_is_copied(
    client, service, make_drive, body, landed
):
    one, two = make_drive("ONE").add("seed/1", b"1").seal(), make_drive("TWO").add("seed/2", b"2")
    two.seal()
    client.job("PUT", body=body(one, two))
    client.ship()
    service.datacenter.receive(Package(tracking_number="1Z", drives=[one.shipped()]))
    service.datacenter.receive(Package(tracking_number="1Z", drives=[two.shipped()]))
    service.datacenter.process()
    assert client.job("GET")[1]["properties"]["state"] == "Completed"
    assert (landed / "seed/2").read_bytes() == b"2"


def test_process_cancelled_job_copies_nothing_and_completes(client, service, drive, body, landed):
    drive.add("seed/x", b"data").seal()
    client.job("PUT", body=body(drive))
    client.ship()
    assert client.job("PATCH", body={"properties": {"cancelRequested": True}})[0] == 200
    service.datacenter.receive(Package(tracking_number="1Z", drives=[drive.shipped()]))
    service.datacenter.process()
    assert client.job("GET")[1]["properties"]["state"] == "Completed"
    assert not (landed / "seed").exists()


def test_process_listener_raises_stops_and_goes_on_next_time(
    client, service, drive, body, landed, events
):
    for index in range(30):
        drive.add(f"seed/{index}", b"data")
    drive.seal()
    client.job("PUT", body=body(drive))
    client.ship()
    service.datacenter.receive(Package(tracking_number="1Z", drives=[drive.shipped()]))

    class StopError(Exception):
        pass

    def stop(event):
        if isinstance(event, BlobLanded):
            raise StopError

    service.datacenter._on_event = stop
    with pytest.raises(StopError):
        service.datacenter.process()
    assert client.job("GET")[1]["properties"]["state"] == "Transferring"
    service.datacenter._on_event = events.append
    service.datacenter.process()
    assert client.job("GET")[1]["properties"]["state"] == "Completed"
    assert len(list((landed / "seed").iterdir())) == 30
