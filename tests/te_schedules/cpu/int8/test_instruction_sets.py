from dataclasses import replace
from typing import get_args

import pytest

from te_schedules.cpu.int8.instruction_sets import INSTRUCTION_SETS, instructions_for
from tests.relay_passes.relax_modules import CPU
from tvm_patdnn.machine.dot_instructions import DotInstructions


def test_every_name_of_instructions_has_its_primitives():
    assert {*INSTRUCTION_SETS, "plain"} == set(get_args(DotInstructions))


@pytest.mark.parametrize("name", INSTRUCTION_SETS)
def test_a_cpu_gets_its_own(name):
    assert instructions_for(replace(CPU, dots=name)).name == name


def test_a_cpu_without_any_gets_short_plain_vectors():
    found = instructions_for(replace(CPU, lanes=16, dots="plain"))
    assert (found.name, found.lanes) == ("plain", 8)


@pytest.mark.parametrize("instructions", INSTRUCTION_SETS.values(), ids=INSTRUCTION_SETS)
def test_every_byte_of_a_vector_is_of_one_pixel_and_tap(instructions):
    places = [instructions.order(p, t) for p in range(instructions.lanes) for t in range(4)]
    assert sorted(places) == [*range(instructions.bytes)]
