/* @name@: the sequence of its kernels on an OpenCL device. Compile it with @name@.h, runtime.c
   and weights.bin beside it, and link it with -ldl and -lpthread. */
#define API(word) @name@_##word
#define MODEL_HEADER "@name@.h"
#define MODEL_NAME "@name@"
#define VERSION "@version@"
#define ARENA ((size_t)@arena@) /* bytes of tensors between kernels, on the device */
#define KERNELS @kernels@
#define BUFFERS @buffers@
#define BUFFER_ALIGNMENT @alignment@
#define LAUNCHES @launches@
#define ARGUMENTS @arguments@
#define WEIGHTS_BYTES ((size_t)@weights_bytes@)
#define WEIGHTS_CRC @weights_crc@u
#define METADATA ((const char *)W(@metadata@))
#define SOURCE ((const char *)W(@source@)) /* of the kernels */
#define SOURCE_BYTES ((size_t)@source_bytes@)
#define SOURCE_CRC @source_crc@u
#ifndef WEIGHTS /* the path of the file */
#define WEIGHTS "weights.bin"
#endif
#include "runtime.c"

@weights_section@
/* Constants lie in the weights, everything else in the arena. */
static const buffer buffers[BUFFERS + 1] = {
@buffer_list@
};
static const int input_buffer[API(inputs) + 1] = {@input_buffers@};
static const int output_buffer[API(outputs) + 1] = {@output_buffers@};

static const char *const kernels[KERNELS + 1] = {
@kernel_list@
};
static const int arguments[ARGUMENTS + 1] = {
@argument_list@
};
static const launch launches[LAUNCHES + 1] = {
@launch_list@
};

@shapes@
static const API(tensor) input_list[API(inputs) + 1] = {
@input_list@
};
static const API(tensor) output_list[API(outputs) + 1] = {
@output_list@
};

@facts@

/* Outputs that no kernel writes. */
static void copy_rest(const void *const *in, void *const *out) {
  (void)in, (void)out;
@copies@
}
