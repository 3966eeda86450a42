import attrs
import pytest
from azure.core.exceptions import HttpResponseError, ServiceRequestError

from offlineseed.emulator import FixedTokenCredential
from offlineseed.errors import AdapterUnavailableError
from offlineseed.findings import Finding, Severity
from offlineseed.jobs import ImportExportJobs
from offlineseed.volumes import DirectoryVolumes, VolumeCapacity
from offlineseed.workflow import (
    Machine,
    PreflightFacts,
    Workload,
    check_preflight,
    check_workload,
    preflight,
)

REAL, VIRTUAL = Machine(host="real", is_virtual=False), Machine(host="vm", is_virtual=True)


def codes(findings):
    return [finding.code for finding in findings]


@pytest.fixture
def facts(bench):
    return PreflightFacts(settings=bench.settings)


def test_everything_wrong_is_said_at_once(facts):
    bad = attrs.evolve(
        facts,
        workload=Workload.SYSTEM_STATE,
        location="elsewhere",
        is_reachable=False,
        free_bytes=1,
        needed_bytes=2,
        source=VIRTUAL,
        copy_machine=VIRTUAL,
        drive_ids=[],
        probed=[Finding(code="tool-missing", subject="volumes", message="install it")],
    )

    assert codes(check_preflight(bad)) == [
        "workload-not-supported",
        "staging-path-differs",
        "staging-not-reachable",
        "staging-too-small",
        "source-is-virtual",
        "drive-missing",
        "tool-missing",
    ]


def test_nothing_asked_is_nothing_wrong(facts):
    assert check_preflight(facts) == ()


@pytest.mark.parametrize("workload", [one for one in Workload if one != Workload.SYSTEM_STATE])
def test_workload_of_the_article_is_supported(workload):
    assert check_workload(workload) is None


def test_system_state_is_refused():
    assert check_workload(Workload.SYSTEM_STATE).code == "workload-not-supported"


@pytest.mark.parametrize(
    ("source", "copy", "expected"),
    [
        pytest.param(REAL, REAL, [], id="one physical machine"),
        pytest.param(VIRTUAL, REAL, [], id="virtual source, physical copy machine"),
        pytest.param(
            VIRTUAL, VIRTUAL, [("source-is-virtual", Severity.ERROR)], id="one virtual machine"
        ),
        pytest.param(
            VIRTUAL,
            attrs.evolve(VIRTUAL, host="other"),
            [("copy-machine-is-virtual", Severity.ERROR)],
            id="two virtual machines",
        ),
        pytest.param(
            REAL,
            VIRTUAL,
            [("copy-machine-is-virtual", Severity.WARNING)],
            id="physical source, virtual copy machine",
        ),
        pytest.param(None, Machine(host="unknown"), [], id="nothing known"),
    ],
)
def test_virtual_source_needs_another_physical_machine(facts, source, copy, expected):
    found = check_preflight(attrs.evolve(facts, source=source, copy_machine=copy))
    assert [(finding.code, finding.severity) for finding in found] == expected


def test_drive_given_twice_is_named(facts):
    (finding,) = check_preflight(attrs.evolve(facts, drive_ids=["A", "B", "A"]))
    assert (finding.code, finding.subject) == ("drive-twice", "A")


def test_staging_location_is_measured(bench):
    assert codes(preflight(bench.settings, needed_bytes=1 << 60)) == ["staging-too-small"]
    assert preflight(bench.settings, needed_bytes=1) == ()
    missing = bench.folder / "no" / "such" / "folder"
    assert codes(preflight(bench.settings, location=missing)) == [
        "staging-path-differs",
        "staging-not-reachable",
    ]


def test_seed_opened_by_its_own_path_is_well(bench):
    seed = bench.initiate()
    assert seed.preflight(copy_machine=REAL, drives=[bench.drive()], jobs=bench.jobs) == ()
    assert codes(seed.preflight(copy_machine=Machine(host="source", is_virtual=True))) == [
        "source-is-virtual"
    ]


@attrs.frozen
class _NoTools:
    def capacity(self, drive):
        raise AdapterUnavailableError("this needs cryptsetup: apt-get install cryptsetup")


@attrs.frozen
class _Gone:
    def capacity(self, drive):
        raise FileNotFoundError(drive.path)


@attrs.frozen
class _Roomy:
    def capacity(self, drive):
        return VolumeCapacity(usable_bytes=drive.size_bytes)


def test_tools_and_drives_are_probed(bench):
    drives = [bench.drive("ONE"), bench.drive("TWO")]

    def check(drive):
        yield Finding(code="drive-removable", subject=drive.drive_id, message="not internal")

    found = preflight(bench.settings, drives=drives, volumes=_NoTools(), check_drive=check)
    assert codes(found) == ["drive-removable", "tool-missing", "drive-removable"]
    assert "apt-get install" in found[1].message
    gone = preflight(bench.settings, drives=drives, volumes=_Gone())
    assert [(one.code, one.subject) for one in gone] == [
        ("drive-not-reachable", "ONE"),
        ("drive-not-reachable", "TWO"),
    ]
    assert preflight(bench.settings, drives=drives, volumes=_Roomy()) == ()
    assert preflight(bench.settings, drives=drives, volumes=DirectoryVolumes()) == ()


def test_service_that_refuses_the_credential_is_named(bench):
    with ImportExportJobs(
        FixedTokenCredential("another"),
        subscription_id=bench.settings.subscription_id,
        resource_group="rg",
        base_url=bench.service.url,
        retry_total=0,
    ) as jobs:
        (finding,) = preflight(bench.settings, jobs=jobs)
    assert finding.code == "service-credentials-refused"
    assert "another" not in finding.message


def test_service_that_is_not_there_is_named(bench):
    url = bench.service.url
    bench.service.close()
    with ImportExportJobs(
        bench.service.credential,
        subscription_id=bench.settings.subscription_id,
        resource_group="rg",
        base_url=url,
        retry_total=0,
    ) as jobs:
        (finding,) = preflight(bench.settings, jobs=jobs)
    assert finding.code == "service-not-reachable"


class _Container:
    account_name = "seedaccount"

    def __init__(self, error):
        self._error = error

    def exists(self):
        if self._error:
            raise self._error
        return False


def _answer(status):
    error = HttpResponseError("secret words")
    error.status_code = status
    return error


@pytest.mark.parametrize(
    ("error", "code"),
    [
        pytest.param(None, None, id="container not there yet"),
        pytest.param(_answer(403), "account-credentials-refused", id="forbidden"),
        pytest.param(_answer(409), "account-refused", id="disabled"),
        pytest.param(ServiceRequestError("no such host"), "account-not-reachable", id="no host"),
    ],
)
def test_account_is_asked(bench, error, code):
    found = preflight(bench.settings, container=_Container(error))
    assert codes(found) == ([code] if code else [])
    assert "secret words" not in "".join(finding.message for finding in found)
