from dataclasses import replace

import numpy as np
import pytest
import tvm

from te_schedules.cpu.int8.winograd_words import WORD_PRODUCTS, WordProducts, plain_words, words_for
from te_schedules.cpu.vector_code import VectorCode, prim_func
from tests.relay_passes.relax_modules import CPU
from tests.te_schedules.cpu.int8.instruction_samples import NAMES, usable
from tests.te_schedules.cpu.lane_kernels import compiled
from tvm_patdnn.machine.targets import resolve_target

CODE = {
    "avx2": ("x86_64-linux-gnu", "haswell", ("vpmaddwd", "vpaddd")),
    "avx-vnni": ("x86_64-linux-gnu", "alderlake", ("vpdpwssd",)),
    "avx512-vnni": ("x86_64-linux-gnu", "cascadelake", ("vpdpwssd", "zmm")),
    "avx512-vbmi": ("x86_64-linux-gnu", "znver4", ("vpdpwssd", "zmm")),
    "neon": ("aarch64-linux-gnu", "cortex-a72", ("smlal",)),
    "dotprod": ("aarch64-linux-gnu", "cortex-a76", ("smlal",)),
    "i8mm": ("aarch64-linux-gnu", "neoverse-v1", ("smlal",)),
}


def dot_function(words: WordProducts) -> tvm.tirx.PrimFunc:
    """Of (values, a weight, sums, result)."""
    sums, values = VectorCode(words.lanes, "int32"), VectorCode(words.words, "int16")

    def body(data, weight, start, output) -> None:
        spread = words.spread(weight, 0)
        sums.store(output, words.dot(sums.load(start, 0), values.load(data, 0), spread), 0)

    params = [("data", (words.words,), "int16"), ("weight", (1,), words.stored)]
    params += [("start", (words.lanes,), "int32"), ("output", (words.lanes,), "int32")]
    return prim_func(params, body)


@pytest.mark.parametrize("name", NAMES)
def test_sums_are_exact_modulo_2_to_the_32(name):
    if name not in usable():
        pytest.skip(f"this CPU has no {name}")
    words = WORD_PRODUCTS.get(name) or plain_words(4, 16)
    values = np.random.default_rng(0).integers(-(2**15), 2**15, (words.lanes, words.depth))
    weight = np.array([-6223, 6223][: words.depth])
    start = np.full(words.lanes, 2**31 - 5)
    output = tvm.runtime.tensor(np.zeros(words.lanes, np.int32))
    stored = np.ascontiguousarray(weight, np.int16).view(words.stored)
    arrays = values.astype(np.int16).reshape(-1), stored, start.astype(np.int32)
    compiled(dot_function(words)).jit()["main"](*map(tvm.runtime.tensor, arrays), output)
    expected = (start + values @ weight).astype(np.uint64).astype(np.uint32).view(np.int32)
    np.testing.assert_array_equal(output.numpy(), expected)


@pytest.mark.parametrize("name", CODE)
def test_a_dot_is_the_instructions_it_should_be(name):
    triple, cpu, expected = CODE[name]
    func = dot_function(WORD_PRODUCTS[name]).with_attr("global_symbol", "kernel")
    target = resolve_target(f"llvm -mtriple={triple} -mcpu={cpu}")
    assembly = tvm.compile(tvm.IRModule({"kernel": func}), target=target).mod.inspect_source("asm")
    assert [word for word in expected if word not in assembly] == []


def test_each_cpu_has_some():
    for name, words in WORD_PRODUCTS.items():
        assert words_for(replace(CPU, dots=name)) is words
    assert words_for(replace(CPU, lanes=4)).name == "plain"
