import shutil

import pytest

from tvm_patdnn.bench.gpu import machine_code
from tvm_patdnn.bench.gpu.machine_code import disassemble, read_kernels
from tvm_patdnn.errors import BenchError

TEXT = """
.section .text.conv_kernel,"ax",@progbits
.text.conv_kernel:
        /*0000*/                   MOV R1, c[0x0][0x28] ;
.L_x_0:
        /*0010*/                   LDG.E R2, [R4] ;
.L_x_1:
        /*0020*/                   LDS.64 R6, [R8] ;
        /*0030*/                   FFMA R3, R6, R7, R3 ;
        /*0040*/              @!P0 FFMA R3, R6, R7, R3 ;
        /*0050*/               @P1 BRA `(.L_x_1) ;
        /*0060*/                   BAR.SYNC 0x0 ;
.L_x_2:
        /*0070*/                   IADD3 R9, R9, 0x1, RZ ;
        /*0080*/               @P1 BRA `(.L_x_2) ;
        /*0090*/               @P2 BRA `(.L_x_0) ;
        /*00a0*/                   EXIT ;
.text.sum_kernel:
        /*0000*/                   EXIT ;
"""


def test_loops_are_told_apart():
    found = read_kernels(TEXT)
    assert list(found) == ["conv_kernel", "sum_kernel"]
    (inner,) = found["conv_kernel"].inner
    assert inner == {"LDS.64": 1, "FFMA": 2, "BRA": 1}
    assert found["conv_kernel"].outer == {"LDG": 1, "BAR": 1, "IADD3": 1, "BRA": 2}
    assert found["sum_kernel"].inner == ()


@pytest.mark.skipif(shutil.which("nvdisasm") is None, reason="no nvdisasm")
def test_a_file_that_is_no_machine_code_is_told(tmp_path):
    path = tmp_path / "x.cubin"
    path.write_text("x")
    with pytest.raises(BenchError, match="x.cubin: nvdisasm refuses it"):
        disassemble(path)


def test_a_missing_disassembler_is_told_with_where_it_is(tmp_path, monkeypatch):
    def missing(*args, **kwargs):
        raise FileNotFoundError

    monkeypatch.setattr(machine_code.subprocess, "run", missing)
    with pytest.raises(BenchError, match="nvdisasm: not found, .*PyPI's nvidia-cuda-nvdisasm"):
        disassemble(tmp_path / "x.cubin")
