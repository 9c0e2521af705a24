/* What a program may rely on of a model on an OpenCL device, step by step. */
#include "net.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPECT(condition) \
  if (!(condition)) return printf("line %d: %s (%s)\n", __LINE__, #condition, net_details()), 1

int main(int count, char **words) {
  net_options options = {0};
  net_instance *one, *two;
  const net_tensor *in = net_input(0), *out = net_output(0);
  EXPECT(count == 2 && in && out && !net_input(1) && !net_output(-1));
  options.cache = words[1];
  options.check_weights = 1;
  EXPECT(net_create(NULL, NULL) == net_invalid);
  EXPECT(net_create(&one, &options) == net_ok);
  EXPECT(net_create(&two, NULL) == net_ok);
  float *x = malloc(in->bytes), *y = malloc(out->bytes), *z = malloc(out->bytes);
  for (size_t i = 0; i < in->bytes / sizeof *x; i++) x[i] = (float)(i % 13) - 6;
  const void *inputs[] = {x}, *none[] = {NULL};
  void *outputs[] = {y}, *others[] = {z};
  EXPECT(net_run(one, none, outputs) == net_invalid && net_run(NULL, inputs, outputs));
  EXPECT(net_run(one, inputs, outputs) == net_ok);
  EXPECT(net_run(two, inputs, others) == net_ok);
  EXPECT(memcmp(y, z, out->bytes) == 0);
  memset(y, 0, out->bytes);
  EXPECT(net_run(one, inputs, outputs) == net_ok && memcmp(y, z, out->bytes) == 0);
  EXPECT(strstr(net_error(net_no_driver), "libOpenCL"));
  EXPECT(strcmp(net_error(99), "unknown error") == 0 && net_memory(0) > 0);
  net_destroy(one), net_destroy(two), net_destroy(NULL);
  for (size_t i = 0; i < out->bytes / sizeof *y; i++) printf("%.9g\n", (double)y[i]);
  free(x), free(y), free(z);
  return 0;
}
