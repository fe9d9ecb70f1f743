#include "native.h"

#include <stdlib.h>

bool payload_table_read(napi_env env, payload_table *self, napi_value pieces, napi_value memories) {
  napi_typedarray_type type;
  size_t length;
  if (napi_get_typedarray_info(env, pieces, &type, &length, (void **)&self->pieces, NULL, NULL) != napi_ok ||
      type != napi_int32_array || napi_get_array_length(env, memories, &self->memory_count) != napi_ok) {
    napi_throw_type_error(env, "ERR_INVALID_ARG_TYPE", "pieces of payload are an Int32Array and an array");
    return false;
  }
  self->piece_count = length / 3;
  if (self->memory_count > self->capacity) {
    self->capacity = self->memory_count;
    self->memories = realloc(self->memories, self->capacity * sizeof *self->memories);
  }
  for (uint32_t i = 0; i < self->memory_count; i++) {
    napi_value memory;
    if (napi_get_element(env, memories, i, &memory) != napi_ok ||
        napi_get_typedarray_info(env, memory, &type, &self->memories[i].iov_len, &self->memories[i].iov_base, NULL,
                                 NULL) != napi_ok ||
        type != napi_uint8_array) {
      napi_throw_type_error(env, "ERR_INVALID_ARG_TYPE", "a payload to send is not a Uint8Array");
      return false;
    }
  }
  return true;
}

bool payload_vectors(napi_env env, const payload_table *self, int32_t first, int32_t count, struct iovec *out) {
  if (first < 0 || count < 0 || (size_t)first + (size_t)count > self->piece_count) goto outside;
  for (int32_t i = 0; i < count; i++) {
    const int32_t *piece = self->pieces + (size_t)(first + i) * 3;
    if (piece[0] < 0 || (uint32_t)piece[0] >= self->memory_count || piece[1] < 0 || piece[2] < 0) goto outside;
    const struct iovec *memory = &self->memories[piece[0]];
    if ((size_t)piece[1] + (size_t)piece[2] > memory->iov_len) goto outside;
    out[i] = (struct iovec){(uint8_t *)memory->iov_base + piece[1], (size_t)piece[2]};
  }
  return true;
outside:
  napi_throw_range_error(env, "ERR_OUT_OF_RANGE", "a piece of payload lies outside of its memory");
  return false;
}

void payload_table_free(payload_table *self) { free(self->memories); }
