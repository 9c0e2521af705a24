/* Threads, memory and the interface of one model, which includes this file; C11 and POSIX.
   Every thread runs the whole sequence of kernels, each its part, and meets the others where a
   kernel needs what others computed: a run wakes threads once. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* sched_getaffinity, madvise */
#endif
#include MODEL_HEADER
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/auxv.h>
#include <sys/mman.h>
#endif

#define PUBLIC __attribute__((visibility("default")))
#define HIDDEN __attribute__((visibility("hidden")))

#define ALIGNMENT 64
#define LIMIT 1024                  /* threads of an instance */
#define HUGE_FROM ((size_t)4 << 20) /* bytes of memory from which huge pages are asked for */
#define HUGE_PAGE ((size_t)2 << 20)
#ifndef ROUNDS
#define ROUNDS 20000 /* of looking again before a thread sleeps: about 1 ms */
#endif
#define NOWHERE ((size_t)-1)

#define W(offset) (API(weights) + (offset))
#define A(offset) (arena + (offset))
#define S(offset) (scratch + (offset))
/* The share of `task` of n iterations: neighbours, as many as the others have, or one more. */
#define FROM(n) (int32_t)((int64_t)(n) * task / m->meeting.threads)
#define PART(n) FROM(n), (int32_t)((int64_t)(n) * (task + 1) / m->meeting.threads)

extern HIDDEN const uint8_t API(weights)[];

typedef struct {
  int threads;
  _Alignas(ALIGNMENT) atomic_int arrived;
  _Alignas(ALIGNMENT) atomic_uint turn; /* grows when all have arrived */
  _Alignas(ALIGNMENT) atomic_int sleeping;
  pthread_mutex_t lock;
  pthread_cond_t wake;
} meeting;

typedef struct API(instance) instance;

typedef struct {
  instance *model;
  pthread_t thread;
  int task;
} worker;

struct API(instance) {
  meeting meeting;
  uint8_t *arena, *scratch;
  const uint8_t *in[API(inputs) + 1]; /* of this run */
  uint8_t *out[API(outputs) + 1];
  atomic_int busy;
  int stop;        /* the workers end at their next meeting */
  int failed;      /* a worker could not be started: the others end at once */
  int workers;     /* that were started */
  pid_t process;   /* in which */
  void *allocated; /* NULL: the memory is the caller's */
  worker *worker;
};

/* Defined in the model's own file. */
static void compute(instance *m, int task);
static void copy_rest(instance *m, const void *const *given);
static const API(tensor) input_list[API(inputs) + 1], output_list[API(outputs) + 1];
static const size_t input_place[API(inputs) + 1], output_place[API(outputs) + 1];
static const API(facts) facts;
