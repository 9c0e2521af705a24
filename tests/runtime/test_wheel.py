"""The distribution that only runs libraries, built and installed alone."""

import json
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import numpy as np
import PIL
import pytest

from tests.built import inputs, library, standalone_library

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """A folder with an environment that has the wheel, numpy and pillow, and nothing else."""
    folder = tmp_path_factory.mktemp("runtime")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    for name in ("runtime", "tvm_patdnn"):  # a copy, as building leaves files behind
        ignored = shutil.ignore_patterns("build", "__pycache__", "*.egg-info")
        shutil.copytree(ROOT / name, folder / "checkout" / name, ignore=ignored)
    build = ["wheel", "--no-deps", "--no-build-isolation", "-w", folder]
    _run([*pip, *build, folder / "checkout" / "runtime"])
    venv.create(folder / "env", symlinks=True)
    site = next((folder / "env" / "lib").glob("python*")) / "site-packages"
    (wheel,) = folder.glob("tvm_patdnn_runtime-*.whl")
    _run([*pip, "install", "--no-deps", "--no-index", "--target", site, wheel])
    for package in (np, PIL):  # those of this environment: no download
        source = Path(package.__file__).parent
        (site / source.name).symlink_to(source)
        for libraries in source.parent.glob("[np]*.libs"):
            if not (site / libraries.name).exists():
                (site / libraries.name).symlink_to(libraries)
    return folder / "env" / "bin" / "python"


def _run(line, **more):
    done = subprocess.run(line, capture_output=True, text=True, check=False, **more)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _command(python, *words):
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    return _run([python, *words], cwd=python.parent, env=environment)


def test_loads_and_runs(environment, tmp_path):
    np.save(tmp_path / "x.npy", inputs()["x"])
    program = (
        "import sys, numpy, tvm_patdnn\n"
        "model = tvm_patdnn.load(sys.argv[1], num_threads=2)\n"
        "numpy.save(sys.argv[3], model.run({'x': numpy.load(sys.argv[2])})['y'])\n"
        "print(tvm_patdnn.__file__, len(model.time({'x': numpy.load(sys.argv[2])}, 2)))\n"
    )
    paths = [standalone_library(), tmp_path / "x.npy", tmp_path / "y.npy"]
    said = _command(environment, "-c", program, *paths)
    assert str(environment.parent.parent) in said
    assert (np.load(tmp_path / "y.npy") == library().run(inputs())["y"]).all()


def test_the_command(environment, tmp_path):
    np.save(tmp_path / "x.npy", inputs()["x"])
    words = ["-m", "tvm_patdnn", "run", standalone_library(), "--json", "--repeats", "2"]
    said = _command(environment, *words, "--input", f"x={tmp_path / 'x.npy'}")
    assert json.loads(said)["outputs"]["y"]["shape"] == [1, 8, 16, 16]
    said = _command(environment, "-m", "tvm_patdnn", "--help")
    assert "run a built library" in said
    assert "    prune" not in said
    said = _command(environment, "-m", "tvm_patdnn", "--version")
    assert said.startswith("tvm-patdnn-runtime ")


def test_what_is_not_in_it_is_told(environment):
    program = (
        "import tvm_patdnn\n"
        "try:\n    tvm_patdnn.build\nexcept ImportError as error:\n    print(error)\n"
    )
    said = _command(environment, "-c", program)
    assert said == (
        "tvm_patdnn.build is not in tvm-patdnn-runtime, which only runs libraries; install "
        "tvm-patdnn\n"
    )


def test_the_versions_are_the_same():
    """Read as text: Python 3.10 cannot read TOML."""
    found = [
        next(line for line in path.read_text().splitlines() if line.startswith("version = "))
        for path in (ROOT / "pyproject.toml", ROOT / "runtime" / "pyproject.toml")
    ]
    assert found[0] == found[1]
