/* ---- the program: compiled by the driver, and kept in a file where the caller gives a folder ---- */

/* What a kept program must have been made of, by whom. */
typedef struct {
  char text[512];
} identity;

static identity identify(handle device) {
  identity made;
  char name[128] = "", driver[128] = "";
  memset(&made, 0, sizeof made);
  cl.GetDeviceInfo(device, CL_DEVICE_NAME, sizeof name - 1, name, NULL);
  cl.GetDeviceInfo(device, CL_DRIVER_VERSION, sizeof driver - 1, driver, NULL);
  snprintf(made.text, sizeof made.text, "tvm-patdnn program 1\n%s\n%08x %zu\n%s\n%s\n", VERSION,
           SOURCE_CRC, SOURCE_BYTES, name, driver);
  return made;
}

static void kept_path(const char *folder, identity of, char *path, size_t bytes) {
  uint32_t sum = checksum((const uint8_t *)of.text, sizeof of.text);
  snprintf(path, bytes, "%s/" MODEL_NAME "-%08x.clbin", folder, sum);
}

static uint8_t *read_kept(const char *path, identity wanted, size_t *bytes) {
  FILE *file = fopen(path, "rb");
  identity found;
  uint32_t sum;
  uint64_t size = 0;
  uint8_t *data = NULL;
  if (file == NULL) return NULL;
  if (fread(&found, sizeof found, 1, file) == 1 && !memcmp(&found, &wanted, sizeof found) &&
      fread(&size, sizeof size, 1, file) == 1 && fread(&sum, sizeof sum, 1, file) == 1 &&
      size < (uint64_t)1 << 30 && (data = malloc((size_t)size)) != NULL &&
      (fread(data, 1, (size_t)size, file) != size || checksum(data, (size_t)size) != sum)) {
    free(data);
    data = NULL;
  }
  fclose(file);
  *bytes = (size_t)size;
  return data;
}

/* Written beside it and renamed: readers see it whole or not at all. */
static void write_kept(const char *path, identity of, const uint8_t *data, size_t bytes) {
  char beside[4200];
  uint64_t size = bytes;
  uint32_t sum = checksum(data, bytes);
  snprintf(beside, sizeof beside, "%s.%ld", path, (long)getpid());
  FILE *file = fopen(beside, "wb");
  if (file == NULL) return;
  int whole = fwrite(&of, sizeof of, 1, file) == 1 && fwrite(&size, sizeof size, 1, file) == 1 &&
              fwrite(&sum, sizeof sum, 1, file) == 1 && fwrite(data, 1, bytes, file) == bytes;
  whole &= fclose(file) == 0;
  if (!whole || rename(beside, path)) remove(beside);
}

static handle from_kept(instance *m, const char *path, identity wanted) {
  size_t bytes;
  cl_code status, code;
  uint8_t *data = read_kept(path, wanted, &bytes);
  if (data == NULL) return NULL;
  const uint8_t *binary = data;
  handle program =
      cl.CreateProgramWithBinary(m->context, 1, &m->device, &bytes, &binary, &status, &code);
  free(data);
  if (program && code == CL_SUCCESS && status == CL_SUCCESS &&
      cl.BuildProgram(program, 1, &m->device, NULL, NULL, NULL) == CL_SUCCESS)
    return program;
  if (program) cl.ReleaseProgram(program);
  return NULL;
}

static void keep(handle program, const char *path, identity of) {
  size_t bytes = 0;
  if (cl.GetProgramInfo(program, CL_PROGRAM_BINARY_SIZES, sizeof bytes, &bytes, NULL) || !bytes)
    return;
  uint8_t *data = malloc(bytes);
  if (data && !cl.GetProgramInfo(program, CL_PROGRAM_BINARIES, sizeof data, &data, NULL))
    write_kept(path, of, data, bytes);
  free(data);
}

static int from_source(instance *m) {
  const char *source = SOURCE;
  size_t bytes = SOURCE_BYTES, shown = sizeof said - 1;
  cl_code code;
  m->program = cl.CreateProgramWithSource(m->context, 1, &source, &bytes, &code);
  if (m->program == NULL) return failed(API(no_program), "clCreateProgramWithSource", code);
  code = cl.BuildProgram(m->program, 1, &m->device, NULL, NULL, NULL);
  if (code == CL_SUCCESS) return API(ok);
  failed(API(no_program), "clBuildProgram", code);
  char *log = calloc(1, 1 << 16);
  if (log && !cl.GetProgramBuildInfo(m->program, m->device, CL_PROGRAM_BUILD_LOG, (1 << 16) - 1,
                                     log, NULL) && *log)
    snprintf(said, shown, "%.*s", (int)shown - 1, log);
  free(log);
  return API(no_program);
}

static int build_program(instance *m, const char *folder) {
  char path[4096];
  identity of = identify(m->device);
  if (folder == NULL) return from_source(m);
  kept_path(folder, of, path, sizeof path);
  m->program = from_kept(m, path, of);
  if (m->program) return API(ok);
  int code = from_source(m);
  if (code == API(ok)) keep(m->program, path, of);
  return code;
}
