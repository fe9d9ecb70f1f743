/* Shared parts of the native addon: an event-loop watcher for one file descriptor, and error reporting.
 *
 * Every object that the addon gives out (packet socket, timer, link-event listener) is one file descriptor watched by
 * libuv with one JavaScript callback. It lives until close() is called or the environment ends; a strong reference keeps
 * it from the garbage collector until then. */
#ifndef PATHLAB_NATIVE_H
#define PATHLAB_NATIVE_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#define NAPI_VERSION 9
#include <node_api.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>
#include <uv.h>

/* What one batch may bring before it is looked at: more would leave the processor's nearest cache (L2: 1 MiB and more) before
 * JavaScript reads it. 256 super-packets a batch, 17 MB, took twice the receiver's time of 16. */
#define CACHED_BYTES ((size_t)1 << 20)

typedef struct watcher watcher;
struct watcher {
  napi_env env;
  uv_poll_t poll;
  int fd;
  napi_ref self;
  napi_ref callback;
  napi_async_context context;
  napi_async_cleanup_hook_handle cleanup;
  bool closing;
  bool closed;
  bool collected;
  /* `status` is 0 or a negative errno taken from the descriptor; `events` is UV_READABLE | UV_WRITABLE. */
  void (*ready)(watcher *self, int status, int events);
  /* Frees what the object holds beside the watcher; may be NULL. */
  void (*release)(watcher *self);
};

/* Begins to watch `fd` (owned from now on) for reading and makes the JavaScript handle. NULL: an exception is pending,
 * the descriptor is closed and the object freed. `self` was made by calloc. */
napi_value watcher_open(napi_env env, watcher *self, int fd, napi_value callback);
int watcher_listen(watcher *self, int events);
/* Calls back as from the event loop, so that promises and ticks run; an exception becomes an uncaught one. */
void watcher_call(watcher *self, size_t count, const napi_value *values);
/* The object behind the first argument of a call; NULL and an exception when it was closed. */
watcher *watcher_argument(napi_env env, napi_value handle);
napi_value watcher_close(napi_env env, napi_callback_info info);

/* Throws an Error whose `code` is the errno's name ("EPERM") and whose message says what was tried on what. */
void throw_errno(napi_env env, int error, const char *what, const char *subject);
/* Reads a string argument; an empty string when it is undefined or null. False: exception pending. */
bool string_argument(napi_env env, napi_value value, char *buffer, size_t size);

/* Puts the thread into the network namespace at `path` until leave_namespace of what this returns: a descriptor of its
 * own namespace, or OWN_NAMESPACE when `path` is empty. -1: exception pending. */
#define OWN_NAMESPACE (-2)
int enter_namespace(napi_env env, const char *path);
void leave_namespace(int home);
/* A socket made inside the network namespace at `path` (the current one when empty); the thread is back in its own
 * namespace afterwards. -1: exception pending. */
int socket_in_namespace(napi_env env, const char *path, int domain, int type, int protocol);

/* Payload of messages to be sent, as JavaScript tells it: `pieces` has 3 numbers for each, the place of its memory in
 * the array `memories`, offset and length there. So a piece needs no view of its own, and memory that many of them
 * share is looked up once. Zeroed before the first use; valid for one call. */
typedef struct {
  const int32_t *pieces;
  size_t piece_count;
  struct iovec *memories;
  uint32_t memory_count, capacity;
} payload_table;

/* False: exception pending. */
bool payload_table_read(napi_env env, payload_table *self, napi_value pieces, napi_value memories);
/* Vectors of `count` pieces from `first` on. False: exception pending. */
bool payload_vectors(napi_env env, const payload_table *self, int32_t first, int32_t count, struct iovec *out);
void payload_table_free(payload_table *self);

void define_packet_socket(napi_env env, napi_value exports);
void define_tun(napi_env env, napi_value exports);
void define_interface(napi_env env, napi_value exports);
void define_timing(napi_env env, napi_value exports);
void define_memory(napi_env env, napi_value exports);
void define_function(napi_env env, napi_value exports, const char *name, napi_callback callback);

#endif
