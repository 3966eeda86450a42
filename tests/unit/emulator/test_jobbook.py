from datetime import timedelta

import pytest

from offlineseed.emulator import Package, VirtualClock


def test_creating_expires_two_weeks_after_the_last_update(client, service, drive, body):
    client.job("PUT", body=body(drive))
    service.clock.advance(days=13)
    client.job("PATCH", body={"tags": {}})
    service.clock.advance(days=13)
    assert client.job("GET")[0] == 200
    service.clock.advance(days=1)
    assert client.job("GET")[0] == 404


def test_shipping_drives_not_there_in_two_weeks_are_never_received(client, service, drive, body):
    client.job("PUT", body=body(drive))
    client.ship()
    service.clock.advance(days=14)
    job = client.job("GET")[1]["properties"]
    assert (job["state"], job["driveList"][0]["state"]) == ("Shipping", "NeverReceived")


def test_shipping_late_drive_is_received_after_all(client, service, drive, body):
    client.job("PUT", body=body(drive.add("seed/x", b"x").seal()))
    client.ship()
    service.clock.advance(days=20)
    service.datacenter.receive(Package(tracking_number="1Z", drives=[drive.shipped()]))
    service.datacenter.process()
    assert client.job("GET")[1]["properties"]["state"] == "Completed"


def test_shipping_closes_after_thirty_days_and_goes_after_ninety_more(client, service, drive, body):
    client.job("PUT", body=body(drive))
    client.ship()
    service.clock.advance(days=30)
    assert client.job("GET")[1]["properties"]["state"] == "Closed"
    assert client.job("DELETE")[0] == 409
    service.clock.advance(timedelta(days=89, hours=23))
    assert client.job("GET")[0] == 200
    service.clock.advance(hours=1)
    assert client.job("GET")[0] == 404


def test_shipping_nobody_looked_for_half_a_year_is_gone(client, service, drive, body):
    client.job("PUT", body=body(drive))
    client.ship()
    service.clock.advance(days=120)
    assert client.job("GET")[0] == 404


def test_clock_does_not_run_backwards():
    with pytest.raises(ValueError, match="back"):
        VirtualClock().advance(days=-1)
