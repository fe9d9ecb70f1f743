/* What the ends in C have in common: JSON lines, the same as those of our-end.ts, and a count of bytes that is told for each line that is read. */
#ifndef PATHLAB_BENCHMARK_END_H
#define PATHLAB_BENCHMARK_END_H

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static atomic_ullong total_bytes;

static inline void fail(const char *what) {
  fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name, what, strerror(errno));
  exit(1);
}

static inline int checked(int result, const char *what) {
  if (result < 0) fail(what);
  return result;
}

static inline double microseconds(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1e6 + time.tv_nsec / 1e3;
}

static inline void say(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  flockfile(stdout);
  vprintf(format, arguments);
  putchar('\n');
  fflush(stdout);
  funlockfile(stdout);
  va_end(arguments);
}

/* Until the end of the input. */
static inline void answer_samples(void) {
  char line[256];
  while (fgets(line, sizeof line, stdin) != NULL)
    say("{\"bytes\":%llu,\"microseconds\":%.1f}", atomic_load_explicit(&total_bytes, memory_order_relaxed),
        microseconds());
}

#endif
