/*
 * One end of a measured connection on the kernel's own sockets: large reads and writes, nothing between them and the kernel.
 *
 *   kernel_end tcp|mptcp serve  ADDRESS PORT discard|echo
 *   kernel_end tcp|mptcp stream ADDRESS PORT
 *   kernel_end tcp|mptcp echo   ADDRESS PORT COUNT
 *   kernel_end tcp|mptcp open   ADDRESS PORT COUNT            one connection after the other
 *   kernel_end tcp|mptcp churn  ADDRESS PORT COUNT IN_FLIGHT  connect, one byte there and back, close
 *   kernel_end tcp|mptcp hold   ADDRESS PORT COUNT
 *
 * Speaks JSON lines, the same as our-end.ts: {"ready":true} first, what was measured when it is, and {"bytes":…,"microseconds":…} for
 * each line that it reads. The end of its input ends it.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "end.h"

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

enum { buffer_bytes = 1 << 20, backlog = 4096, event_count = 256 };

static int protocol;
static struct sockaddr_in address;
static long count, in_flight;

static void say_samples(const double *samples) {
  flockfile(stdout);
  printf("{\"samples\":[");
  for (long i = 0; i < count; i++) printf(i == 0 ? "%.1f" : ",%.1f", samples[i]);
  say("]}");
  funlockfile(stdout);
}

static void *allocated(size_t bytes) {
  void *memory = calloc(1, bytes);
  if (memory == NULL) fail("calloc");
  return memory;
}

static int new_socket(int flags) {
  int one = 1, fd = checked(socket(AF_INET, SOCK_STREAM | flags, protocol), "socket");
  checked(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one), "TCP_NODELAY");
  return fd;
}

static int connected_socket(void) {
  int fd = new_socket(0);
  checked(connect(fd, (struct sockaddr *)&address, sizeof address), "connect");
  return fd;
}

static int listening_socket(void) {
  int one = 1, fd = new_socket(0);
  checked(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one), "SO_REUSEADDR");
  /* At any address: joins to one that is told by ADD_ADDR come to the same listener. */
  address.sin_addr.s_addr = htonl(INADDR_ANY);
  checked(bind(fd, (struct sockaddr *)&address, sizeof address), "bind");
  checked(listen(fd, backlog), "listen");
  return fd;
}

static void watch(int epoll, int fd, uint32_t events) {
  struct epoll_event event = {.events = events, .data.fd = fd};
  checked(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event), "epoll_ctl");
}

/* One connection, read as fast as it comes. */
static void serve_discard(int listener) {
  char *buffer = allocated(buffer_bytes);
  int fd = checked(accept(listener, NULL, NULL), "accept");
  for (ssize_t got; (got = recv(fd, buffer, buffer_bytes, 0)) > 0;)
    atomic_fetch_add_explicit(&total_bytes, (unsigned long long)got, memory_order_relaxed);
}

/* Any number of connections: what comes goes back. */
static void serve_echo(int listener) {
  static char buffer[65536];
  struct epoll_event events[event_count];
  int epoll = checked(epoll_create1(0), "epoll_create1");
  watch(epoll, listener, EPOLLIN);
  for (;;) {
    int ready = checked(epoll_wait(epoll, events, event_count, -1), "epoll_wait");
    for (int i = 0; i < ready; i++) {
      int fd = events[i].data.fd;
      if (fd == listener) {
        watch(epoll, checked(accept4(listener, NULL, NULL, SOCK_NONBLOCK), "accept"), EPOLLIN);
        continue;
      }
      ssize_t got = recv(fd, buffer, sizeof buffer, 0);
      if (got > 0) checked((int)send(fd, buffer, (size_t)got, MSG_NOSIGNAL), "send");
      else if (got == 0 || errno != EAGAIN) close(fd);
    }
  }
}

static void run_stream(void) {
  char *buffer = allocated(buffer_bytes);
  int fd = connected_socket();
  say("{\"connected\":true}");
  for (ssize_t sent; (sent = send(fd, buffer, buffer_bytes, MSG_NOSIGNAL)) > 0;)
    atomic_fetch_add_explicit(&total_bytes, (unsigned long long)sent, memory_order_relaxed);
}

static void run_echo(void) {
  double *samples = allocated(sizeof *samples * (size_t)count);
  char byte = 'x';
  int fd = connected_socket();
  for (long i = 0; i < count; i++) {
    double start = microseconds();
    if (send(fd, &byte, 1, 0) != 1 || recv(fd, &byte, 1, 0) != 1) fail("echo");
    samples[i] = microseconds() - start;
  }
  say_samples(samples);
}

static void run_open(void) {
  double *samples = allocated(sizeof *samples * (size_t)count);
  char byte = 'x';
  for (long i = 0; i < count; i++) {
    double start = microseconds();
    int fd = connected_socket();
    samples[i] = microseconds() - start;
    /* Until it is of use to both: the next one finds nothing of this one under way. */
    if (send(fd, &byte, 1, 0) != 1 || recv(fd, &byte, 1, 0) != 1) fail("open");
    close(fd);
  }
  say_samples(samples);
}

static void begin_connection(int epoll) {
  int fd = new_socket(SOCK_NONBLOCK);
  if (connect(fd, (struct sockaddr *)&address, sizeof address) < 0 && errno != EINPROGRESS) fail("connect");
  watch(epoll, fd, EPOLLOUT | EPOLLONESHOT);
}

static void run_churn(void) {
  struct epoll_event events[event_count];
  char byte = 'x';
  long begun = 0, done = 0;
  int epoll = checked(epoll_create1(0), "epoll_create1");
  double start = microseconds();
  while (begun < in_flight && begun < count) begin_connection(epoll), begun++;
  while (done < count) {
    int ready = checked(epoll_wait(epoll, events, event_count, -1), "epoll_wait");
    for (int i = 0; i < ready; i++) {
      int fd = events[i].data.fd;
      if (events[i].events & EPOLLOUT) {
        struct epoll_event answer = {.events = EPOLLIN | EPOLLONESHOT, .data.fd = fd};
        checked((int)send(fd, &byte, 1, MSG_NOSIGNAL), "send");
        checked(epoll_ctl(epoll, EPOLL_CTL_MOD, fd, &answer), "epoll_ctl");
        continue;
      }
      checked((int)recv(fd, &byte, 1, 0), "recv");
      close(fd);
      done++;
      if (begun < count) begin_connection(epoll), begun++;
    }
  }
  say("{\"seconds\":%.6f}", (microseconds() - start) / 1e6);
}

static void run_hold(void) {
  char byte = 'x';
  for (long i = 0; i < count; i++) {
    int fd = connected_socket();
    if (send(fd, &byte, 1, 0) != 1 || recv(fd, &byte, 1, 0) != 1) fail("hold");
  }
  say("{\"held\":%ld}", count);
}

static const char *mode, *workload;

static void *work(void *unused) {
  (void)unused;
  if (strcmp(mode, "serve") == 0) {
    int listener = listening_socket();
    say("{\"ready\":true}");
    if (strcmp(workload, "discard") == 0) serve_discard(listener);
    else serve_echo(listener);
  } else {
    say("{\"ready\":true}");
    if (strcmp(mode, "stream") == 0) run_stream();
    else if (strcmp(mode, "echo") == 0) run_echo();
    else if (strcmp(mode, "open") == 0) run_open();
    else if (strcmp(mode, "churn") == 0) run_churn();
    else if (strcmp(mode, "hold") == 0) run_hold();
    else fprintf(stderr, "kernel_end: no mode %s\n", mode), exit(2);
  }
  return NULL;
}

int main(int argc, char **argv) {
  pthread_t worker;
  struct rlimit files;
  if (argc < 5) return fprintf(stderr, "kernel_end: tcp|mptcp MODE ADDRESS PORT …\n"), 2;
  protocol = strcmp(argv[1], "mptcp") == 0 ? IPPROTO_MPTCP : IPPROTO_TCP;
  mode = argv[2];
  address.sin_family = AF_INET;
  address.sin_port = htons((uint16_t)atoi(argv[4]));
  if (inet_pton(AF_INET, argv[3], &address.sin_addr) != 1) return fprintf(stderr, "kernel_end: bad address\n"), 2;
  workload = argc > 5 ? argv[5] : "";
  count = argc > 5 ? atol(argv[5]) : 0;
  in_flight = argc > 6 ? atol(argv[6]) : 1;
  signal(SIGPIPE, SIG_IGN);
  checked(getrlimit(RLIMIT_NOFILE, &files), "RLIMIT_NOFILE");
  files.rlim_cur = files.rlim_max;
  checked(setrlimit(RLIMIT_NOFILE, &files), "RLIMIT_NOFILE");
  if (pthread_create(&worker, NULL, work, NULL) != 0) fail("pthread_create");
  answer_samples();
  return 0;
}
