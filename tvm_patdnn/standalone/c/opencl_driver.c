/* ---- the driver ---- */

static _Thread_local char said[4096]; /* what is known of the last error */

static int failed(int code, const char *what, cl_code number) {
  snprintf(said, sizeof said, "%s: OpenCL's error %d", what, (int)number);
  return code;
}

static const char *const libraries[] = {
  "libOpenCL.so.1",
  "libOpenCL.so",
  "/vendor/lib64/libOpenCL.so",
  "/system/vendor/lib64/libOpenCL.so",
  "/vendor/lib64/egl/libGLES_mali.so",
  "/system/vendor/lib64/egl/libGLES_mali.so",
  "/vendor/lib64/libmali.so",
  "/vendor/lib64/libPVROCL.so",
  "/vendor/lib/libOpenCL.so",
  "/system/vendor/lib/libOpenCL.so",
};

static int opened; /* that all functions were found */

static int find_functions(void *library) {
  int missing = 0;
#define FIND(type, name, arguments) \
  *(void **)&cl.name = dlsym(library, "cl" #name); \
  missing |= cl.name == NULL;
  DRIVER(FIND)
  return !missing;
}

static void open_driver(void) {
  for (size_t i = 0; i < sizeof libraries / sizeof *libraries && !opened; i++) {
    void *library = dlopen(libraries[i], RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) continue;
    opened = find_functions(library);
    if (!opened) dlclose(library);
  }
}

static int has_driver(void) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, open_driver);
  return opened;
}

/* The first GPU of any platform, else the first device. */
static handle find_device(void) {
  const cl_bits types[] = {CL_DEVICE_TYPE_GPU, CL_DEVICE_TYPE_ALL};
  handle platforms[16], device;
  uint32_t count = 0, found;
  if (cl.GetPlatformIDs(16, platforms, &count)) return NULL;
  for (int type = 0; type < 2; type++)
    for (uint32_t i = 0; i < count && i < 16; i++)
      if (cl.GetDeviceIDs(platforms[i], types[type], 1, &device, &found) == CL_SUCCESS && found)
        return device;
  return NULL;
}

static size_t most_threads(handle device) {
  size_t most = 0;
  cl.GetDeviceInfo(device, CL_DEVICE_MAX_WORK_GROUP_SIZE, sizeof most, &most, NULL);
  return most;
}

static uint32_t base_alignment(handle device) {
  uint32_t bits = 0;
  cl.GetDeviceInfo(device, CL_DEVICE_MEM_BASE_ADDR_ALIGN, sizeof bits, &bits, NULL);
  return bits / 8;
}
