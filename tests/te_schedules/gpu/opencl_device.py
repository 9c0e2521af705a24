"""Runs kernels by an OpenCL driver, through ctypes; in tests that is PoCL on the CPU."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from ctypes import byref, c_char_p, c_int, c_size_t, c_uint, c_ulong, c_void_p
from functools import cache

import numpy as np

from te_schedules.gpu.device_code import DeviceCode

__all__ = ["OpenClDevice"]

READ_WRITE, COPY_HOST = 1, 32
BUILD_LOG = 0x1183
ALL_DEVICES = 0xFFFFFFFF


class OpenClDevice:
    """The first device of the first platform."""

    def __init__(self) -> None:
        self._cl = ctypes.CDLL("libOpenCL.so.1")
        for name in ("clCreateContext", "clCreateCommandQueue", "clCreateBuffer"):
            getattr(self._cl, name).restype = c_void_p
        for name in ("clCreateProgramWithSource", "clCreateKernel"):
            getattr(self._cl, name).restype = c_void_p
        platform, self._device, error = c_void_p(), c_void_p(), c_int()
        self._check(self._cl.clGetPlatformIDs(1, byref(platform), None))
        found = byref(self._device)
        self._check(self._cl.clGetDeviceIDs(platform, c_ulong(ALL_DEVICES), 1, found, None))
        context = self._cl.clCreateContext(None, 1, found, None, None, byref(error))
        self._check(error.value)
        self._context = c_void_p(context)
        queue = self._cl.clCreateCommandQueue(self._context, self._device, c_ulong(0), byref(error))
        self._check(error.value)
        self._queue = c_void_p(queue)

    @classmethod
    @cache
    def found(cls) -> OpenClDevice | None:
        """Returns the device, or None where there is none."""
        try:
            return cls()
        except (OSError, RuntimeError):
            return None

    def run(self, code: DeviceCode, arrays: Mapping[str, np.ndarray]) -> None:
        """Runs a kernel; what it writes is copied back to ``arrays``."""
        kernel = self._kernel(code)
        buffers = {name: self._buffer(array) for name, array in arrays.items()}
        for i, name in enumerate(code.launch.arguments):
            buffer = buffers[name]
            self._check(self._cl.clSetKernelArg(kernel, i, c_size_t(8), byref(buffer)))
        block = (c_size_t * 3)(*code.launch.block)
        sizes = zip(code.launch.grid, code.launch.block, strict=True)
        whole = (c_size_t * 3)(*(g * b for g, b in sizes))
        queue = self._queue
        self._check(
            self._cl.clEnqueueNDRangeKernel(queue, kernel, 3, None, whole, block, 0, None, None)
        )
        self._check(self._cl.clFinish(queue))
        for name, array in arrays.items():
            self._read(buffers[name], array)
            self._check(self._cl.clReleaseMemObject(buffers[name]))

    def _kernel(self, code: DeviceCode) -> c_void_p:
        error, text = c_int(), code.source.encode()
        program = c_void_p(
            self._cl.clCreateProgramWithSource(
                self._context, 1, byref(c_char_p(text)), byref(c_size_t(len(text))), byref(error)
            )
        )
        if self._cl.clBuildProgram(program, 1, byref(self._device), None, None, None):
            log = ctypes.create_string_buffer(1 << 16)
            self._cl.clGetProgramBuildInfo(
                program, self._device, c_uint(BUILD_LOG), c_size_t(len(log)), log, None
            )
            raise RuntimeError(log.value.decode())
        name = code.launch.function.encode()
        kernel = c_void_p(self._cl.clCreateKernel(program, name, byref(error)))
        self._check(error.value)
        return kernel

    def _buffer(self, array: np.ndarray) -> c_void_p:
        assert array.flags.c_contiguous
        error, at = c_int(), c_void_p(array.ctypes.data)
        made = self._cl.clCreateBuffer(
            self._context, c_ulong(READ_WRITE | COPY_HOST), c_size_t(array.nbytes), at, byref(error)
        )
        self._check(error.value)
        return c_void_p(made)

    def _read(self, buffer: c_void_p, array: np.ndarray) -> None:
        at = c_void_p(array.ctypes.data)
        self._check(
            self._cl.clEnqueueReadBuffer(
                self._queue, buffer, 1, c_size_t(0), c_size_t(array.nbytes), at, 0, None, None
            )
        )

    @staticmethod
    def _check(status: int) -> None:
        if status:
            raise RuntimeError(f"OpenCL: error {status}")
