/* ---- the interface ---- */

PUBLIC const char *API(error)(int code) {
  switch (code) {
    case API(ok): return "no error";
    case API(invalid): return "an argument is NULL or negative, or the given memory too small";
    case API(no_memory): return "the memory of an instance could not be allocated";
    case API(no_threads): return "the threads of an instance could not be started";
    case API(wrong_cpu): return "the CPU lacks instructions that the model was compiled for";
    case API(damaged): return "the weights are not those that were compiled";
    case API(busy): return "the instance runs already, in another thread";
    case API(forked): return "the instance belongs to the parent process";
    default: return "unknown error";
  }
}

PUBLIC size_t API(memory)(int threads) {
  size_t scratch, self, workers;
  return memory_parts(fitting(threads < 0 ? 0 : threads), &scratch, &self, &workers) + ALIGNMENT;
}

static int set_up(instance **made, API(options) options) {
  size_t scratch, self, workers, offset = 0;
  int threads = fitting(options.threads);
  size_t bytes = memory_parts(threads, &scratch, &self, &workers);
  uint8_t *memory = options.memory;
  if (memory == NULL) memory = allocate(bytes);
  else offset = (size_t)(-(uintptr_t)memory % ALIGNMENT);
  if (memory == NULL) return API(no_memory);
  if (options.memory && options.memory_bytes < bytes + offset) return API(invalid);
  instance *m = (instance *)(memory + offset + self);
  memset(m, 0, sizeof *m);
  m->arena = memory + offset, m->scratch = m->arena + scratch;
  m->worker = (worker *)(m->arena + workers);
  m->allocated = options.memory ? NULL : memory;
  m->process = getpid();
  m->meeting.threads = threads;
  if (threads > 1 && start_workers(m)) {
    free(m->allocated);
    return API(no_threads);
  }
  *made = m;
  return API(ok);
}

PUBLIC int API(create)(instance **made, const API(options) *given) {
  const API(options) options = given ? *given : (API(options)){0, 0, NULL, 0};
  if (made == NULL) return API(invalid);
  *made = NULL;
  if (options.threads < 0) return API(invalid);
  if (!(CPU_FITS)) return API(wrong_cpu);
  if (options.check_weights && checksum(API(weights), WEIGHTS_BYTES) != WEIGHTS_CRC)
    return API(damaged);
  return set_up(made, options);
}

PUBLIC void API(destroy)(instance *m) {
  if (m == NULL) return;
  if (m->meeting.threads > 1 && m->process == getpid()) {
    m->stop = 1;
    meet(&m->meeting);
    join_workers(m);
  }
  free(m->allocated);
}

static int is_direct(const void *pointer, size_t place) {
  return place == NOWHERE || (uintptr_t)pointer % ALIGNMENT == 0;
}

static void take(instance *m, const void *const *inputs, void *const *outputs) {
  for (int i = 0; i < API(inputs); i++) {
    m->in[i] = inputs[i];
    if (is_direct(inputs[i], input_place[i])) continue;
    m->in[i] = memcpy(m->arena + input_place[i], inputs[i], input_list[i].bytes);
  }
  for (int i = 0; i < API(outputs); i++)
    m->out[i] = is_direct(outputs[i], output_place[i]) ? outputs[i] : m->arena + output_place[i];
}

static void give(instance *m, void *const *outputs) {
  for (int i = 0; i < API(outputs); i++)
    if (m->out[i] != outputs[i]) memcpy(outputs[i], m->out[i], output_list[i].bytes);
}

PUBLIC int API(run)(instance *m, const void *const *inputs, void *const *outputs) {
  if (m == NULL || (inputs == NULL && API(inputs) > 0) || outputs == NULL) return API(invalid);
  if (any_null(inputs, API(inputs))) return API(invalid);
  if (any_null((const void *const *)outputs, API(outputs))) return API(invalid);
  if (m->meeting.threads > 1 && m->process != getpid()) return API(forked);
  if (atomic_exchange(&m->busy, 1)) return API(busy);
  take(m, inputs, outputs);
  meet(&m->meeting);
  compute(m, 0);
  meet(&m->meeting);
  copy_rest(m, inputs);
  give(m, outputs);
  atomic_store(&m->busy, 0);
  return API(ok);
}
