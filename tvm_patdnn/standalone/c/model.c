/* @name@: the sequence of its kernels. Compile it with @name@.h, runtime.c and weights.bin
   beside it, and link it with the kernels*.o, -lm and -lpthread. */
#define API(word) @name@_##word
#define MODEL_HEADER "@name@.h"
#define VERSION "@version@"
#define ARENA ((size_t)@arena@)     /* bytes of tensors between kernels */
#define SCRATCH ((size_t)@scratch@) /* bytes that each thread needs besides */
#define MOST_THREADS @most_threads@ /* more would have nothing to do */
#define WEIGHTS_BYTES ((size_t)@weights_bytes@)
#define WEIGHTS_CRC @weights_crc@u
#define METADATA ((const char *)W(@metadata@))
#ifndef WEIGHTS /* the path of the file */
#define WEIGHTS "weights.bin"
#endif
#define CPU_FITS @cpu_check@
#include "runtime.c"

@weights_section@
@prototypes@

@shapes@
static const API(tensor) input_list[API(inputs) + 1] = {
@input_list@
};
static const API(tensor) output_list[API(outputs) + 1] = {
@output_list@
};
/* Where in the arena a tensor lies that is not aligned in the caller's memory. */
static const size_t input_place[API(inputs) + 1] = {@input_places@};
static const size_t output_place[API(outputs) + 1] = {@output_places@};

@facts@

static void compute(instance *m, int task) {
  uint8_t *const arena = m->arena, *const scratch = m->scratch + (size_t)task * SCRATCH;
  const uint8_t *const *in = m->in;
  uint8_t *const *out = m->out;
  (void)arena, (void)scratch, (void)in, (void)out, (void)task;
@steps@
}

/* Outputs that no kernel writes. */
static void copy_rest(instance *m, const void *const *given) {
  (void)m, (void)given;
@copies@
}
