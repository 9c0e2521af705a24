"""Names that users would type for a target, and what they stand for."""

from __future__ import annotations

from typing import Any

__all__ = ["PRESETS"]

Config = dict[str, Any]


def _arm64(mcpu: str, num_cores: int = 4, *, triple: str = "aarch64-linux-gnu") -> Config:
    return {"kind": "llvm", "mtriple": triple, "mcpu": mcpu, "num-cores": num_cores}


def _x86(mcpu: str) -> Config:
    return {"kind": "llvm", "mtriple": "x86_64-linux-gnu", "mcpu": mcpu, "num-cores": 4}


def _phone_gpu(device: str, *, warp: int, threads: int) -> Config:
    """The GPU of an Android phone, with what every one of its recent family has."""
    return {
        "kind": "opencl",
        "device": device,
        "thread_warp_size": warp,
        "max_num_threads": threads,
        "max_threads_per_block": threads,
        "max_shared_memory_per_block": 32 << 10,
        "host": _arm64("generic", triple="aarch64-linux-android"),
    }


# Cores are those that share the work well: the fast ones of a phone or an Apple chip, and 4
# for cloud machines, which come in every size (say "graviton3 -num-cores=16").
PRESETS: dict[str, Config] = {
    "raspberry-pi-2": {
        "kind": "llvm",
        "mtriple": "armv7l-linux-gnueabihf",
        "mcpu": "cortex-a7",
        "num-cores": 4,
    },
    "raspberry-pi-3": _arm64("cortex-a53"),
    "raspberry-pi-4": _arm64("cortex-a72"),
    "raspberry-pi-5": _arm64("cortex-a76"),
    "raspberry-pi-zero-2": _arm64("cortex-a53"),
    "orange-pi-5": _arm64("cortex-a76"),
    "jetson-nano-cpu": _arm64("cortex-a57"),
    "jetson-orin-cpu": _arm64("cortex-a78ae", 6),
    "android-arm64": _arm64("generic", triple="aarch64-linux-android"),
    "apple-m1": _arm64("apple-m1", triple="arm64-apple-darwin"),
    "apple-m2": _arm64("apple-m2", triple="arm64-apple-darwin"),
    "apple-m3": _arm64("apple-m3", triple="arm64-apple-darwin"),
    "apple-m4": _arm64("apple-m4", triple="arm64-apple-darwin"),
    "graviton2": _arm64("neoverse-n1"),
    "graviton3": _arm64("neoverse-v1"),
    "graviton4": _arm64("neoverse-v2"),
    "x86-64": _x86("x86-64"),
    "x86-64-v2": _x86("x86-64-v2"),
    "x86-64-v3": _x86("x86-64-v3"),
    "x86-64-v4": _x86("x86-64-v4"),
    "adreno": _phone_gpu("adreno", warp=64, threads=512),
    "mali": _phone_gpu("mali", warp=16, threads=256),
}
