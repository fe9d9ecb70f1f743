/* TUN devices: IP packets that the kernel routes into an interface come out of a descriptor, and what is written to it
 * the kernel receives (Documentation/networking/tuntap.rst). A batch per callback, over memory that JavaScript allocated.
 *
 * A receive slot: 20 unused bytes, 10 bytes of virtio-net header, then the packet at offset 30. There an Ethernet header
 * fits between both, so that a stack that speaks Ethernet takes the packet without a copy; see tun-device.ts. */
#include "native.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define PACKET_OFFSET 30
#define VNET_BYTES ((int)sizeof(struct virtio_net_hdr))
#define MAXIMUM_BATCH 1024
#define PAYLOADS 1023

/* One record of what was received, 16 bytes, native byte order. */
typedef struct {
  uint32_t length; /* bytes of the packet */
  uint32_t slot;
  double monotonic_microseconds; /* when it was read */
} record;
_Static_assert(sizeof(record) == 16, "tun-device.ts reads 16-byte records");

typedef struct {
  watcher watcher;
  int head; /* bytes before a packet in reads and writes */
  uint8_t *memory;
  size_t memory_length;
  uint32_t slot_bytes, slot_count, batch;
  uint32_t *slots;
  record *records;
  napi_ref memory_reference, slots_reference, records_reference;
  payload_table payloads;
} tun_device;

static void release(watcher *base) {
  tun_device *self = (tun_device *)base;
  napi_ref references[] = {self->memory_reference, self->slots_reference, self->records_reference};
  for (int i = 0; i < 3; i++)
    if (references[i]) napi_delete_reference(base->env, references[i]);
  payload_table_free(&self->payloads);
}

static void report(tun_device *self, int count, int error) {
  napi_value values[2];
  napi_create_int32(self->watcher.env, count, &values[0]);
  napi_create_int32(self->watcher.env, error, &values[1]);
  watcher_call(&self->watcher, 2, values);
}

static void on_ready(watcher *base, int status, int events) {
  tun_device *self = (tun_device *)base;
  if (status >= 0 && events & UV_WRITABLE) {
    watcher_listen(base, UV_READABLE);
    report(self, 0, 0);
    if (base->closing) return;
  }
  if (status >= 0 && !(events & UV_READABLE)) return;

  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  uint32_t count = 0;
  size_t bytes = 0;
  int error = 0;
  while (count < self->batch && bytes < CACHED_BYTES) {
    uint32_t slot = self->slots[count];
    if (slot >= self->slot_count) {
      error = EFAULT;
      break;
    }
    uint8_t *first = self->memory + (size_t)slot * self->slot_bytes + PACKET_OFFSET - self->head;
    ssize_t length = read(base->fd, first, self->slot_bytes - PACKET_OFFSET + (uint32_t)self->head);
    if (length < 0) {
      if (errno == EINTR) continue;
      if (errno != EAGAIN) error = errno;
      break;
    }
    if (!self->head) memset(first - VNET_BYTES, 0, VNET_BYTES);
    bytes += (size_t)length;
    self->records[count++] = (record){(uint32_t)(length - self->head), slot,
                                      (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3};
  }
  if (count > 0) report(self, (int)count, 0);
  if (error == 0 || base->closing) return;
  /* The device is gone: the descriptor would stay ready for ever. libuv has no name for EBADFD. */
  uv_poll_stop(&base->poll);
  report(self, 0, error == EBADFD ? ENODEV : error);
}

static bool memory_argument(napi_env env, napi_value value, napi_typedarray_type type, void **data, size_t *length,
                            napi_ref *reference) {
  napi_typedarray_type actual;
  if (napi_get_typedarray_info(env, value, &actual, length, data, NULL, NULL) != napi_ok || actual != type) {
    napi_throw_type_error(env, "ERR_INVALID_ARG_TYPE", "wrong type of memory for a TUN device");
    return false;
  }
  napi_create_reference(env, value, 1, reference);
  return true;
}

static bool number_property(napi_env env, napi_value object, const char *name, uint32_t *out) {
  napi_value value;
  napi_get_named_property(env, object, name, &value);
  if (napi_get_value_uint32(env, value, out) == napi_ok) return true;
  napi_throw_type_error(env, "ERR_INVALID_ARG_TYPE", name);
  return false;
}

/* Descriptor of the device `name`, made when it is not there; it belongs to the namespace in which the descriptor was
 * opened and, unless it is persistent, ends with it. -1: exception pending. */
static int attach(napi_env env, const char *path, const char *name, bool vnet, uint32_t offload) {
  int home = enter_namespace(env, path);
  if (home == -1) return -1;
  int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
  const char *failed = fd < 0 ? "open /dev/net/tun for" : NULL;
  struct ifreq request = {.ifr_flags = (short)(IFF_TUN | IFF_NO_PI | (vnet ? IFF_VNET_HDR : 0))};
  int header = VNET_BYTES;
  if (!failed && strlen(name) >= IFNAMSIZ) failed = "name TUN device", errno = EINVAL;
  if (!failed) memcpy(request.ifr_name, name, strlen(name) + 1);
  if (!failed && ioctl(fd, TUNSETIFF, &request) < 0) failed = "make TUN device";
  if (!failed && vnet && ioctl(fd, TUNSETVNETHDRSZ, &header) < 0) failed = "set the header of TUN device";
  if (!failed && vnet && ioctl(fd, TUNSETOFFLOAD, (unsigned long)offload) < 0) failed = "set offloads of TUN device";
  int error = errno;
  leave_namespace(home);
  if (!failed) return fd;
  if (fd >= 0) close(fd);
  throw_errno(env, error, failed, name);
  return -1;
}

static void discard(tun_device *self) {
  release(&self->watcher);
  free(self);
}

/* openTun(namespacePath, name, options, memory: Uint8Array, slots: Uint32Array, records: Uint8Array,
 * callback(count, errno)) -> handle. A callback of (0, 0) says that the device can be written again. */
static napi_value open_tun(napi_env env, napi_callback_info info) {
  size_t count = 7, slots_length, records_length;
  napi_value arguments[7];
  char path[4096], name[256];
  uint32_t vnet, offload;
  napi_get_cb_info(env, info, &count, arguments, NULL, NULL);
  tun_device *self = calloc(1, sizeof *self);
  self->watcher.env = env;
  if (!string_argument(env, arguments[0], path, sizeof path) ||
      !string_argument(env, arguments[1], name, sizeof name) ||
      !number_property(env, arguments[2], "vnetHeader", &vnet) ||
      !number_property(env, arguments[2], "segmentation", &offload) ||
      !number_property(env, arguments[2], "slotBytes", &self->slot_bytes) ||
      !number_property(env, arguments[2], "slotCount", &self->slot_count) ||
      !memory_argument(env, arguments[3], napi_uint8_array, (void **)&self->memory, &self->memory_length,
                       &self->memory_reference) ||
      !memory_argument(env, arguments[4], napi_uint32_array, (void **)&self->slots, &slots_length,
                       &self->slots_reference) ||
      !memory_argument(env, arguments[5], napi_uint8_array, (void **)&self->records, &records_length,
                       &self->records_reference)) {
    discard(self);
    return NULL;
  }
  self->batch = (uint32_t)slots_length;
  self->head = vnet ? VNET_BYTES : 0;
  if (self->batch == 0 || self->batch > MAXIMUM_BATCH || records_length < slots_length * sizeof(record) ||
      self->slot_bytes <= PACKET_OFFSET || (size_t)self->slot_bytes * self->slot_count > self->memory_length) {
    discard(self);
    napi_throw_range_error(env, "ERR_OUT_OF_RANGE", "slots, records and memory of the TUN device do not fit");
    return NULL;
  }
  uint32_t flags = offload ? TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN : TUN_F_CSUM;
  int fd = attach(env, path, name, vnet != 0, flags);
  if (fd < 0) {
    discard(self);
    return NULL;
  }
  self->watcher.ready = on_ready;
  self->watcher.release = release;
  return watcher_open(env, &self->watcher, fd, arguments[6]);
}

/* Vectors of one message of the table, beginning with `head`; returns how many, -1 with an exception pending. */
static int gather(napi_env env, tun_device *self, const int32_t *entry, struct iovec *vectors) {
  if (entry[0] < 0 || entry[1] < 0 || (size_t)entry[0] + (size_t)entry[1] > self->memory_length || entry[3] < 0 ||
      entry[3] > PAYLOADS) {
    napi_throw_range_error(env, "ERR_OUT_OF_RANGE", "a packet to write lies outside of the device's memory");
    return -1;
  }
  vectors[0] = (struct iovec){self->memory + entry[0], (size_t)entry[1]};
  return payload_vectors(env, &self->payloads, entry[2], entry[3], vectors + 1) ? entry[3] + 1 : -1;
}

/* writeTun(handle, table: Int32Array, count, pieces: Int32Array, memories: Uint8Array[], status: Int32Array) -> packets
 * written: as `send` of a packet socket, one system call each. */
static napi_value write_tun(napi_env env, napi_callback_info info) {
  size_t argument_count = 6, table_length, status_length;
  napi_value arguments[6], result;
  int32_t count, *table, *status;
  napi_typedarray_type type, status_type;
  struct iovec vectors[PAYLOADS + 1];
  napi_get_cb_info(env, info, &argument_count, arguments, NULL, NULL);
  tun_device *self = (tun_device *)watcher_argument(env, arguments[0]);
  if (!self) return NULL;
  if (napi_get_typedarray_info(env, arguments[1], &type, &table_length, (void **)&table, NULL, NULL) != napi_ok ||
      type != napi_int32_array || napi_get_value_int32(env, arguments[2], &count) != napi_ok || count < 0 ||
      (size_t)count * 4 > table_length ||
      napi_get_typedarray_info(env, arguments[5], &status_type, &status_length, (void **)&status, NULL, NULL) !=
          napi_ok ||
      status_type != napi_int32_array || status_length < 1) {
    napi_throw_type_error(env, "ERR_INVALID_ARG_TYPE", "writeTun(handle, table, count, pieces, memories, status)");
    return NULL;
  }
  if (!payload_table_read(env, &self->payloads, arguments[3], arguments[4])) return NULL;
  int written = 0;
  status[0] = 0;
  while (written < count) {
    int filled = gather(env, self, table + (size_t)written * 4, vectors);
    if (filled < 0) return NULL;
    if (writev(self->watcher.fd, vectors, filled) < 0) {
      if (errno == EINTR) continue;
      status[0] = errno;
      break;
    }
    written++;
  }
  napi_create_int32(env, written, &result);
  return result;
}

void define_tun(napi_env env, napi_value exports) {
  define_function(env, exports, "openTun", open_tun);
  define_function(env, exports, "writeTun", write_tun);
}
