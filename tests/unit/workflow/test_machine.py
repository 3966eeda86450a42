import pytest

from offlineseed.workflow import FirmwareFacts, judge_machine, read_machine


@pytest.mark.parametrize(
    ("facts", "is_virtual"),
    [
        pytest.param(FirmwareFacts(vendor="Dell Inc.", product="PowerEdge R740"), False, id="real"),
        pytest.param(
            FirmwareFacts(vendor="Microsoft Corporation", product="Virtual Machine"),
            True,
            id="Hyper-V guest",
        ),
        pytest.param(
            FirmwareFacts(vendor="Microsoft Corporation", product="Surface Book"),
            False,
            id="laptop of Hyper-V's maker",
        ),
        pytest.param(FirmwareFacts(vendor="VMware, Inc.", product="VMware7,1"), True, id="VMware"),
        pytest.param(FirmwareFacts(vendor="QEMU", product="Standard PC"), True, id="QEMU"),
        pytest.param(FirmwareFacts(firmware_vendor="innotek GmbH"), True, id="VirtualBox"),
        pytest.param(
            FirmwareFacts(vendor="Amazon EC2", product="m5.large"), True, id="cloud instance"
        ),
        pytest.param(
            FirmwareFacts(vendor="Amazon EC2", product="m5.metal"),
            False,
            id="bare metal of a cloud",
        ),
        pytest.param(
            FirmwareFacts(vendor="Custom", product="Box", has_hypervisor_flag=True),
            True,
            id="processor says so",
        ),
        pytest.param(FirmwareFacts(), None, id="nothing said"),
    ],
)
def test_machine_is_judged_by_its_firmware(facts, is_virtual):
    assert judge_machine("host", facts).is_virtual is is_virtual


def test_machine_is_read_from_the_tables_of_linux(tmp_path):
    tables = tmp_path / "sys/class/dmi/id"
    tables.mkdir(parents=True)
    (tables / "sys_vendor").write_text("QEMU\n")
    (tables / "product_name").write_text("Standard PC (Q35 + ICH9, 2009)\n")
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/cpuinfo").write_text("processor\t: 0\nflags\t\t: fpu hypervisor\n")

    machine = read_machine(tmp_path)

    assert machine.is_virtual
    assert machine.product == "QEMU Standard PC (Q35 + ICH9, 2009)"
    assert machine.host


def test_machine_without_tables_is_not_judged(tmp_path):
    assert read_machine(tmp_path).is_virtual is None
