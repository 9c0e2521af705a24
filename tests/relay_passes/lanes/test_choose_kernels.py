from dataclasses import replace

import numpy as np
import pytest

from relay_passes.lanes.choose_kernels import choose_kernel
from relay_passes.lanes.tuning_keys import conv2d_key
from te_schedules.cpu.conv2d_configuration import Conv2dConfiguration
from te_schedules.cpu.conv2d_schedule import Conv2dSchedule, Hold, Outer
from te_schedules.cpu.winograd_kernels import pack_winograd
from te_schedules.cpu.winograd_schedule import WinogradSchedule
from tests.records.samples import record
from tests.relay_passes.recognition.conv_layers import layer_of
from tests.relay_passes.relax_modules import CPU, random_array
from tests.te_schedules.cpu.lane_kernels import ConvCase, pattern_weight
from tvm_patdnn.machine.cpu_model import CpuModel
from tvm_patdnn.machine.targets import resolve_target
from tvm_patdnn.optimizations import Optimizations
from tvm_patdnn.pruning.mining import candidate_patterns
from tvm_patdnn.records.tuning_records import Records


def chosen(weight: np.ndarray, size=(14, 14), groups: int = 1, **options):
    pad = weight.shape[2] // 2
    case = ConvCase(weight=weight, size=size, groups=groups, padding=(pad,) * 4, lanes=CPU.lanes)
    return choose_kernel(layer_of(case), case.geometry(), CPU, **options)


def pruned(density: float, channels: int = 64) -> np.ndarray:
    return pattern_weight(channels, channels, ["##./##./...", ".##/.##/..."], density)


def test_a_pruned_layer_is_computed_from_its_patterns():
    choice = chosen(pruned(0.25))
    assert choice.kind == "pattern"
    assert choice.reason.startswith("2 patterns, 7")
    assert "x faster than dense by the cost model" in choice.reason
    assert np.array_equal(choice.fkw.unpack(), pruned(0.25))
    assert choice.schedule.group == 1


@pytest.mark.parametrize("order", ["neighbours", "any"])
@pytest.mark.parametrize("filters", [64, 63])
def test_filters_that_were_pruned_as_one_share_a_list(filters, order):
    kept = np.repeat(pruned(0.25)[::4], 4, axis=0)[:filters] != 0
    if order == "any":
        kept = kept[np.random.default_rng(0).permutation(filters)]
    choice = chosen(random_array(*kept.shape) * kept)
    assert choice.kind == "pattern"
    assert choice.schedule.group == choice.fkw.group > 1
    assert "in blocks of" in choice.reason
    assert np.array_equal(choice.fkw.unpack(), random_array(*kept.shape) * kept)
    assert choice.cycles < chosen(pruned(0.25)[:filters]).cycles


def test_filters_that_differ_share_no_list_with_others():
    weight = np.repeat(pruned(0.25)[::2], 2, axis=0)
    weight[-1] = 0
    choice = chosen(weight)
    assert choice.fkw.group == 2
    assert choice.fkw.groups == 33
    assert np.array_equal(choice.fkw.unpack(), weight)
    assert chosen(pruned(0.25)).fkw.group == 1


def test_a_layer_below_break_even_is_dense():
    weight = random_array(16, 16, 9, 9)
    weight[0, 0, 0, 0] = 0
    choice = chosen(weight)
    assert choice.kind == "dense"
    assert "2 patterns, 0% of the kernels gone, 1.0x: below break-even" in choice.reason
    assert np.array_equal(choice.fkw.unpack(), weight)


def test_zeros_that_rare_patterns_cost_are_said():
    pictures = [str(pattern) for pattern in candidate_patterns((3, 3), 4)]
    choice = chosen(pattern_weight(64, 64, pictures, 0.25))
    assert choice.reason.startswith("56 patterns, 7")
    assert "x, stored in fp32 as 16 patterns with zeros, 1." in choice.reason


def test_a_dense_layer_shares_loads_between_filters():
    choice = chosen(random_array(16, 16, 9, 9))
    assert (choice.kind, choice.reason) == ("dense", "nothing was pruned")
    assert choice.schedule.group == choice.fkw.group > 1


def test_a_dense_layer_is_transformed_where_that_costs_less():
    weight = random_array(16, 16, 3, 3)
    choice = chosen(weight)
    assert isinstance(choice.schedule, WinogradSchedule)
    assert choice.schedule.transforms
    assert choice.kind == "dense"
    tile = f"{choice.schedule.rows}x{choice.schedule.vectors}"
    assert choice.reason == f"nothing was pruned; Winograd's transforms of {tile} outputs"
    assert np.array_equal(choice.fkw.weight, pack_winograd(weight, choice.schedule).weight)


def test_patterns_of_whole_channels_lose_to_transforms_of_the_dense_layer():
    choice = chosen(pruned(1.0))
    assert choice.kind == "dense"
    assert "below break-even" in choice.reason
    assert "; Winograd's transforms of" in choice.reason


@pytest.mark.parametrize(
    ("cpu", "most"), [("znver4", 0.5), ("znver5", 0.7), ("sapphirerapids", 0.8)]
)
def test_patterns_beside_transforms_with_avx512(cpu, most):
    """Measured on a Zen 4: 0.4 of the transforms' time, as in VGG-16."""
    choice = chosen_for(cpu, pattern_weight(128, 128, density=1 / 3.6), size=(112, 112))
    dense, pruned = choice.considered
    assert pruned.cycles < most * dense.cycles


@pytest.mark.parametrize("cpu", ["znver4", "znver5", "sapphirerapids"])
def test_windows_of_one_tap_before_a_depthwise_layer_with_avx512(cpu):
    """Measured on a Zen 4: half of the dense time, as in MobileNet-V2, though L1 overflows."""
    weight = pattern_weight(960, 160, density=1 / 3.6)[:, :, 1:2, 1:2].copy()
    assert chosen_for(cpu, weight, size=(7, 7), planes=True).kind == "connectivity"


def chosen_for(cpu: str, weight: np.ndarray, size: tuple[int, int], **options):
    model = CpuModel.from_target(resolve_target(f"llvm -mtriple=x86_64-linux-gnu -mcpu={cpu}"))
    padding = (weight.shape[2] // 2,) * 4
    case = ConvCase(weight=weight, size=size, padding=padding, lanes=model.lanes)
    return choose_kernel(layer_of(case), case.geometry(), model, **options)


def test_windows_of_one_tap_are_packed_and_not_said_to_be_transformed():
    choice = chosen(random_array(64, 64, 1, 1))
    assert isinstance(choice.schedule, WinogradSchedule)
    assert choice.reason == "nothing was pruned"


def test_a_layer_whose_reader_needs_whole_planes_is_not_transformed():
    for size in (1, 3):
        choice = chosen(random_array(16, 16, size, size), planes=True)
        assert isinstance(choice.schedule, Conv2dSchedule)


def test_sparse_kernels_can_be_switched_off():
    choice = chosen(pruned(0.1), optimizations=Optimizations(sparse=False))
    assert choice.kind == "dense"
    assert choice.reason.partition(";")[0] == "sparse kernels are switched off"
    assert choice.cycles > chosen(pruned(0.1)).cycles


@pytest.mark.parametrize("size", [1, 3])
def test_transforms_can_be_switched_off(size):
    weight = random_array(64, 64, size, size)
    plain = chosen(weight, optimizations=Optimizations(transforms=False))
    assert isinstance(plain.schedule, WinogradSchedule) == (size == 1)  # packed, not transformed
    assert plain.reason == "nothing was pruned"
    assert plain.fkw.weight.size < 1.1 * weight.size  # groups are filled up with zeros
    assert plain.cycles >= chosen(weight).cycles


def test_pruned_layers_are_compared_with_plain_sums_where_transforms_are_switched_off():
    use = Optimizations(transforms=False)
    sparse, dense = chosen(pruned(0.1), optimizations=use), chosen(pruned(1.0), optimizations=use)
    assert (sparse.kind, dense.kind) == ("pattern", "pattern")
    assert len(sparse.considered) == 2
    assert sparse.reason.endswith("by the cost model")


def test_less_work_never_costs_more():
    cycles = [chosen(pruned(density)).cycles for density in (0.1, 0.3, 0.6, 1.0)]
    assert cycles == sorted(cycles)
    assert cycles[-1] <= chosen(pruned(1.0), optimizations=Optimizations(sparse=False)).cycles


def test_whole_kernels_that_are_gone_are_connectivity():
    weight = random_array(64, 64, 1, 1) * (random_array(64, 64, 1, 1, seed=1) > 0.8)
    choice = chosen(weight)
    assert choice.kind == "connectivity"
    assert choice.reason.startswith("1 pattern, ")
    assert np.array_equal(choice.fkw.unpack(), weight)


@pytest.mark.parametrize("groups", [2, 16])
def test_kernels_of_groups_keep_their_channels(groups):
    weight = random_array(16, 16 // groups, 3, 3)
    choice = chosen(weight, groups=groups)
    assert choice.kind == ("depthwise" if groups == 16 else "dense")
    back = choice.fkw.unpack()
    assert back.shape == (16, 16, 3, 3)
    step = 16 // groups
    for g in range(groups):
        rows = slice(g * step, (g + 1) * step)
        assert np.array_equal(back[rows, rows], weight[rows])
    assert np.count_nonzero(back) == np.count_nonzero(weight)


@pytest.mark.parametrize("filters", [1, 2, 5, 7])
def test_any_number_of_filters(filters):
    weight = random_array(filters, 3, 3, 3)
    assert np.array_equal(chosen(weight).fkw.unpack(), weight)


def test_a_layer_of_zeros():
    choice = chosen(np.zeros((4, 4, 3, 3), np.float32))
    assert choice.kind == "connectivity"
    assert choice.fkw.total_bytes < 200
    assert choice.reason.startswith("0 patterns, 100% of the kernels gone, infx")


CASE = ConvCase(weight=pruned(0.25), size=(14, 14), lanes=CPU.lanes)
LAYER = layer_of(CASE)
KEY = conv2d_key(LAYER, CASE.geometry(), CPU)


def chosen_by(*records, cpu=CPU, **options):
    return choose_kernel(LAYER, CASE.geometry(), cpu, records=Records(records), **options)


def test_a_measured_schedule_is_preferred():
    choice = chosen_by(record(1.0, KEY, sparse=True, schedule={"rows": 2}))
    assert (choice.schedule.rows, choice.schedule.vectors) == (2, 1)
    assert "by the cost model; scheduled as measured" in choice.reason


def test_a_measured_schedule_of_transforms_is_taken_where_it_fits():
    point = {"rows": 2, "vectors": 1, "group": 2, "together": 2, "units": 1, "chunks": 1}
    for units, taken in ((1, True), (999, False)):
        made = Conv2dConfiguration.from_json({"sparse": False, **point, "units": units})
        measured = replace(record(1.0, KEY), configuration=made)
        dense = chosen_by(measured, optimizations=Optimizations(sparse=False))
        assert (dense.schedule == made.schedule) == taken
        assert dense.reason.endswith("outputs; scheduled as measured") == taken


def test_measured_times_decide_where_there_are_both():
    dense = record(1.0, KEY, schedule={"group": 2, "hold": Hold.INPUTS})
    for seconds, kind in ((0.5, "pattern"), (2.0, "dense")):
        choice = chosen_by(record(seconds, KEY, sparse=True), dense)
        assert choice.kind == kind
        assert choice.reason.endswith("as measured")


@pytest.mark.parametrize("sparse", [False, True])
def test_what_is_decided_against_is_not_taken_whatever_it_took(sparse):
    point = {"group": 1} if sparse else {"group": 2, "hold": Hold.INPUTS}
    other, refused = (
        record(2.0, KEY, sparse=sparse, schedule=point),
        record(1.0, KEY, sparse=not sparse),
    )
    against = replace(refused, seconds=None, chosen=True)
    choice = chosen_by(other, refused, against)
    assert choice.kind == ("pattern" if sparse else "dense")
    assert choice.reason.endswith("as measured")


@pytest.mark.parametrize("schedule", [{"rows": 99}, {"group": 8}])
def test_a_schedule_that_does_not_fit_is_not_taken(schedule):
    choice = chosen_by(record(1.0, KEY, sparse=True, schedule=schedule))
    assert choice.schedule == chosen(pruned(0.25)).schedule


def test_a_schedule_without_whole_planes_is_not_taken_where_they_are_needed():
    tile = record(1.0, KEY, sparse=True)
    plane = record(2.0, KEY, sparse=True, schedule={"outer": Outer.PLANE, "chunks": 7})
    assert chosen_by(tile, planes=True).schedule == chosen_by(planes=True).schedule
    assert chosen_by(plane, planes=True).schedule.chunks == 7


def test_a_layer_without_a_record_takes_the_schedule_of_a_similar_one():
    best = chosen(pruned(0.25)).schedule
    near = replace(KEY, threads=KEY.threads * 2)
    other = {**vars(best), "chunks": best.chunks + 5, "copy_inputs": False}
    choice = chosen_by(record(1.0, near, sparse=True, schedule=other))
    assert choice.schedule.chunks == best.chunks + 5
    assert choice.chosen.seconds is None
    assert choice.reason.endswith("; scheduled as a similar layer that was measured")


def test_a_similar_layer_s_schedule_is_scored_on_the_scale_of_the_default_s():
    """Both copy inputs, the filters of one are copied for by seven chunks."""
    best = chosen(pruned(0.25)).schedule
    assert best.copy_inputs
    near = replace(KEY, threads=KEY.threads * 2)
    for chunks, taken in ((best.chunks, True), (7, False)):
        other = {**vars(best), "chunks": chunks}
        choice = chosen_by(record(1.0, near, sparse=True, schedule=other))
        assert choice.schedule.chunks == (chunks if taken else best.chunks)
        assert choice.reason.endswith("a similar layer that was measured") == taken


def test_the_schedule_of_a_similar_layer_is_not_taken_where_the_model_finds_it_worse():
    near = replace(KEY, threads=KEY.threads * 2)
    choice = chosen_by(record(1.0, near, sparse=True, schedule={"rows": 1, "vectors": 1}))
    assert choice.schedule == chosen(pruned(0.25)).schedule


def test_fewer_registers_never_cost_fewer_cycles():
    case = ConvCase(weight=pruned(0.25), size=(56, 56), lanes=CPU.lanes)
    few, many = (
        choose_kernel(layer_of(case), case.geometry(), replace(CPU, registers=n)) for n in (8, 32)
    )
    assert many.cycles < few.cycles
