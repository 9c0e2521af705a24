import re
import shutil
from pathlib import Path

import pytest

from tvm_patdnn.bench.gpu.layer_case import Layer
from tvm_patdnn.bench.gpu.predicted_page import HEAD, predicted_page

PAGE = Path(__file__).parents[3] / "docs" / "gpu-predicted.md"
LAST = "512->512@14"


def shares(title: str) -> dict[str, float]:
    """The share of each layer in a section of the page."""
    section = PAGE.read_text().split(f"## {title}\n")[1].split("\n## ")[0]
    rows = [line.split("|") for line in section.splitlines() if line.startswith("| L")]
    return {row[1].split()[1]: float(row[5]) for row in rows}


@pytest.mark.parametrize(
    ("title", "most", "last"),
    [
        ("A100 (sm_80), filters in blocks of 4", 0.5, 0.35),
        ("A100 (sm_80), free kernels", 0.4, 0.25),
    ],
)
def test_the_page_says_that_kernels_come_near_the_peak(title, most, last):
    found = shares(title)
    assert len(found) == 8
    assert all(share >= (last if layer == LAST else most) for layer, share in found.items())


def test_the_page_says_how_much_faster_than_dense_that_is():
    means = re.findall(r"Geometric mean against dense: (\d+\.\d)", PAGE.read_text())
    assert float(means[0]) >= 3


def test_the_page_was_written_by_the_command_it_names():
    assert PAGE.read_text().startswith(HEAD)


@pytest.mark.long
@pytest.mark.skipif(not (shutil.which("nvcc") and shutil.which("nvdisasm")), reason="no nvcc")
def test_a_page_is_written_from_machine_code():
    page = predicted_page([Layer(name="L", in_c=32, out_c=32, side=28)])
    assert page.count("| L 32->32@28 |") == 4
