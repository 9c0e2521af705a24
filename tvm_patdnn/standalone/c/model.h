/* @name@: a neural network, compiled by tvm-patdnn @version@ for @target@.
   @needs@ */
#ifndef @NAME@_H
#define @NAME@_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
@tensors@
*/
enum { @name@_inputs = @inputs@, @name@_outputs = @outputs@ };

/* What functions return. */
enum {
  @name@_ok = 0,
  @name@_invalid,    /* an argument is NULL or negative, or the given memory is too small */
  @name@_no_memory,  /* it could not be allocated */
  @name@_no_threads, /* they could not be started */
  @name@_wrong_cpu,  /* the CPU lacks instructions that the model was compiled for */
  @name@_damaged,    /* the weights are not those that were compiled */
  @name@_busy,       /* the instance runs already, in another thread */
  @name@_forked      /* the instance belongs to the parent process: create one after fork() */@codes@
};
const char *@name@_error(int code); /* as a sentence */@functions@

/* An instance: working memory and threads. Instances share the weights and nothing else: they
   may run at the same time. One instance runs once at a time. */
typedef struct @name@_instance @name@_instance;

typedef struct @name@_options {
  int threads;         /* that compute, the caller's included; 0: one per physical core */
  int check_weights;   /* not 0: reads all weights once, to see that none is damaged */
  void *memory;        /* NULL: it is allocated; otherwise used until destroy */
  size_t memory_bytes; /* of the given memory, at least @name@_memory(threads) */@options@
} @name@_options;

/* Makes an instance; NULL for options is the same as all of them 0. Returns a code; after any
   but ok, *instance is NULL. */
int @name@_create(@name@_instance **instance, const @name@_options *options);

/* Computes the outputs. Tensors are dense, the last dimension first in memory; they may lie
   anywhere (those at multiples of 64 bytes are not copied), but outputs must not overlap others.
   Returns a code. */
int @name@_run(@name@_instance *instance, const void *const *inputs, void *const *outputs);

void @name@_destroy(@name@_instance *instance); /* NULL is allowed */

/* Bytes of memory of an instance; the stacks of its threads come on top. */
size_t @name@_memory(int threads);

typedef struct @name@_tensor {
  const char *name;     /* as in the ONNX file */
  const char *dtype;    /* as numpy calls it: float32, int64, ... */
  int rank;
  const int64_t *shape; /* rank numbers */
  size_t bytes;
} @name@_tensor;

const @name@_tensor *@name@_input(int index); /* NULL after the last */
const @name@_tensor *@name@_output(int index);

/* What the ONNX file says about its input and output; counts are 0 where it does not. */
typedef struct @name@_facts {
  int channels;              /* numbers in mean and std; an input is (pixel / 255 - mean) / std */
  const float *mean, *std;
  int classes;               /* names of the classes */
  const char *const *names;
  const char *json;          /* the interface, versions, and what became of each layer */
} @name@_facts;

const @name@_facts *@name@_about(void);
const char *@name@_version(void); /* of the compiler and of this interface */

#ifdef __cplusplus
}
#endif
#endif
