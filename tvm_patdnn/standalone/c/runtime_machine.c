/* ---- the machine ---- */

#ifdef __linux__
/* Whether another logical CPU of the same core stands for it. */
static int is_sibling(int cpu, const cpu_set_t *allowed) {
  char path[96];
  int first = 0, letter;
  snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu%d/topology/thread_siblings_list", cpu);
  FILE *file = fopen(path, "r");
  if (file == NULL) return 0;
  while ((letter = fgetc(file)) >= '0' && letter <= '9' && first < CPU_SETSIZE)
    first = first * 10 + letter - '0';
  fclose(file);
  return first < cpu && CPU_ISSET(first, allowed);
}

static int cores(void) {
  cpu_set_t allowed;
  int found = 0;
  if (sched_getaffinity(0, sizeof allowed, &allowed)) return (int)sysconf(_SC_NPROCESSORS_ONLN);
  for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
    found += CPU_ISSET(cpu, &allowed) && !is_sibling(cpu, &allowed);
  return found;
}
#else
static int cores(void) { return (int)sysconf(_SC_NPROCESSORS_ONLN); }
#endif

static int fitting(int threads) {
  if (threads == 0) threads = cores();
  if (threads > LIMIT) threads = LIMIT;
  return threads < 1 ? 1 : threads < MOST_THREADS ? threads : MOST_THREADS;
}

static size_t rounded(size_t bytes, size_t to) { return (bytes + to - 1) / to * to; }

/* The arena, the threads' scratch memory, the instance, its threads. */
static size_t memory_parts(int threads, size_t *scratch, size_t *self, size_t *workers) {
  *scratch = rounded(ARENA, ALIGNMENT);
  *self = *scratch + (size_t)threads * SCRATCH;
  *workers = *self + rounded(sizeof(instance), ALIGNMENT);
  return *workers + (size_t)(threads - 1) * sizeof(worker);
}

static void *allocate(size_t bytes) {
  void *found = NULL;
  int huge = bytes >= HUGE_FROM;
  if (huge) bytes = rounded(bytes, HUGE_PAGE);
  if (posix_memalign(&found, huge ? HUGE_PAGE : ALIGNMENT, bytes)) return NULL;
#ifdef MADV_HUGEPAGE
  if (huge) madvise(found, bytes, MADV_HUGEPAGE); /* fewer translations to look up */
#endif
  return found;
}
