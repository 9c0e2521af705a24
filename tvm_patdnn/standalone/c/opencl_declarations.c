/* One model on an OpenCL device, which includes this file; C11 and POSIX. The driver is opened
   when the first instance is created: building needs no OpenCL, only running does. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include MODEL_HEADER
#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PUBLIC __attribute__((visibility("default")))
#define HIDDEN __attribute__((visibility("hidden")))
#define W(offset) (API(weights) + (offset))
#define NOWHERE (-1)

extern HIDDEN const uint8_t API(weights)[];

/* What OpenCL's headers would define, of which only this is used. */
typedef void *handle; /* of platforms, devices, contexts, queues, programs, kernels, memory */
typedef int32_t cl_code;
typedef uint64_t cl_bits;
enum { CL_SUCCESS = 0, CL_TRUE = 1, CL_BUFFER_CREATE_TYPE_REGION = 0x1220 };
enum { CL_DEVICE_TYPE_GPU = 1 << 2 };
#define CL_DEVICE_TYPE_ALL ((cl_bits)0xffffffff)
enum { CL_MEM_READ_WRITE = 1 << 0, CL_MEM_READ_ONLY = 1 << 2, CL_MEM_COPY_HOST_PTR = 1 << 5 };
enum {
  CL_DEVICE_MAX_WORK_GROUP_SIZE = 0x1004,
  CL_DEVICE_MEM_BASE_ADDR_ALIGN = 0x1019,
  CL_DEVICE_NAME = 0x102b,
  CL_DRIVER_VERSION = 0x102d,
  CL_PROGRAM_BINARY_SIZES = 0x1165,
  CL_PROGRAM_BINARIES = 0x1166,
  CL_PROGRAM_BUILD_LOG = 0x1183
};
typedef struct {
  size_t origin, size;
} region;

/* X(returned type, name after "cl", arguments) */
#define DRIVER(X) \
  X(cl_code, GetPlatformIDs, (uint32_t, handle *, uint32_t *)) \
  X(cl_code, GetDeviceIDs, (handle, cl_bits, uint32_t, handle *, uint32_t *)) \
  X(cl_code, GetDeviceInfo, (handle, uint32_t, size_t, void *, size_t *)) \
  X(handle, CreateContext, (const intptr_t *, uint32_t, const handle *, void *, void *, cl_code *)) \
  X(handle, CreateCommandQueue, (handle, handle, cl_bits, cl_code *)) \
  X(handle, CreateProgramWithSource, \
    (handle, uint32_t, const char **, const size_t *, cl_code *)) \
  X(handle, CreateProgramWithBinary, (handle, uint32_t, const handle *, const size_t *, \
                                      const uint8_t **, cl_code *, cl_code *)) \
  X(cl_code, BuildProgram, (handle, uint32_t, const handle *, const char *, void *, void *)) \
  X(cl_code, GetProgramBuildInfo, (handle, handle, uint32_t, size_t, void *, size_t *)) \
  X(cl_code, GetProgramInfo, (handle, uint32_t, size_t, void *, size_t *)) \
  X(handle, CreateKernel, (handle, const char *, cl_code *)) \
  X(cl_code, SetKernelArg, (handle, uint32_t, size_t, const void *)) \
  X(handle, CreateBuffer, (handle, cl_bits, size_t, void *, cl_code *)) \
  X(handle, CreateSubBuffer, (handle, cl_bits, uint32_t, const void *, cl_code *)) \
  X(cl_code, EnqueueWriteBuffer, (handle, handle, uint32_t, size_t, size_t, const void *, \
                                  uint32_t, const handle *, handle *)) \
  X(cl_code, EnqueueReadBuffer, \
    (handle, handle, uint32_t, size_t, size_t, void *, uint32_t, const handle *, handle *)) \
  X(cl_code, EnqueueNDRangeKernel, (handle, handle, uint32_t, const size_t *, const size_t *, \
                                    const size_t *, uint32_t, const handle *, handle *)) \
  X(cl_code, Finish, (handle)) \
  X(cl_code, ReleaseMemObject, (handle)) \
  X(cl_code, ReleaseKernel, (handle)) \
  X(cl_code, ReleaseProgram, (handle)) \
  X(cl_code, ReleaseCommandQueue, (handle)) \
  X(cl_code, ReleaseContext, (handle))

#define MEMBER(type, name, arguments) type (*name) arguments;
static struct {
  DRIVER(MEMBER)
} cl;

typedef struct {
  int constant; /* in the weights, else in the arena */
  size_t offset, bytes;
} buffer;

typedef struct {
  int kernel;          /* of the list of their names */
  int argument, count; /* its first in the list of buffers */
  size_t whole[3];     /* threads along x, y, z */
  size_t block[3];     /* of them in one block */
} launch;

typedef struct API(instance) instance;

struct API(instance) {
  handle device, context, queue, program, arena;
  handle memory[BUFFERS + 1], kernel[LAUNCHES + 1];
  atomic_int busy;
  pid_t process; /* in which */
};

/* Defined in the model's own file. */
static const buffer buffers[BUFFERS + 1];
static const launch launches[LAUNCHES + 1];
static const char *const kernels[KERNELS + 1];
static const int arguments[ARGUMENTS + 1];
static const int input_buffer[API(inputs) + 1], output_buffer[API(outputs) + 1];
static const API(tensor) input_list[API(inputs) + 1], output_list[API(outputs) + 1];
static const API(facts) facts;
static void copy_rest(const void *const *in, void *const *out);
