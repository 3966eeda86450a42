import pytest

JOBS = "/subscriptions/sub/resourceGroups/rg/providers/Microsoft.ImportExport/jobs"


def test_create_fills_in_defaults_as_recorded(client, drive, body):
    status, job, headers = client.job("PUT", body=body(drive))
    assert status == 201
    assert headers["x-ms-request-id"] == headers["x-ms-correlation-request-id"]
    properties = job.pop("properties")
    assert job == {
        "identity": {"type": "None"},
        "id": JOBS + "/job-one",
        "name": "job-one",
        "type": "Microsoft.ImportExport/jobs",
        "location": "westus",
        "tags": {"team": "backup"},
    }
    assert properties.pop("returnAddress")["recipientName"] == "A Person"
    assert properties.pop("storageAccountId").endswith("/acct")
    assert properties == {
        "jobType": "Import",
        "shippingInformation": {
            "recipientName": "Microsoft Azure Import/Export Service",
            "streetAddress1": "3020 Coronado",
            "streetAddress2": "",
            "city": "Santa Clara",
            "stateOrProvince": "CA",
            "postalCode": "95054",
            "countryOrRegion": "USA",
            "phone": "408 352 7600",
        },
        "diagnosticsPath": "waimportexport",
        "logLevel": "Error",
        "backupDriveManifest": False,
        "cancelRequested": False,
        "state": "Creating",
        "driveList": [
            {
                "driveId": "9WM35C2V",
                "manifestFile": "\\DriveManifest.xml",
                "manifestHash": "0" * 32,
                "state": "Specified",
            }
        ],
        "provisioningState": "Succeeded",
        "encryptionKey": {"kekType": "MicrosoftManaged"},
    }


def test_create_again_in_creating_answers_200(client, drive, body):
    assert client.job("PUT", body=body(drive))[0] == 201
    status, job, _ = client.job("PUT", body=body(drive, logLevel="Verbose"))
    assert status == 200
    assert job["properties"]["logLevel"] == "Verbose"


def test_get_shows_the_display_name_of_the_location(client, drive, body):
    client.job("PUT", body=body(drive))
    assert client.job("GET")[1]["location"] == "West US"
    assert client.job("GET", "JOB-ONE", group="RG")[1]["name"] == "job-one"


def test_recovery_password_only_list_bit_locker_keys_shows_it(client, drive, body):
    answers = [client.job("PUT", body=body(drive))]
    answers += [client.job("GET"), client.job("PATCH", body={"tags": {}}), client.job("GET", "")]
    assert "238810" not in repr(answers)
    status, keys, _ = client.job("POST", suffix="/listBitLockerKeys")
    assert status == 200
    assert keys["value"][0]["driveId"] == "9WM35C2V"
    assert keys["value"][0]["bitLockerKey"].startswith("238810-662376-")


def test_list_pages_by_next_link_and_leaves_drives_out(client, drive, body):
    for index in range(5):
        client.job("PUT", f"job-{index}", body=body(drive))
    client.job("PUT", "elsewhere", body=body(drive), group="other")
    names = []
    _, page, _ = client.send("GET", JOBS, query="&$top=2")
    while True:
        names.append([job["name"] for job in page["value"]])
        assert all("driveList" not in job["properties"] for job in page["value"])
        if "nextLink" not in page:
            break
        link = page["nextLink"]
        assert link.startswith(client.service.url)
        target = link.removeprefix(client.service.url)
        _, page, _ = client.send("GET", target.replace("api-version=2021-01-01&", ""))
    assert names == [["job-0", "job-1"], ["job-2", "job-3"], ["job-4"]]
    _, all_jobs, _ = client.send("GET", "/subscriptions/SUB/providers/Microsoft.ImportExport/jobs")
    assert [job["name"] for job in all_jobs["value"]][-1] == "elsewhere"


@pytest.mark.parametrize("name", ["westus", "West US", "WESTUS"])
def test_location_by_either_name_answers(client, name):
    path = "/providers/Microsoft.ImportExport/locations/" + name.replace(" ", "%20")
    status, location, _ = client.send("GET", path)
    assert status == 200
    assert location["name"] == "West US"
    assert location["properties"]["supportedCarriers"] == [
        "Blue Dart",
        "DHL",
        "FedEx",
        "TNT",
        "UPS",
    ]
    assert location["properties"]["alternateLocations"] == [
        "/providers/Microsoft.ImportExport/locations/westus"
    ]


def test_locations_alternates_exist(client):
    _, listed, _ = client.send("GET", "/providers/Microsoft.ImportExport/locations")
    ids = {location["id"] for location in listed["value"]}
    assert len(ids) > 30
    assert all(set(loc["properties"]["alternateLocations"]) <= ids for loc in listed["value"])


def test_operations_answers(client):
    _, listed, _ = client.send("GET", "/providers/Microsoft.ImportExport/operations")
    assert "Microsoft.ImportExport/jobs/delete" in [o["name"] for o in listed["value"]]


def test_update_shipping_needs_package_and_return_address(client, drive, body):
    without = body(drive)
    del without["properties"]["returnAddress"]
    client.job("PUT", body=without)
    ship = {"properties": {"state": "Shipping"}}
    status, error, _ = client.job("PATCH", body=ship)
    assert (status, error["error"]["code"]) == (400, "DeliveryPackageMissing")
    status, error, _ = client.ship()
    assert (status, error["error"]["code"]) == (400, "ReturnAddressMissing")
    job = client.job("GET")[1]["properties"]
    assert "deliveryPackage" not in job  # a refused update changes nothing
    address = body(drive)["properties"]["returnAddress"]
    assert client.ship(returnAddress=address)[1]["properties"]["state"] == "Shipping"


def test_update_package_alone_leaves_the_job_creating(client, drive, body):
    client.job("PUT", body=body(drive))
    package = {"carrierName": "pwsh", "trackingNumber": "T", "driveCount": 0}
    status, job, _ = client.job(
        "PATCH", body={"properties": {"deliveryPackage": package, "state": ""}}
    )
    assert status == 200
    assert job["properties"]["state"] == "Creating"
    assert job["properties"]["deliveryPackage"] == package


@pytest.mark.parametrize(
    ("properties", "status"),
    [
        pytest.param({"state": "Completed"}, 400, id="a state that is the service's own"),
        pytest.param({"diagnosticsPath": "x"}, 400, id="a property that is fixed"),
        pytest.param({"deliveryPackage": {"carrierName": "x"}}, 400, id="half a package"),
        pytest.param({"returnShipping": {"carrierName": "x"}}, 400, id="half a return shipping"),
        pytest.param({"logLevel": "Loud"}, 400, id="an unknown log level"),
        pytest.param({"driveList": []}, 400, id="no drives"),
        pytest.param({"cancelRequested": "yes"}, 400, id="a flag that is text"),
    ],
)
def test_update_illegal_is_refused(client, drive, body, properties, status):
    client.job("PUT", body=body(drive))
    answer, error, _ = client.job("PATCH", body={"properties": properties})
    assert answer == status
    assert error["error"]["message"]


def test_update_drive_list_without_recovery_password_keeps_it(client, drive, body):
    client.job("PUT", body=body(drive))
    entry = {**drive.entry(), "manifestHash": "A" * 32}
    del entry["bitLockerKey"]
    status, job, _ = client.job("PATCH", body={"properties": {"driveList": [entry]}})
    assert status == 200
    assert job["properties"]["driveList"][0]["manifestHash"] == "A" * 32
    keys = client.job("POST", suffix="/listBitLockerKeys")[1]
    assert keys["value"][0]["bitLockerKey"].startswith("238810")


def test_delete_only_in_creating_or_completed(client, drive, body):
    client.job("PUT", body=body(drive))
    client.ship()
    status, error, _ = client.job("DELETE")
    assert (status, error["error"]["code"]) == (409, "InvalidJobState")
    client.job("PUT", "job-two", body=body(drive))
    status, nothing, _ = client.job("DELETE", "job-two")
    assert (status, nothing) == (200, None)
    status, error, _ = client.job("GET", "job-two")
    assert (status, error["error"]["code"]) == (404, "ResourceNotFound")


def test_create_again_after_shipping_is_refused(client, drive, body):
    client.job("PUT", body=body(drive))
    client.ship()
    assert client.job("PUT", body=body(drive))[0] == 409


@pytest.mark.parametrize(
    ("change", "target"),
    [
        pytest.param({"jobType": None}, "jobType", id="no job type"),
        pytest.param({"storageAccountId": "acct"}, "storageAccountId", id="an account's name"),
        pytest.param({"driveList": None}, "driveList", id="no drives"),
        pytest.param({"driveList": [{"driveId": "A"}]}, "bitLockerKey", id="half a drive"),
        pytest.param({"returnAddress": {"city": "T"}}, "recipientName", id="half an address"),
    ],
)
def test_create_incomplete_is_refused(client, drive, body, change, target):
    status, error, _ = client.job("PUT", body=body(drive, **change))
    assert status == 400
    assert error["error"]["target"] == target


def test_create_with_eleven_drives_is_refused(client, drive, body):
    entries = [{**drive.entry(), "driveId": f"D{index}"} for index in range(11)]
    assert client.job("PUT", body=body(drive, driveList=entries[:10]))[0] == 201
    assert client.job("PUT", body=body(drive, driveList=entries))[0] == 400
    assert client.job("PUT", body=body(drive, driveList=[drive.entry()] * 2))[0] == 400


def test_create_at_an_unknown_location_is_refused(client, drive, body):
    status, error, _ = client.job("PUT", body={**body(drive), "location": "Mars"})
    assert (status, error["error"]["target"]) == (400, "location")


@pytest.mark.parametrize("version", ["2016-11-01", "2020-08-01", "2021-01-01"])
def test_api_version_known_is_served(client, drive, body, version):
    client.version = version
    assert client.job("PUT", body=body(drive))[0] == 201


@pytest.mark.parametrize(
    ("version", "code"),
    [("", "MissingApiVersionParameter"), ("1999-01-01", "InvalidApiVersionParameter")],
)
def test_api_version_wrong_is_refused(client, version, code):
    client.version = version
    status, error, _ = client.job("GET")
    assert (status, error["error"]["code"]) == (400, code)


@pytest.mark.parametrize("token", ["wrong", ""])
def test_token_wrong_answers_401(client, token):
    status, error, headers = client.job("GET", token=token)
    assert status == 401
    assert headers["WWW-Authenticate"].startswith("Bearer")
    assert "Authentication" in error["error"]["code"]


def test_path_unknown_answers_404_and_405(client):
    assert client.send("GET", "/providers/Microsoft.ImportExport/nothing")[0] == 404
    assert client.send("GET", "/providers/Microsoft.Storage")[0] == 404
    assert client.job("POST")[0] == 405
