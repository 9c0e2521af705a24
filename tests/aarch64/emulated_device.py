"""An AArch64 device, emulated: a small program, TVM's runtime for it, and QEMU."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
import zipfile
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest

__all__ = ["EmulatedDevice"]

COMPILER = "aarch64-linux-gnu-g++"
EMULATOR = "qemu-aarch64-static"
SYSROOT = Path("/usr/aarch64-linux-gnu")
CACHE = Path.home() / ".cache" / "tvm-patdnn" / "aarch64"
PLATFORMS = ("manylinux_2_28_aarch64", "manylinux_2_27_aarch64", "manylinux2014_aarch64")
PACKAGES = ("apache-tvm", "apache-tvm-ffi")
LIBRARIES = ("libtvm_runtime.so", "libtvm_runtime_extra.so", "libtvm_ffi.so")


class EmulatedDevice:
    """Runs libraries that were built for AArch64; skips the test where it cannot."""

    def __init__(self, folder: Path) -> None:
        for tool in (COMPILER, EMULATOR):
            if shutil.which(tool) is None:
                pytest.skip(f"no {tool}: apt-get install g++-aarch64-linux-gnu qemu-user-static")
        self._folder = folder
        libraries = _runtime_libraries()
        self._program = folder / "run_library"
        source = Path(__file__).with_name("run_library.cc")
        includes = [f"-I{path}" for path in _include_folders()]
        links = [f"-L{libraries}", "-ltvm_runtime", "-ltvm_runtime_extra", "-ltvm_ffi"]
        # The runtime registers itself when it is loaded, so it is linked though nothing asks.
        command = [COMPILER, "-std=c++17", "-O1", *includes, str(source), "-o", str(self._program)]
        command += ["-Wl,--no-as-needed", *links, f"-Wl,-rpath,{libraries}"]
        subprocess.run(command, check=True)

    def run(self, library: Path, data: np.ndarray, cpu: str) -> np.ndarray:
        """Returns the values of the output for one input, on an emulated ``cpu``."""
        source, target = self._folder / "input", self._folder / "output"
        source.write_bytes(data.tobytes())
        sizes = [str(size) for size in data.shape]
        command = [EMULATOR, "-cpu", cpu, "-L", str(SYSROOT), str(self._program)]
        subprocess.run([*command, str(library), str(source), str(target), *sizes], check=True)
        return np.frombuffer(target.read_bytes(), np.float32)


def _runtime_libraries() -> Path:
    """Returns a folder with TVM's runtime for AArch64, of the versions installed here."""
    folder = CACHE / "-".join(version(package) for package in PACKAGES)
    if not all((folder / name).exists() for name in LIBRARIES):
        for package in PACKAGES:
            _extract(_download(package, folder), folder)
    return folder


def _download(package: str, folder: Path) -> Path:
    platforms = [word for name in PLATFORMS for word in ("--platform", name)]
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "-d", str(folder)]
    command += ["--only-binary=:all:", *platforms, f"{package}=={version(package)}"]
    if subprocess.run(command, check=False, capture_output=True).returncode != 0:
        pytest.skip(f"no AArch64 wheel of {package}: pip download failed")
    return max(folder.glob(f"{package.replace('-', '_')}-*.whl"), key=lambda p: p.stat().st_mtime)


def _extract(wheel: Path, folder: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        for member in archive.namelist():
            if Path(member).name in LIBRARIES:
                (folder / Path(member).name).write_bytes(archive.read(member))
    wheel.unlink()


def _include_folders() -> list[Path]:
    def package(name: str) -> Path:
        spec = importlib.util.find_spec(name)
        assert spec is not None
        assert spec.origin is not None
        return Path(spec.origin).parent

    ffi = package("tvm_ffi")
    return [ffi / "include", ffi / "3rdparty" / "dlpack" / "include", package("tvm") / "include"]
