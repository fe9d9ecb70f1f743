/* The monotonic clock in microseconds, one precise timer (timerfd), and the scheduling class that makes both exact. */
#include "native.h"

#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

static double microseconds(const struct timespec *time) { return time->tv_sec * 1e6 + time->tv_nsec / 1e3; }

/* monotonicMicroseconds() */
static napi_value monotonic_microseconds(napi_env env, napi_callback_info info) {
  (void)info;
  struct timespec time;
  napi_value result;
  clock_gettime(CLOCK_MONOTONIC, &time);
  napi_create_double(env, microseconds(&time), &result);
  return result;
}

/* realtimeOffsetMicroseconds(): CLOCK_REALTIME - CLOCK_MONOTONIC, from the tightest of five readings. */
static napi_value realtime_offset_microseconds(napi_env env, napi_callback_info info) {
  (void)info;
  double best = HUGE_VAL, offset = 0;
  napi_value result;
  for (int round = 0; round < 5; round++) {
    struct timespec before, real, after;
    clock_gettime(CLOCK_MONOTONIC, &before);
    clock_gettime(CLOCK_REALTIME, &real);
    clock_gettime(CLOCK_MONOTONIC, &after);
    double width = microseconds(&after) - microseconds(&before);
    if (width < best) {
      best = width;
      offset = (real.tv_sec - before.tv_sec) * 1e6 + (real.tv_nsec - before.tv_nsec) / 1e3 - width / 2;
    }
  }
  napi_create_double(env, offset, &result);
  return result;
}

static void on_timer(watcher *self, int status, int events) {
  uint64_t expirations;
  (void)events;
  if (status < 0 || read(self->fd, &expirations, sizeof expirations) != sizeof expirations) return;
  watcher_call(self, 0, NULL);
}

/* openTimer(callback()) -> handle, disarmed */
static napi_value open_timer(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value callback;
  napi_get_cb_info(env, info, &count, &callback, NULL, NULL);
  int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
  if (fd < 0) return throw_errno(env, errno, "create", "timerfd"), NULL;
  watcher *self = calloc(1, sizeof *self);
  self->ready = on_timer;
  return watcher_open(env, self, fd, callback);
}

/* armTimer(handle, atMicroseconds): fires once, at once when that time is past; Infinity disarms. */
static napi_value arm_timer(napi_env env, napi_callback_info info) {
  size_t count = 2;
  napi_value arguments[2];
  double at;
  struct itimerspec time = {0};
  napi_get_cb_info(env, info, &count, arguments, NULL, NULL);
  watcher *self = watcher_argument(env, arguments[0]);
  if (!self || napi_get_value_double(env, arguments[1], &at) != napi_ok) return NULL;
  if (isfinite(at)) {
    if (at < 0.001) at = 0.001; /* all zero would disarm */
    double seconds = floor(at / 1e6);
    time.it_value.tv_sec = (time_t)seconds;
    time.it_value.tv_nsec = (long)((at - seconds * 1e6) * 1e3);
  }
  if (timerfd_settime(self->fd, TFD_TIMER_ABSTIME, &time, NULL) < 0) throw_errno(env, errno, "arm", "timerfd");
  return NULL;
}

/* setRealtimePriority(priority): SCHED_FIFO for all threads of this process; 0 goes back to SCHED_OTHER. Throws EPERM.
 * All of them, because the main thread waits for V8's helpers at the end of a garbage collection: at normal priority
 * they stand behind everybody's work, and the main thread with them (230 ms were seen on a busy machine). The helpers
 * one higher, because FIFO never takes the processor from an equal: two main threads that spin for their helpers on two
 * processors would keep them from running for ever (seen with three labs that started in the same second). */
static napi_value set_realtime_priority(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value argument;
  int32_t priority;
  napi_get_cb_info(env, info, &count, &argument, NULL, NULL);
  if (napi_get_value_int32(env, argument, &priority) != napi_ok) return NULL;
  struct sched_param parameter = {.sched_priority = priority};
  int policy = (priority > 0 ? SCHED_FIFO : SCHED_OTHER) | SCHED_RESET_ON_FORK;
  DIR *tasks = opendir("/proc/self/task");
  if (!tasks) return throw_errno(env, errno, "list", "/proc/self/task"), NULL;
  int error = 0;
  for (struct dirent *task; !error && (task = readdir(tasks));) {
    int thread = atoi(task->d_name);
    /* ESRCH: a thread that ended meanwhile. */
    parameter.sched_priority = priority > 0 && thread != getpid() ? priority + 1 : priority;
    if (thread > 0 && sched_setscheduler(thread, policy, &parameter) < 0 && errno != ESRCH) error = errno;
  }
  closedir(tasks);
  if (error) throw_errno(env, error, "set", "SCHED_FIFO priority");
  return NULL;
}

/* setTimerSlackNanoseconds(slack) */
static napi_value set_timer_slack(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value argument;
  uint32_t slack;
  napi_get_cb_info(env, info, &count, &argument, NULL, NULL);
  if (napi_get_value_uint32(env, argument, &slack) != napi_ok) return NULL;
  if (prctl(PR_SET_TIMERSLACK, (unsigned long)slack) < 0) throw_errno(env, errno, "set", "timer slack");
  return NULL;
}

void define_timing(napi_env env, napi_value exports) {
  define_function(env, exports, "monotonicMicroseconds", monotonic_microseconds);
  define_function(env, exports, "realtimeOffsetMicroseconds", realtime_offset_microseconds);
  define_function(env, exports, "openTimer", open_timer);
  define_function(env, exports, "armTimer", arm_timer);
  define_function(env, exports, "setRealtimePriority", set_realtime_priority);
  define_function(env, exports, "setTimerSlackNanoseconds", set_timer_slack);
}
