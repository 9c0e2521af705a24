import numpy as np
import pytest
import torch

from te_schedules.cpu.elementwise import LaneInput, elementwise
from te_schedules.cpu.lane_layout import Halo, LaneLayout
from te_schedules.cpu.lane_split import Split, best_split
from te_schedules.cpu.tile_store import OperandSpec
from te_schedules.epilogue import Step
from tests.te_schedules.cpu.lane_kernels import assert_stored, random_array, run_kernel

HALO = Halo(top=1, left=2, bottom=1, right=1)


def enlarged(layout: LaneLayout, repeat: int) -> LaneLayout:
    split = Split(
        height=layout.height * repeat,
        width=layout.width * repeat,
        lanes_y=layout.lanes_y,
        lanes_x=layout.lanes_x,
        vectors_y=layout.vectors_y * repeat,
        vectors_x=layout.vectors_x * repeat,
    )
    return LaneLayout(split)


@pytest.mark.parametrize("lanes", [4, 8, 16])
@pytest.mark.parametrize("size", [(5, 9), (1, 1), (8, 8)])
def test_a_copy_into_another_halo(size, lanes):
    layout = LaneLayout(best_split(*size, lanes))
    data = random_array(2, 3, *size)
    func = elementwise(2, [LaneInput(3, layout)], layout.with_halo(HALO))
    got = run_kernel(func, [layout.pack(data)], layout.with_halo(HALO).shape(2, 3))
    assert_stored(got, layout.with_halo(HALO), data)


def test_inputs_are_placed_one_after_the_other():
    layout = LaneLayout(best_split(6, 7, 8))
    arrays = [random_array(2, channels, 6, 7, seed=channels) for channels in (3, 1, 4)]
    layouts = [layout, layout.with_halo(HALO), layout.with_halo(Halo(bottom=1))]
    sources = [LaneInput(a.shape[1], at) for a, at in zip(arrays, layouts, strict=True)]
    func = elementwise(2, sources, layout.with_halo(HALO))
    packed = [at.pack(a) for a, at in zip(arrays, layouts, strict=True)]
    got = run_kernel(func, packed, layout.with_halo(HALO).shape(2, 8))
    assert_stored(got, layout.with_halo(HALO), np.concatenate(arrays, axis=1))


def test_steps_see_the_channels_of_the_result():
    layout = LaneLayout(best_split(6, 7, 8))
    one, other = random_array(1, 2, 6, 7), random_array(1, 3, 6, 7, seed=1)
    bias = random_array(1, 5, seed=2)
    residual = random_array(1, 5, 6, 7, seed=3)
    func = elementwise(
        1,
        [LaneInput(2, layout), LaneInput(3, layout)],
        layout,
        [
            Step("add", OperandSpec()),
            Step("multiply", OperandSpec(layout=layout.with_halo(HALO))),
            Step("relu"),
        ],
    )
    arguments = [layout.pack(one), layout.pack(other), bias, layout.with_halo(HALO).pack(residual)]
    got = run_kernel(func, arguments, layout.shape(1, 5))
    joined = np.concatenate([one, other], axis=1) + bias.reshape(1, 5, 1, 1)
    assert_stored(got, layout, np.maximum(joined * residual, 0))


@pytest.mark.parametrize(("size", "repeat", "lanes"), [((3, 5), 2, 8), ((5, 3), 3, 4)])
def test_planes_are_enlarged(size, repeat, lanes):
    source = LaneLayout(best_split(*size, lanes), HALO)
    layout = enlarged(source, repeat).with_halo(HALO)
    data = random_array(2, 3, *size)
    func = elementwise(2, [LaneInput(3, source, repeat)], layout)
    got = run_kernel(func, [source.pack(data)], layout.shape(2, 3))
    assert_stored(got, layout, data.repeat(repeat, axis=2).repeat(repeat, axis=3))


@pytest.mark.parametrize(("size", "repeat", "lanes"), [((3, 5), 2, 8), ((5, 3), 3, 4)])
def test_pixels_of_channels_are_shuffled_into_planes(size, repeat, lanes):
    source = LaneLayout(best_split(*size, lanes), HALO)
    layout = enlarged(source, repeat).with_halo(HALO)
    shuffled, plain = random_array(2, 3 * repeat**2, *size), random_array(2, 2, *size, seed=1)
    inputs = [LaneInput(3 * repeat**2, source, repeat, True), LaneInput(2, source, repeat)]
    assert [data.planes for data in inputs] == [3, 2]
    func = elementwise(2, inputs, layout, [Step("relu")])
    got = run_kernel(func, [source.pack(shuffled), source.pack(plain)], layout.shape(2, 5))
    joined = [
        torch.nn.functional.pixel_shuffle(torch.from_numpy(shuffled), repeat).numpy(),
        plain.repeat(repeat, axis=2).repeat(repeat, axis=3),
    ]
    assert_stored(got, layout, np.maximum(np.concatenate(joined, axis=1), 0))
