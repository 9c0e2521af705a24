import numpy as np

from relay_passes.lanes.winograd_candidates import WinogradCandidate, winograd_candidates
from te_schedules.cpu.conv2d_schedule import Conv2dSchedule
from te_schedules.cpu.conv2d_winograd import WinogradConv2d
from te_schedules.cpu.winograd_kernels import pack_winograd
from te_schedules.cpu.winograd_schedule import WinogradSchedule
from tests.relay_passes.recognition.conv_layers import layer_of
from tests.relay_passes.relax_modules import CPU
from tests.te_schedules.cpu.lane_kernels import ConvCase, random_array

CASE = ConvCase(weight=random_array(16, 16, 3, 3), size=(14, 14), lanes=CPU.lanes)
CANDIDATE = WinogradCandidate()


def test_layers_in_groups_have_none():
    grouped = ConvCase(weight=random_array(4, 2, 3, 3), groups=2)
    assert list(winograd_candidates(layer_of(grouped))) == []
    assert list(winograd_candidates(layer_of(CASE))) == [CANDIDATE]
    assert list(winograd_candidates(layer_of(CASE), transforms=False)) == []


def test_phases_are_those_of_the_layer():
    strided = ConvCase(weight=random_array(16, 3, 7, 7), size=(28, 28), stride=(2, 2))
    (candidate,) = winograd_candidates(layer_of(strided))
    found = candidate.scheduled(strided.geometry(), CPU)
    assert found is not None
    assert isinstance(found[0], WinogradSchedule)
    stored = candidate.pack(strided.weight, found[0])
    assert np.array_equal(stored.weight, pack_winograd(strided.weight, found[0], (2, 2)).weight)


def test_what_is_scheduled_is_packed_and_made_a_kernel_of():
    found = CANDIDATE.scheduled(CASE.geometry(), CPU)
    assert found is not None
    schedule, cost = found
    assert CANDIDATE.takes(schedule)
    assert CANDIDATE.fits(schedule, CASE.geometry())
    assert CANDIDATE.cycles(CASE.geometry(), schedule, CPU) == cost
    stored = CANDIDATE.pack(CASE.weight, schedule)
    assert isinstance(schedule, WinogradSchedule)
    assert np.array_equal(stored.weight, pack_winograd(CASE.weight, schedule).weight)
    kernel = CANDIDATE.kernel(stored, CASE.geometry(), schedule, ())
    assert isinstance(kernel, WinogradConv2d)
    assert schedule in list(CANDIDATE.space(CASE.geometry(), CPU))


def test_it_takes_no_schedule_of_others():
    assert not CANDIDATE.takes(Conv2dSchedule(rows=1, vectors=1))


def test_planes_are_never_whole():
    assert CANDIDATE.scheduled(CASE.geometry(), CPU, planes=True) is None
