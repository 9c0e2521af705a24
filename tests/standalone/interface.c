/* Everything of the interface of the test's network, "net", by one program:
   interface INPUT EXPECTED. Prints "ok" or what was not as it should be. */
#include "net.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPECT(condition) \
  do { \
    if (!(condition)) return printf("line %d: %s\n", __LINE__, #condition), 1; \
  } while (0)

static _Alignas(64) char input[4096], expected[8192];
static size_t in_bytes, out_bytes;

static int computes(net_instance *net, size_t offset) {
  static _Thread_local _Alignas(64) char in[4096 + 64], out[8192 + 64];
  memcpy(in + offset, input, in_bytes);
  memset(out, 1, sizeof out);
  const void *inputs[] = {in + offset};
  void *outputs[] = {out + offset};
  return net_run(net, inputs, outputs) == net_ok && !memcmp(out + offset, expected, out_bytes) &&
         out[offset + out_bytes] == 1;
}

static int with_threads(int threads) {
  net_options options = {0};
  options.threads = threads, options.check_weights = 1;
  net_instance *net = NULL;
  EXPECT(net_create(&net, &options) == net_ok);
  for (size_t offset = 0; offset < 64; offset += 4) EXPECT(computes(net, offset));
  net_destroy(net);
  return 0;
}

static int with_given_memory(int threads, size_t offset) {
  net_options options = {0};
  options.threads = threads, options.memory_bytes = net_memory(threads);
  char *memory = malloc(options.memory_bytes + offset);
  options.memory = memory + offset;
  net_instance *net = NULL;
  EXPECT(net_create(&net, &options) == net_ok);
  EXPECT(computes(net, 0));
  net_destroy(net);
  options.memory_bytes = 1000;
  EXPECT(net_create(&net, &options) == net_invalid && net == NULL);
  free(memory);
  return 0;
}

static int wrong_calls(void) {
  net_instance *net = NULL;
  net_options negative = {-1, 0, NULL, 0};
  EXPECT(net_create(NULL, NULL) == net_invalid);
  EXPECT(net_create(&net, &negative) == net_invalid && net == NULL);
  EXPECT(net_create(&net, NULL) == net_ok);
  const void *none[] = {NULL}, *inputs[] = {input};
  void *outputs[] = {expected}, *nowhere[] = {NULL};
  EXPECT(net_run(NULL, inputs, outputs) == net_invalid);
  EXPECT(net_run(net, NULL, outputs) == net_invalid);
  EXPECT(net_run(net, none, outputs) == net_invalid);
  EXPECT(net_run(net, inputs, nowhere) == net_invalid);
  net_destroy(net);
  net_destroy(NULL);
  for (int code = net_ok; code <= net_forked; code++)
    EXPECT(strcmp(net_error(code), "unknown error") != 0);
  EXPECT(strcmp(net_error(99), "unknown error") == 0);
  return 0;
}

static int says_what_it_is(void) {
  EXPECT(net_inputs == 1 && net_outputs == 1);
  EXPECT(net_input(-1) == NULL && net_input(1) == NULL && net_output(1) == NULL);
  EXPECT(!strcmp(net_input(0)->name, "x") && !strcmp(net_output(0)->dtype, "float32"));
  EXPECT(net_input(0)->rank == 4 && net_input(0)->shape[2] == 16);
  EXPECT(strstr(net_version(), "tvm-patdnn standalone 1"));
  EXPECT(strstr(net_about()->json, "\"outputs\"") && net_about()->classes == 0);
  EXPECT(net_memory(3) >= net_memory(1));
  return 0;
}

static void *many_runs(void *wrong) {
  net_options options = {0};
  options.threads = 2;
  net_instance *net = NULL;
  *(int *)wrong = net_create(&net, &options) != net_ok;
  for (int i = 0; i < 100 && !*(int *)wrong; i++) *(int *)wrong = !computes(net, (size_t)i % 64);
  net_destroy(net);
  return NULL;
}

static int instances_side_by_side(void) {
  pthread_t threads[4];
  int wrong[4];
  for (int i = 0; i < 4; i++) EXPECT(!pthread_create(&threads[i], NULL, many_runs, &wrong[i]));
  for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
  for (int i = 0; i < 4; i++) EXPECT(!wrong[i]);
  return 0;
}

static int made_and_destroyed(void) {
  net_options options = {0};
  options.threads = 3;
  for (int i = 0; i < 100; i++) {
    net_instance *net = NULL;
    EXPECT(net_create(&net, &options) == net_ok);
    if (i % 3 == 0) EXPECT(computes(net, 0));
    net_destroy(net);
  }
  return 0;
}

static int read_file(const char *path, char *to, size_t bytes) {
  FILE *file = fopen(path, "rb");
  const int read = file && fread(to, 1, bytes, file) == bytes;
  if (file) fclose(file);
  return read;
}

int main(int argc, char **argv) {
  in_bytes = net_input(0)->bytes, out_bytes = net_output(0)->bytes;
  EXPECT(argc == 3 && in_bytes <= sizeof input && out_bytes <= sizeof expected);
  EXPECT(read_file(argv[1], input, in_bytes) && read_file(argv[2], expected, out_bytes));
  for (int threads = 0; threads < 4; threads++)
    if (with_threads(threads) || with_given_memory(threads, (size_t)threads * 20)) return 1;
  if (says_what_it_is() || instances_side_by_side() || made_and_destroyed()) return 1;
  if (wrong_calls()) return 1;
  puts("ok");
  return 0;
}
