/* ---- the interface ---- */

PUBLIC const char *API(error)(int code) {
  switch (code) {
    case API(ok): return "no error";
    case API(invalid): return "an argument is NULL or negative";
    case API(no_memory): return "the memory of an instance could not be allocated";
    case API(damaged): return "the weights are not those that were compiled";
    case API(busy): return "the instance runs already, in another thread";
    case API(forked): return "the instance belongs to the parent process";
    case API(no_driver):
      return "found no OpenCL driver (libOpenCL.so); install the device's, or on a computer "
             "without a GPU pocl-opencl-icd";
    case API(no_device): return "the OpenCL driver has no device that can run the model";
    case API(no_program): return "the OpenCL driver does not compile the kernels";
    case API(device_failed): return "the OpenCL device, or its driver, failed";
    default: return "unknown error";
  }
}

PUBLIC const char *API(details)(void) { return said; }

PUBLIC size_t API(memory)(int threads) {
  (void)threads;
  return sizeof(instance);
}

static int make_memory(instance *m) {
  cl_code code = CL_SUCCESS;
  if (ARENA) m->arena = cl.CreateBuffer(m->context, CL_MEM_READ_WRITE, ARENA, NULL, &code);
  for (int i = 0; i < BUFFERS && code == CL_SUCCESS; i++) {
    region part = {buffers[i].offset, buffers[i].bytes};
    if (buffers[i].constant)
      m->memory[i] = cl.CreateBuffer(m->context, CL_MEM_READ_ONLY | CL_MEM_COPY_HOST_PTR,
                                     part.size, (void *)(uintptr_t)W(part.origin), &code);
    else
      m->memory[i] = cl.CreateSubBuffer(m->arena, CL_MEM_READ_WRITE, CL_BUFFER_CREATE_TYPE_REGION,
                                        &part, &code);
  }
  return code == CL_SUCCESS ? API(ok) : failed(API(no_memory), "memory of the device", code);
}

static int make_kernel(instance *m, int i) {
  cl_code code;
  m->kernel[i] = cl.CreateKernel(m->program, kernels[launches[i].kernel], &code);
  if (m->kernel[i] == NULL) return failed(API(no_program), "clCreateKernel", code);
  for (int k = 0; k < launches[i].count; k++) {
    handle *given = &m->memory[arguments[launches[i].argument + k]];
    code = cl.SetKernelArg(m->kernel[i], (uint32_t)k, sizeof *given, given);
    if (code) return failed(API(device_failed), "clSetKernelArg", code);
  }
  return API(ok);
}

static int check_device(instance *m) {
  size_t most = most_threads(m->device);
  uint32_t alignment = base_alignment(m->device);
  for (int i = 0; i < LAUNCHES; i++) {
    const size_t *block = launches[i].block;
    if (block[0] * block[1] * block[2] <= most) continue;
    snprintf(said, sizeof said, "it runs %zu threads a block, and a kernel has %zu", most,
             block[0] * block[1] * block[2]);
    return API(no_device);
  }
  if (alignment <= BUFFER_ALIGNMENT) return API(ok);
  snprintf(said, sizeof said, "it wants memory aligned to %u bytes", (unsigned)alignment);
  return API(no_device);
}

static int set_up(instance *m, const char *folder) {
  cl_code code;
  m->process = getpid();
  m->device = find_device();
  if (m->device == NULL) return API(no_device);
  int status = check_device(m);
  if (status) return status;
  m->context = cl.CreateContext(NULL, 1, &m->device, NULL, NULL, &code);
  if (m->context == NULL) return failed(API(device_failed), "clCreateContext", code);
  m->queue = cl.CreateCommandQueue(m->context, m->device, 0, &code);
  if (m->queue == NULL) return failed(API(device_failed), "clCreateCommandQueue", code);
  status = build_program(m, folder);
  if (status == API(ok)) status = make_memory(m);
  for (int i = 0; i < LAUNCHES && status == API(ok); i++) status = make_kernel(m, i);
  return status;
}

PUBLIC void API(destroy)(instance *m) {
  if (m == NULL) return;
  if (m->process == getpid()) {
    if (m->queue) cl.Finish(m->queue);
    for (int i = 0; i < LAUNCHES; i++)
      if (m->kernel[i]) cl.ReleaseKernel(m->kernel[i]);
    for (int i = 0; i < BUFFERS; i++)
      if (m->memory[i]) cl.ReleaseMemObject(m->memory[i]);
    if (m->arena) cl.ReleaseMemObject(m->arena);
    if (m->program) cl.ReleaseProgram(m->program);
    if (m->queue) cl.ReleaseCommandQueue(m->queue);
    if (m->context) cl.ReleaseContext(m->context);
  }
  free(m);
}

PUBLIC int API(create)(instance **made, const API(options) *options) {
  *said = 0;
  if (made == NULL) return API(invalid);
  *made = NULL;
  if (options && options->threads < 0) return API(invalid);
  if (options && options->check_weights && checksum(API(weights), WEIGHTS_BYTES) != WEIGHTS_CRC)
    return API(damaged);
  if (!has_driver()) return API(no_driver);
  instance *m = calloc(1, sizeof *m);
  if (m == NULL) return API(no_memory);
  int code = set_up(m, options ? options->cache : NULL);
  if (code == API(ok)) *made = m;
  else API(destroy)(m);
  return code;
}

static int upload(instance *m, const void *const *in) {
  cl_code code = CL_SUCCESS;
  for (int i = 0; i < API(inputs) && code == CL_SUCCESS; i++)
    if (input_buffer[i] != NOWHERE)
      code = cl.EnqueueWriteBuffer(m->queue, m->memory[input_buffer[i]], 0, 0,
                                   input_list[i].bytes, in[i], 0, NULL, NULL);
  return code ? failed(API(device_failed), "clEnqueueWriteBuffer", code) : API(ok);
}

static int launch_all(instance *m) {
  cl_code code = CL_SUCCESS;
  for (int i = 0; i < LAUNCHES && code == CL_SUCCESS; i++)
    code = cl.EnqueueNDRangeKernel(m->queue, m->kernel[i], 3, NULL, launches[i].whole,
                                   launches[i].block, 0, NULL, NULL);
  return code ? failed(API(device_failed), "clEnqueueNDRangeKernel", code) : API(ok);
}

static int download(instance *m, void *const *out) {
  cl_code code = CL_SUCCESS;
  for (int i = 0; i < API(outputs) && code == CL_SUCCESS; i++)
    if (output_buffer[i] != NOWHERE)
      code = cl.EnqueueReadBuffer(m->queue, m->memory[output_buffer[i]], 0, 0,
                                  output_list[i].bytes, out[i], 0, NULL, NULL);
  return code ? failed(API(device_failed), "clEnqueueReadBuffer", code) : API(ok);
}

static int finish(instance *m) {
  cl_code code = cl.Finish(m->queue);
  return code ? failed(API(device_failed), "clFinish", code) : API(ok);
}

static int compute(instance *m, const void *const *in, void *const *out) {
  int code = upload(m, in);
  if (code == API(ok)) code = launch_all(m);
  if (code == API(ok)) code = download(m, out);
  return code == API(ok) ? finish(m) : code;
}

PUBLIC int API(run)(instance *m, const void *const *inputs, void *const *outputs) {
  *said = 0;
  if (m == NULL || (inputs == NULL && API(inputs) > 0) || outputs == NULL) return API(invalid);
  if (any_null(inputs, API(inputs))) return API(invalid);
  if (any_null((const void *const *)outputs, API(outputs))) return API(invalid);
  if (m->process != getpid()) return API(forked);
  if (atomic_exchange(&m->busy, 1)) return API(busy);
  int code = compute(m, inputs, outputs);
  if (code == API(ok)) copy_rest(inputs, outputs);
  atomic_store(&m->busy, 0);
  return code;
}
