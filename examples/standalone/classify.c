/* Names the class of an image: ./classify image.ppm
   Build: cc classify.c model.a -lm -lpthread -o classify */
#include "model.h"
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv) {
  const int64_t *shape = model_input(0)->shape; /* 1, channels, height, width */
  const model_facts *facts = model_about();
  const int channels = facts->channels, plane = (int)(shape[2] * shape[3]);
  float *image = malloc(model_input(0)->bytes), *scores = malloc(model_output(0)->bytes);
  int width, height, best = 0;
  FILE *file = argc > 1 ? fopen(argv[1], "rb") : NULL;
  if (file == NULL || fscanf(file, "P6 %d %d 255", &width, &height) != 2 || fgetc(file) == EOF)
    return fprintf(stderr, "give a binary PPM image\n"), 1;
  if (width != shape[3] || height != shape[2] || channels != 3)
    return fprintf(stderr, "expected %d x %d pixels\n", (int)shape[3], (int)shape[2]), 1;
  for (int i = 0; i < plane * channels; i++) { /* from pixels of 3 colours to 3 planes */
    const int c = i % channels;
    image[c * plane + i / channels] = (fgetc(file) / 255.0f - facts->mean[c]) / facts->std[c];
  }
  model_instance *model;
  int code = model_create(&model, NULL);
  if (code == model_ok)
    code = model_run(model, (const void *[]){image}, (void *[]){scores});
  if (code != model_ok) return fprintf(stderr, "%s\n", model_error(code)), 1;
  for (int i = 1; i < facts->classes; i++)
    if (scores[i] > scores[best]) best = i;
  printf("%s\n", facts->names[best]);
  model_destroy(model);
  return 0;
}
