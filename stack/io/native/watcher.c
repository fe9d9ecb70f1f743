#include "native.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void free_when_done(watcher *self) {
  if (!self->closed || !self->collected) return;
  if (self->release) self->release(self);
  free(self);
}

static void on_collected(napi_env env, void *data, void *hint) {
  (void)env;
  (void)hint;
  watcher *self = data;
  self->collected = true;
  free_when_done(self);
}

static void on_closed(uv_handle_t *handle) {
  watcher *self = handle->data;
  self->closed = true;
  napi_remove_async_cleanup_hook(self->cleanup);
  free_when_done(self);
}

static void on_poll(uv_poll_t *poll, int status, int events) {
  watcher *self = poll->data;
  if (status < 0) {
    /* libuv stops the watcher and says EBADF for every POLLERR; the socket knows the reason. Reading it clears it. */
    int error = 0;
    socklen_t size = sizeof error;
    if (getsockopt(self->fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0) error = errno;
    status = -error;
    watcher_listen(self, UV_READABLE);
  }
  napi_handle_scope scope;
  napi_open_handle_scope(self->env, &scope);
  self->ready(self, status, events);
  napi_close_handle_scope(self->env, scope);
}

int watcher_listen(watcher *self, int events) { return uv_poll_start(&self->poll, events, on_poll); }

static void stop_watching(watcher *self) {
  self->closing = true;
  uv_poll_stop(&self->poll);
  uv_close((uv_handle_t *)&self->poll, on_closed);
  close(self->fd);
}

/* Node turns its loop on after the environment has gone: what comes then must not call into it. */
static void on_environment_end(napi_async_cleanup_hook_handle hook, void *argument) {
  (void)hook;
  watcher *self = argument;
  if (!self->closing) stop_watching(self);
}

napi_value watcher_open(napi_env env, watcher *self, int fd, napi_value callback) {
  uv_loop_t *loop;
  napi_value handle, name;
  self->env = env;
  self->fd = fd;
  napi_get_uv_event_loop(env, &loop);
  int status = uv_poll_init(loop, &self->poll, fd);
  if (status < 0) {
    close(fd);
    if (self->release) self->release(self);
    free(self);
    throw_errno(env, -status, "watch", "descriptor");
    return NULL;
  }
  self->poll.data = self;
  napi_create_string_utf8(env, "pathlab:io", NAPI_AUTO_LENGTH, &name);
  napi_async_init(env, NULL, name, &self->context);
  napi_create_reference(env, callback, 1, &self->callback);
  napi_create_external(env, self, on_collected, NULL, &handle);
  napi_create_reference(env, handle, 1, &self->self);
  napi_add_async_cleanup_hook(env, on_environment_end, self, &self->cleanup);
  watcher_listen(self, UV_READABLE);
  return handle;
}

void watcher_call(watcher *self, size_t count, const napi_value *values) {
  napi_env env = self->env;
  napi_value callback, receiver, result;
  napi_get_reference_value(env, self->callback, &callback);
  napi_get_global(env, &receiver);
  if (napi_make_callback(env, self->context, receiver, callback, count, values, &result) == napi_pending_exception) {
    napi_value error;
    napi_get_and_clear_last_exception(env, &error);
    napi_fatal_exception(env, error);
  }
}

watcher *watcher_argument(napi_env env, napi_value handle) {
  void *data = NULL;
  if (napi_get_value_external(env, handle, &data) != napi_ok || ((watcher *)data)->closing) {
    napi_throw_error(env, "ERR_CLOSED", "the handle is closed");
    return NULL;
  }
  return data;
}

/* close(handle): idempotent. */
napi_value watcher_close(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value handle;
  void *data = NULL;
  napi_get_cb_info(env, info, &count, &handle, NULL, NULL);
  if (napi_get_value_external(env, handle, &data) != napi_ok) return NULL;
  watcher *self = data;
  if (self->closing) return NULL;
  stop_watching(self);
  napi_delete_reference(env, self->callback);
  napi_delete_reference(env, self->self);
  napi_async_destroy(env, self->context);
  return NULL;
}

/* setReferenced(handle, isReferenced): whether the event loop waits for it, as it does from the begin. */
static napi_value set_referenced(napi_env env, napi_callback_info info) {
  size_t count = 2;
  napi_value arguments[2];
  bool referenced;
  napi_get_cb_info(env, info, &count, arguments, NULL, NULL);
  watcher *self = watcher_argument(env, arguments[0]);
  if (!self || napi_get_value_bool(env, arguments[1], &referenced) != napi_ok) return NULL;
  if (referenced)
    uv_ref((uv_handle_t *)&self->poll);
  else
    uv_unref((uv_handle_t *)&self->poll);
  return NULL;
}

void throw_errno(napi_env env, int error, const char *what, const char *subject) {
  char message[512];
  snprintf(message, sizeof message, "%s %s: %s", what, subject, strerror(error));
  napi_throw_error(env, uv_err_name(-error), message);
}

bool string_argument(napi_env env, napi_value value, char *buffer, size_t size) {
  napi_valuetype type;
  size_t length;
  buffer[0] = 0;
  napi_typeof(env, value, &type);
  if (type == napi_undefined || type == napi_null) return true;
  if (napi_get_value_string_utf8(env, value, buffer, size, &length) != napi_ok || length + 1 >= size) {
    napi_throw_type_error(env, "ERR_INVALID_ARG_TYPE", "expected a string that is not longer than a path");
    return false;
  }
  return true;
}

void define_function(napi_env env, napi_value exports, const char *name, napi_callback callback) {
  napi_value function;
  napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, NULL, &function);
  napi_set_named_property(env, exports, name, function);
}

NAPI_MODULE_INIT() {
  define_packet_socket(env, exports);
  define_tun(env, exports);
  define_interface(env, exports);
  define_timing(env, exports);
  define_memory(env, exports);
  define_function(env, exports, "close", watcher_close);
  define_function(env, exports, "setReferenced", set_referenced);
  return exports;
}
