"""Every part of the packages has its place among the layers that `make lint` checks, and tests."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def listed():
    tomllib = pytest.importorskip("tomllib")  # of Python 3.11 and later
    tools = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]
    contracts = tools["importlinter"]["contracts"]
    layers = next(each["layers"] for each in contracts if each["id"] == "layers")
    return set(re.findall(r"[\w.]+", " ".join(layers)))


def parts():
    inside = {
        path.stem
        for path in (ROOT / "tvm_patdnn").iterdir()
        if path.suffix == ".py" or (path / "__init__.py").exists()
    }
    return {f"tvm_patdnn.{name}" for name in inside - {"__init__"}}


def test_every_part_has_a_layer():
    assert listed() == parts() | {"models", "relay_passes", "te_schedules"}


def test_every_part_is_explained():
    text = (ROOT / "docs" / "architecture.md").read_text()
    named = set(re.findall(r"`(\w+(?:/\w+)?)(?:/|\.py)`", text))
    assert parts() - {"tvm_patdnn.__main__"} <= {name.replace("/", ".") for name in named}


@pytest.mark.parametrize("package", ["relay_passes", "te_schedules"])
def test_every_module_of_passes_and_kernels_has_tests_of_its_name(package):
    modules = [
        path.relative_to(ROOT)
        for path in (ROOT / package).rglob("*.py")
        if path.name != "__init__.py"
    ]
    tests = {path: ROOT / "tests" / path.parent / f"test_{path.name}" for path in modules}
    assert [str(path) for path, test in tests.items() if not test.exists()] == []
