"""What this machine is, as LLVM and the operating system tell it."""

from __future__ import annotations

from contextlib import suppress
from functools import cache
from pathlib import Path

from tvm_patdnn.machine.cores import host_cores

__all__ = ["host_cache_bytes", "host_caches", "host_config", "host_cpu", "host_triple"]

_CACHE_FOLDER = Path("/sys/devices/system/cpu/cpu0/cache")
_UNITS = {"K": 1 << 10, "M": 1 << 20}


def host_cpu() -> str:
    """LLVM's name of this machine's CPU."""
    import tvm_ffi  # here, as below: this module is read where there is no TVM, too

    return str(tvm_ffi.get_global_func("target.llvm_get_system_cpu")())


def host_triple() -> str:
    """LLVM's triple of this machine."""
    import tvm_ffi

    return str(tvm_ffi.get_global_func("target.llvm_get_system_triple")())


@cache
def host_config() -> dict[str, str | int | tuple[str, ...]]:
    """A target config for this machine.

    Features that the CPU's model has but this machine lacks (virtual machines hide some)
    are switched off, as code that used them would crash.
    """
    config = {"kind": "llvm", "mtriple": host_triple(), "mcpu": host_cpu()}
    missing = _missing_features(config)
    return {**config, "num-cores": host_cores(), **({"mattr": missing} if missing else {})}


def _missing_features(config: dict[str, str]) -> tuple[str, ...]:
    import tvm_ffi
    from tvm.target import Target

    expected = tvm_ffi.get_global_func("target.llvm_get_cpu_features")(Target(config))
    present = tvm_ffi.get_global_func("tvm.codegen.llvm.GetHostCPUFeatures")()
    lacking = {str(name) for name, has in present.items() if not bool(has)}
    return tuple(f"-{name}" for name in sorted(lacking & {str(name) for name in expected}))


def host_cache_bytes(level: int, folder: Path = _CACHE_FOLDER) -> int | None:
    """Bytes of data cache that one core can count on, or None where the system does not tell.

    Args:
        level: 1 or 2; the size of a shared cache is divided by the cores that share it.
        folder: where Linux describes the caches of the first core.
    """
    for index in sorted(folder.glob("index*")):
        try:
            if int(_read(index / "level")) == level and _read(index / "type") != "Instruction":
                return _bytes(_read(index / "size")) // _sharing_cores(index)
        except (OSError, ValueError):
            continue
    return None


def host_caches(folder: Path = _CACHE_FOLDER) -> tuple[int, ...]:
    """Bytes of the first core's data caches, whole, by level; 0 where the system does not tell."""
    sizes: dict[int, int] = {}
    for index in sorted(folder.glob("index*")):
        with suppress(OSError, ValueError):
            if _read(index / "type") != "Instruction":
                sizes[int(_read(index / "level"))] = _bytes(_read(index / "size"))
    return tuple(sizes.get(level, 0) for level in range(1, 1 + max(sizes, default=0)))


def _sharing_cores(index: Path) -> int:
    threads = _read(index.parent.parent / "topology" / "thread_siblings_list")
    return max(1, _count(_read(index / "shared_cpu_list")) // _count(threads))


def _count(cpu_list: str) -> int:
    """Counts the CPUs of a list such as ``0-3,8``."""
    ranges = [part.split("-") for part in cpu_list.split(",")]
    return sum(int(ends[-1]) - int(ends[0]) + 1 for ends in ranges)


def _bytes(size: str) -> int:
    return int(size[:-1]) * _UNITS[size[-1]] if size[-1] in _UNITS else int(size)


def _read(path: Path) -> str:
    return path.read_text().strip()
