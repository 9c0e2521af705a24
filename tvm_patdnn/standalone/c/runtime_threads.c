/* ---- threads ---- */

static void look_again(unsigned round) {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__) || defined(__arm__)
  __asm__ volatile("yield");
#endif
  if (round % 64 == 63) sched_yield();
}

static void sleep_until_next(meeting *all, unsigned turn) {
  pthread_mutex_lock(&all->lock);
  atomic_fetch_add(&all->sleeping, 1);
  while (atomic_load(&all->turn) == turn) pthread_cond_wait(&all->wake, &all->lock);
  atomic_fetch_sub(&all->sleeping, 1);
  pthread_mutex_unlock(&all->lock);
}

/* Returns when all threads have called it; what they wrote before is seen by all. */
static void meet(meeting *all) {
  if (all->threads == 1) return;
  unsigned turn = atomic_load(&all->turn);
  if (atomic_fetch_add(&all->arrived, 1) + 1 < all->threads) {
    for (unsigned round = 0; round < ROUNDS; round++) {
      if (atomic_load_explicit(&all->turn, memory_order_acquire) != turn) return;
      look_again(round);
    }
    sleep_until_next(all, turn);
    return;
  }
  atomic_store(&all->arrived, 0);
  atomic_fetch_add(&all->turn, 1);
  if (atomic_load(&all->sleeping) == 0) return;
  pthread_mutex_lock(&all->lock);
  pthread_cond_broadcast(&all->wake);
  pthread_mutex_unlock(&all->lock);
}

static void *work(void *argument) {
  worker *me = argument;
  instance *m = me->model;
  pthread_mutex_lock(&m->meeting.lock); /* free when all have been started, or one could not */
  pthread_mutex_unlock(&m->meeting.lock);
  if (m->failed) return NULL;
  for (;;) {
    meet(&m->meeting);
    if (m->stop) return NULL;
    compute(m, me->task);
    meet(&m->meeting);
  }
}

static void join_workers(instance *m) {
  for (int i = 0; i < m->workers; i++) pthread_join(m->worker[i].thread, NULL);
  pthread_cond_destroy(&m->meeting.wake);
  pthread_mutex_destroy(&m->meeting.lock);
}

static int start_workers(instance *m) {
  sigset_t all, before;
  sigfillset(&all);
  pthread_mutex_init(&m->meeting.lock, NULL);
  pthread_cond_init(&m->meeting.wake, NULL);
  pthread_mutex_lock(&m->meeting.lock);
  pthread_sigmask(SIG_SETMASK, &all, &before); /* signals are for the program's own threads */
  for (int i = 0; i < m->meeting.threads - 1 && !m->failed; i++) {
    m->worker[i].model = m, m->worker[i].task = i + 1;
    m->failed = pthread_create(&m->worker[i].thread, NULL, work, &m->worker[i]) != 0;
    m->workers += !m->failed;
  }
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  pthread_mutex_unlock(&m->meeting.lock);
  if (m->failed) join_workers(m);
  return m->failed;
}
