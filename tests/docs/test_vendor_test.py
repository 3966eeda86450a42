"""
The guide for vendors: its test is run by pytest, as a vendor would.
"""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
GUIDE = ROOT / "docs" / "how-to" / "test-your-integration.md"
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_vendors_test_of_the_guide_passes(tmp_path):
    conftest, test, product = BLOCK.findall(GUIDE.read_text("utf-8"))
    body = test.split("def test_")[1].splitlines()[1:]
    (tmp_path / "conftest.py").write_text(conftest, "utf-8")
    (tmp_path / "test_product.py").write_text(test, "utf-8")
    (tmp_path / "product.py").write_text(product, "utf-8")

    told = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )

    assert told.returncode == 0, told.stdout + told.stderr
    assert "1 passed" in told.stdout
    assert len([line for line in body if line.strip()]) <= 10
