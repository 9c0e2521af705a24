/* Loads a model, runs it, and prints what that took, as JSON: program THREADS REPEATS */
#define _POSIX_C_SOURCE 200809L
#include "model.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { most = model_inputs > model_outputs ? model_inputs : model_outputs };

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static long peak_kib(void) {
  char line[200];
  long found = 0;
  FILE *status = fopen("/proc/self/status", "r");
  while (status && fgets(line, sizeof line, status))
    if (!strncmp(line, "VmHWM:", 6)) found = atol(line + 6);
  return found;
}

/* Memory for a tensor: numbers from 0 to 1 where it is of floats, else zeros. */
static void *tensor(const model_tensor *of, size_t *total) {
  void *data = calloc(of->bytes + 1, 1);
  if (data && !strcmp(of->dtype, "float32"))
    for (size_t i = 0; i < of->bytes / 4; i++) ((float *)data)[i] = (float)(rand() % 1000) / 1000;
  *total += of->bytes;
  return data;
}

int main(int argc, char **argv) {
  const double begin = now();
  model_options options = {0, 0, NULL, 0};
  model_instance *model;
  const void *inputs[most + 1];
  void *outputs[most + 1];
  size_t tensors = 0;
  if (argc != 3) return 2;
  options.threads = atoi(argv[1]);
  int code = model_create(&model, &options);
  const double loaded = now();
  for (int i = 0; i < model_inputs; i++) inputs[i] = tensor(model_input(i), &tensors);
  for (int i = 0; i < model_outputs; i++) outputs[i] = tensor(model_output(i), &tensors);
  printf("{\"load_s\": %.9f, \"times_s\": [", loaded - begin);
  for (int i = 0; code == model_ok && i <= atoi(argv[2]); i++) {
    const double start = now();
    code = model_run(model, inputs, outputs);
    printf("%s%.9f", i ? ", " : "", now() - start);
  }
  printf("], \"peak_kib\": %ld, \"memory\": %zu, \"tensors\": %zu}\n", peak_kib(),
         model_memory(options.threads), tensors);
  if (code != model_ok) fprintf(stderr, "%s\n", model_error(code));
  return code;
}
