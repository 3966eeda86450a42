"""
A service that answers what a test tells it: azure-core's own transport over a canned adapter.
"""

import io
import json
import time
from collections.abc import Callable

import attrs
import pytest
import requests
import urllib3
from azure.core.credentials import AccessToken
from azure.core.pipeline.transport import RequestsTransport

from offlineseed._secret import Secret
from offlineseed.jobs import ImportJob, JobDrive, ReturnAddress, ReturnShipping

PASSWORD = "-".join(["110000"] * 8)


class Credential:
    def get_token(self, *scopes, **options):
        return AccessToken("the-token", int(time.time()) + 3600)


@attrs.define
class Service(requests.adapters.BaseAdapter):
    """
    Answers requests in turn: a (status, body) pair, with headers if need be, or an exception.
    """

    answers: list = attrs.field(factory=list)
    requests: list = attrs.field(factory=list)
    slept: list = attrs.field(factory=list)
    timeouts: list = attrs.field(factory=list)

    def send(self, request, **options):
        self.requests.append(request)
        self.timeouts.append(options["timeout"])
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        status, body, *headers = answer
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        raw = urllib3.HTTPResponse(
            body=io.BytesIO(content),
            status=status,
            reason="Reason",
            headers={"Content-Type": "application/json", **(headers or [{}])[0]},
            preload_content=False,
        )
        return requests.adapters.HTTPAdapter().build_response(request, raw)

    def close(self):
        pass

    def answer(self, status, body=b"", **headers):
        self.answers.append((status, body, {k.replace("_", "-"): v for k, v in headers.items()}))

    def body(self, index=-1):
        return json.loads(self.requests[index].body)

    @property
    def sent(self):
        return [(request.method, request.path_url) for request in self.requests]

    def transport(self):
        session = requests.Session()
        session.trust_env = False
        session.mount("https://", self)
        session.mount("http://", self)
        slept = self.slept

        class Transport(RequestsTransport):
            def sleep(self, duration):
                slept.append(duration)

        return Transport(session=session, use_env_settings=False)


@pytest.fixture
def service() -> Service:
    return Service()


@pytest.fixture
def credential() -> Credential:
    return Credential()


@pytest.fixture
def new_job() -> Callable[..., ImportJob]:
    def make(**changes) -> ImportJob:
        job = ImportJob(
            name="seed-1",
            storage_account="/subscriptions/s/resourceGroups/g/providers/Microsoft.Storage/"
            "storageAccounts/backups",
            location="West US",
            drives=[
                JobDrive(
                    drive_id="9CA995BB",
                    recovery_password=Secret(PASSWORD),
                    manifest_file="\\DriveManifest.xml",
                    manifest_hash="109B21108597EF36D5785F08303F3638",
                )
            ],
            return_address=ReturnAddress(
                recipient_name="Tets",
                street_address1="Street1",
                city="Redmond",
                state_or_province="wa",
                postal_code="98007",
                country_or_region="USA",
                phone="4250000000",
                email="Test@contoso.com",
            ),
            return_shipping=ReturnShipping(carrier_name="FedEx", carrier_account_number="989ffff"),
        )
        return attrs.evolve(job, **changes)

    return make
