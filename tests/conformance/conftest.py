"""
Other people's servers, started for the tests and stopped after them.
"""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
AZURITE = ROOT / ".node" / "node_modules" / ".bin" / "azurite-blob"
# Azurite's well-known development account.
ACCOUNT = "devstoreaccount1"
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
START_SECONDS = 60


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _await_port(port, process):
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            return False
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return True
        time.sleep(0.1)
    return False


@pytest.fixture(scope="session")
def azurite(tmp_path_factory):
    """
    A connection string of a real Azurite, empty at first and shared by the session's tests.
    """
    if not AZURITE.exists():
        pytest.skip("azurite is not installed: npm install --prefix .node azurite")
    if shutil.which("node") is None:
        pytest.skip("azurite needs node, which is not installed")
    folder = tmp_path_factory.mktemp("azurite")
    # Another process may take the port between looking and listening.
    for _ in range(3):
        port = _free_port()
        with (folder / "output").open("wb") as output:
            process = subprocess.Popen(
                [
                    AZURITE,
                    "--silent",
                    "--skipApiVersionCheck",
                    "--disableTelemetry",
                    *("--blobHost", "127.0.0.1", "--blobPort", str(port)),
                    *("--location", str(folder)),
                ],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        if _await_port(port, process):
            break
        _stop(process)
    else:
        pytest.fail(f"azurite did not start: {(folder / 'output').read_text()}")
    try:
        yield (
            f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={KEY};"
            f"BlobEndpoint=http://127.0.0.1:{port}/{ACCOUNT};"
        )
    finally:
        _stop(process)


def _stop(process):
    # PyPI's node is a program that starts the real one: both are of one session.
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(20)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
