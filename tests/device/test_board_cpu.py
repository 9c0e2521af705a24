import pytest

from tvm_patdnn.device.board_cpu import board_cpu


def core(part: str, implementer: str = "0x41") -> str:
    return (
        f"processor\t: 0\nBogoMIPS\t: 108.00\nCPU implementer\t: {implementer}\n"
        f"CPU architecture: 8\nCPU variant\t: 0x0\nCPU part\t: {part}\nCPU revision\t: 3\n\n"
    )


def x86(flags: str) -> str:
    return f"processor\t: 0\nvendor_id\t: X\nflags\t\t: fpu {flags}\n"


V3 = "sse4_2 popcnt ssse3 avx2 fma bmi2 f16c movbe"


@pytest.mark.parametrize(
    ("machine", "cpuinfo", "name"),
    [
        ("aarch64", core("0xd08") * 4, "cortex-a72"),
        ("aarch64", core("0xd03") * 4, "cortex-a53"),
        ("aarch64", core("0xd05") * 4 + core("0xd0b") * 2, "cortex-a76"),
        ("armv7l", core("0xc07"), "cortex-a7"),
        ("aarch64", core("0xfff"), "generic"),
        ("aarch64", core("0xd08", "0x51"), "generic"),
        ("aarch64", "", "generic"),
        ("aarch64", x86(V3), "generic"),
        ("x86_64", x86("sse2"), "x86-64"),
        ("x86_64", x86("sse4_2 popcnt ssse3"), "x86-64-v2"),
        ("x86_64", x86(V3), "x86-64-v3"),
        ("x86_64", x86(f"{V3} avx512f avx512bw avx512cd avx512dq avx512vl"), "x86-64-v4"),
        ("x86_64", "", "x86-64"),
    ],
)
def test_names(machine, cpuinfo, name):
    assert board_cpu(machine, cpuinfo) == name
