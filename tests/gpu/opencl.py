"""An OpenCL device for tests: any that the system has, such as Debian's PoCL.

It is used through the few functions of libOpenCL that running kernels in turn needs.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
import pytest

from tvm_patdnn.standalone.device_code import DeviceFunction

__all__ = ["require_opencl", "run_opencl"]

_WANTED = "an OpenCL device (Debian: apt-get install pocl-opencl-icd ocl-icd-libopencl1)"
_BUILD_LOG, _READ_WRITE, _COPY = 0x1183, 1 << 0, 1 << 5


def require_opencl() -> None:
    """Skips the test where there is no device."""
    if _device() is None:
        pytest.skip(f"needs {_WANTED}")


def run_opencl(
    source: str, function: DeviceFunction, arrays: Sequence[np.ndarray]
) -> list[np.ndarray]:
    """Runs a function's kernels.

    Args:
        arrays: its parameters, in order.

    Returns:
        What they hold afterwards.
    """
    require_opencl()
    cl, context, queue = _library(), *_queue()
    program = _build(source)
    buffers = [_buffer(context, np.ascontiguousarray(a)) for a in arrays]
    shared = [_buffer(context, np.zeros(size, np.uint8)) for size in function.shared]
    for launch in function.launches:
        kernel = _created(cl.clCreateKernel, program, launch.kernel.encode())
        for i, (kind, number) in enumerate(launch.arguments):
            held = (shared if kind == "shared" else buffers)[number]
            _check(cl.clSetKernelArg(kernel, i, ctypes.sizeof(held), ctypes.byref(held)))
        whole = [g * b for g, b in zip(launch.grid, launch.block, strict=True)]
        sizes = [(ctypes.c_size_t * 3)(*numbers) for numbers in (whole, launch.block)]
        _check(cl.clEnqueueNDRangeKernel(queue, kernel, 3, None, *sizes, 0, None, None))
    results = [np.empty_like(array) for array in arrays]
    for result, buffer in zip(results, buffers, strict=True):
        data = ctypes.c_void_p(result.ctypes.data)
        size = ctypes.c_size_t(result.nbytes)
        _check(
            cl.clEnqueueReadBuffer(queue, buffer, 1, ctypes.c_size_t(0), size, data, 0, None, None)
        )
    for buffer in buffers + shared:
        cl.clReleaseMemObject(buffer)
    return results


@cache
def _library() -> Any:
    try:
        cl = ctypes.CDLL("libOpenCL.so.1")
    except OSError:
        return None
    for name in ("Context", "CommandQueue", "ProgramWithSource", "Kernel", "Buffer"):
        getattr(cl, f"clCreate{name}").restype = ctypes.c_void_p
    return cl


@cache
def _device() -> ctypes.c_void_p | None:
    cl = _library()
    if cl is None:
        return None
    platforms, count = (ctypes.c_void_p * 8)(), ctypes.c_uint()
    if cl.clGetPlatformIDs(8, platforms, ctypes.byref(count)):
        return None
    for platform in platforms[: count.value]:
        device, found = ctypes.c_void_p(), ctypes.c_uint()
        every = ctypes.c_ulong(0xFFFFFFFF)
        given = (ctypes.c_void_p(platform), every, 1, ctypes.byref(device), ctypes.byref(found))
        if cl.clGetDeviceIDs(*given) == 0 and found.value:
            return device
    return None


@cache
def _queue() -> tuple[ctypes.c_void_p, ctypes.c_void_p]:
    cl, device = _library(), _device()
    context = _created(cl.clCreateContext, None, 1, ctypes.byref(device), None, None)
    return context, _created(cl.clCreateCommandQueue, context, device, ctypes.c_ulong(0))


@cache
def _build(source: str) -> ctypes.c_void_p:
    cl, (context, _) = _library(), _queue()
    text = ctypes.c_char_p(source.encode())
    program = _created(cl.clCreateProgramWithSource, context, 1, ctypes.byref(text), None)
    if cl.clBuildProgram(program, 0, None, None, None, None):
        log = ctypes.create_string_buffer(1 << 16)
        size = ctypes.c_size_t(len(log))
        cl.clGetProgramBuildInfo(program, _device(), _BUILD_LOG, size, log, None)
        raise AssertionError(log.value.decode())
    return program


def _buffer(context: ctypes.c_void_p, array: np.ndarray) -> ctypes.c_void_p:
    flags, size = ctypes.c_ulong(_READ_WRITE | _COPY), ctypes.c_size_t(array.nbytes)
    data = ctypes.c_void_p(array.ctypes.data)
    return _created(_library().clCreateBuffer, context, flags, size, data)


def _created(function: Any, *args: Any) -> ctypes.c_void_p:
    code = ctypes.c_int()
    made = function(*args, ctypes.byref(code))
    _check(code.value)
    return ctypes.c_void_p(made)


def _check(code: int) -> None:
    assert code == 0, f"OpenCL's error {code}"
