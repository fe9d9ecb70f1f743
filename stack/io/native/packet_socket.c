/* AF_PACKET sockets with virtio-net headers, a batch per call, over memory that JavaScript allocated (packet(7)).
 *
 * A receive slot: 6 unused bytes, 10 bytes of virtio-net header, then the Ethernet frame at offset 16. The header stays
 * beside its frame, so a slot can be sent on as it is. Records tell the rest; see RECORD_* and packet-socket.ts. */
#include "native.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define FRAME_OFFSET 16
#define VNET_BYTES ((int)sizeof(struct virtio_net_hdr))
#define MAXIMUM_BATCH 1024
#define SEND_VECTORS 1024
#define CONTROL_BYTES CMSG_SPACE(sizeof(struct timespec))

/* One record of what was received, 32 bytes, native byte order. */
typedef struct {
  uint32_t length;          /* bytes in the slot, from the frame's first */
  uint32_t original_length; /* bytes of the frame on the wire */
  uint32_t packet_type;     /* PACKET_HOST 0 … PACKET_OUTGOING 4 */
  uint32_t slot;
  uint32_t realtime_seconds;
  uint32_t realtime_nanoseconds;
  double monotonic_microseconds;
} record;
_Static_assert(sizeof(record) == 32, "packet-socket.ts reads 32-byte records");

typedef struct {
  watcher watcher;
  bool vnet;
  /* Records tell when, and from where, a frame came. */
  bool stamped;
  uint8_t *memory;
  size_t memory_length;
  uint32_t slot_bytes, slot_count, batch;
  /* Frames that the next call may take: as many as the batch has room for, and of large ones no more than stay cached. */
  uint32_t limit;
  uint32_t *slots;
  record *records;
  napi_ref memory_reference, slots_reference, records_reference;
  struct mmsghdr *receive_messages;
  struct iovec *receive_vectors;
  struct sockaddr_ll *addresses;
  uint8_t *control;
  struct mmsghdr *send_messages;
  struct iovec *send_vectors;
  payload_table payloads;
} packet_socket;

/* Of frames as those that came last. One at least. */
static uint32_t frames_cached(const packet_socket *self, size_t count, size_t bytes) {
  size_t cached = count * CACHED_BYTES / (bytes == 0 ? 1 : bytes);
  return cached >= self->batch ? self->batch : cached == 0 ? 1 : (uint32_t)cached;
}

static void release(watcher *base) {
  packet_socket *self = (packet_socket *)base;
  napi_ref references[] = {self->memory_reference, self->slots_reference, self->records_reference};
  for (int i = 0; i < 3; i++)
    if (references[i]) napi_delete_reference(base->env, references[i]);
  free(self->receive_messages);
  free(self->receive_vectors);
  free(self->addresses);
  free(self->control);
  free(self->send_messages);
  free(self->send_vectors);
  payload_table_free(&self->payloads);
}

static void report(packet_socket *self, int count, int error) {
  napi_value values[2];
  napi_create_int32(self->watcher.env, count, &values[0]);
  napi_create_int32(self->watcher.env, error, &values[1]);
  watcher_call(&self->watcher, 2, values);
}

static void stamp(record *out, struct msghdr *message, const struct timespec *offset) {
  struct timespec real = {0};
  for (struct cmsghdr *control = CMSG_FIRSTHDR(message); control; control = CMSG_NXTHDR(message, control))
    if (control->cmsg_level == SOL_SOCKET && control->cmsg_type == SCM_TIMESTAMPNS)
      memcpy(&real, CMSG_DATA(control), sizeof real);
  out->realtime_seconds = (uint32_t)real.tv_sec;
  out->realtime_nanoseconds = (uint32_t)real.tv_nsec;
  out->monotonic_microseconds = (double)(real.tv_sec - offset->tv_sec) * 1e6 + (double)(real.tv_nsec - offset->tv_nsec) / 1e3;
}

static void on_ready(watcher *base, int status, int events) {
  packet_socket *self = (packet_socket *)base;
  if (status < 0) {
    report(self, 0, -status);
    return;
  }
  if (events & UV_WRITABLE) {
    watcher_listen(base, UV_READABLE);
    report(self, 0, 0);
    if (base->closing) return;
  }
  if (!(events & UV_READABLE)) return;

  int head = self->vnet ? VNET_BYTES : 0;
  for (uint32_t i = 0; i < self->limit; i++) {
    uint32_t slot = self->slots[i];
    if (slot >= self->slot_count) {
      report(self, 0, EFAULT);
      return;
    }
    uint8_t *base_address = self->memory + (size_t)slot * self->slot_bytes;
    self->receive_vectors[i] =
        (struct iovec){base_address + FRAME_OFFSET - head, self->slot_bytes - FRAME_OFFSET + head};
    struct msghdr *message = &self->receive_messages[i].msg_hdr;
    *message = (struct msghdr){.msg_iov = &self->receive_vectors[i], .msg_iovlen = 1};
    if (self->stamped) {
      message->msg_name = &self->addresses[i];
      message->msg_namelen = sizeof self->addresses[i];
      message->msg_control = self->control + i * CONTROL_BYTES;
      message->msg_controllen = CONTROL_BYTES;
    }
    if (!head) memset(base_address + FRAME_OFFSET - VNET_BYTES, 0, VNET_BYTES);
  }
  int count = recvmmsg(base->fd, self->receive_messages, self->limit, MSG_DONTWAIT | MSG_TRUNC, NULL);
  if (count < 0) {
    if (errno != EAGAIN && errno != EINTR) report(self, 0, errno);
    return;
  }
  struct timespec mono = {0}, real = {0};
  if (self->stamped) {
    clock_gettime(CLOCK_MONOTONIC, &mono);
    clock_gettime(CLOCK_REALTIME, &real);
  }
  struct timespec offset = {real.tv_sec - mono.tv_sec, real.tv_nsec - mono.tv_nsec};
  size_t bytes = 0;
  for (int i = 0; i < count; i++) {
    record *out = &self->records[i];
    uint32_t total = self->receive_messages[i].msg_len - (uint32_t)head;
    uint32_t room = self->slot_bytes - FRAME_OFFSET;
    out->original_length = total;
    out->length = total < room ? total : room;
    out->slot = self->slots[i];
    bytes += out->length;
    if (!self->stamped) continue;
    out->packet_type = self->addresses[i].sll_pkttype;
    stamp(out, &self->receive_messages[i].msg_hdr, &offset);
  }
  if (count > 0) self->limit = frames_cached(self, (size_t)count, bytes);
  report(self, count, 0);
}

static bool memory_argument(napi_env env, napi_value value, napi_typedarray_type type, void **data, size_t *length,
                            napi_ref *reference) {
  napi_typedarray_type actual;
  if (napi_get_typedarray_info(env, value, &actual, length, data, NULL, NULL) != napi_ok || actual != type) {
    napi_throw_type_error(env, "ERR_INVALID_ARG_TYPE", "wrong type of memory for a packet socket");
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

/* All options before bind: until then protocol 0 keeps foreign packets out. Returns what failed, or NULL. */
static const char *configure(int fd, const char *name, uint32_t vnet, uint32_t stamped, uint32_t ignore_outgoing,
                             uint32_t ether_type, uint32_t receive_buffer, uint32_t send_buffer) {
  int on = 1, receive = (int)receive_buffer, send = (int)send_buffer;
  if (vnet && setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &on, sizeof on) < 0) return "set PACKET_VNET_HDR on";
  if (ignore_outgoing && setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof on) < 0)
    return "set PACKET_IGNORE_OUTGOING on";
  if (stamped && setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on) < 0) return "set SO_TIMESTAMPNS on";
  /* Without CAP_NET_ADMIN net.core.rmem_max limits the buffer; what is lost for it is counted by PACKET_STATISTICS. */
  if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &receive, sizeof receive) < 0 &&
      setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive, sizeof receive) < 0)
    return "set SO_RCVBUF on";
  if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &send, sizeof send) < 0 &&
      setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &send, sizeof send) < 0)
    return "set SO_SNDBUF on";
  if (ether_type) {
    /* Outgoing packets only reach sockets of ETH_P_ALL, so one EtherType is picked by a filter. */
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 12),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ether_type, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, 0xffffffff),
        BPF_STMT(BPF_RET | BPF_K, 0),
    };
    struct sock_fprog program = {.len = 4, .filter = code};
    if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) < 0) return "filter EtherType on";
  }
  struct ifreq request = {0};
  if (strlen(name) >= IFNAMSIZ) return errno = ENODEV, "look up interface";
  memcpy(request.ifr_name, name, strlen(name) + 1);
  if (ioctl(fd, SIOCGIFINDEX, &request) < 0) return "look up interface";
  struct sockaddr_ll address = {
      .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = request.ifr_ifindex};
  if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0) return "bind packet socket to";
  return NULL;
}

static void discard(packet_socket *self) {
  release(&self->watcher);
  free(self);
}

/* openPacketSocket(namespacePath, interfaceName, options, memory: Uint8Array, slots: Uint32Array, records: Uint8Array,
 * callback(count, errno)) -> handle. A callback of (0, 0) says that the socket can be written again. */
static napi_value open_packet_socket(napi_env env, napi_callback_info info) {
  size_t count = 7, slots_length, records_length;
  napi_value arguments[7];
  char path[4096], name[256];
  uint32_t vnet, stamped, ignore_outgoing, ether_type, receive_buffer, send_buffer;
  napi_get_cb_info(env, info, &count, arguments, NULL, NULL);
  packet_socket *self = calloc(1, sizeof *self);
  self->watcher.env = env;
  if (!string_argument(env, arguments[0], path, sizeof path) ||
      !string_argument(env, arguments[1], name, sizeof name) ||
      !number_property(env, arguments[2], "vnetHeader", &vnet) ||
      !number_property(env, arguments[2], "stamped", &stamped) ||
      !number_property(env, arguments[2], "ignoreOutgoing", &ignore_outgoing) ||
      !number_property(env, arguments[2], "etherType", &ether_type) ||
      !number_property(env, arguments[2], "receiveBufferBytes", &receive_buffer) ||
      !number_property(env, arguments[2], "sendBufferBytes", &send_buffer) ||
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
  if (self->batch == 0 || self->batch > MAXIMUM_BATCH || records_length < slots_length * sizeof(record) ||
      self->slot_bytes <= FRAME_OFFSET || (size_t)self->slot_bytes * self->slot_count > self->memory_length) {
    discard(self);
    napi_throw_range_error(env, "ERR_OUT_OF_RANGE", "slots, records and memory of the packet socket do not fit");
    return NULL;
  }
  int fd = socket_in_namespace(env, path, AF_PACKET, SOCK_RAW, 0);
  if (fd < 0) {
    discard(self);
    return NULL;
  }
  const char *failed = configure(fd, name, vnet, stamped, ignore_outgoing, ether_type, receive_buffer, send_buffer);
  if (failed) {
    int error = errno;
    close(fd);
    discard(self);
    throw_errno(env, error, failed, name);
    return NULL;
  }
  self->vnet = vnet != 0;
  self->stamped = stamped != 0;
  self->limit = frames_cached(self, 1, self->slot_bytes);
  self->receive_messages = calloc(self->batch, sizeof *self->receive_messages);
  self->receive_vectors = calloc(self->batch, sizeof *self->receive_vectors);
  self->addresses = calloc(self->batch, sizeof *self->addresses);
  self->control = calloc(self->batch, CONTROL_BYTES);
  self->send_messages = calloc(MAXIMUM_BATCH, sizeof *self->send_messages);
  self->send_vectors = calloc(SEND_VECTORS, sizeof *self->send_vectors);
  self->watcher.ready = on_ready;
  self->watcher.release = release;
  return watcher_open(env, &self->watcher, fd, arguments[6]);
}

/* Fills vectors for as many messages as fit; returns how many, -1 with an exception pending. */
static int gather(napi_env env, packet_socket *self, const int32_t *table, int from, int count) {
  int vectors = 0, filled = 0;
  for (; from + filled < count && filled < MAXIMUM_BATCH; filled++) {
    const int32_t *entry = table + (size_t)(from + filled) * 4;
    if (entry[0] < 0 || entry[1] < 0 || (size_t)entry[0] + (size_t)entry[1] > self->memory_length || entry[3] < 0 ||
        entry[3] >= SEND_VECTORS) {
      napi_throw_range_error(env, "ERR_OUT_OF_RANGE", "a message to send lies outside of the socket's memory");
      return -1;
    }
    if (vectors + 1 + entry[3] > SEND_VECTORS) break;
    struct iovec *first = &self->send_vectors[vectors];
    *first = (struct iovec){self->memory + entry[0], (size_t)entry[1]};
    if (!payload_vectors(env, &self->payloads, entry[2], entry[3], first + 1)) return -1;
    vectors += 1 + entry[3];
    self->send_messages[filled].msg_hdr =
        (struct msghdr){.msg_iov = first, .msg_iovlen = (size_t)entry[3] + 1};
  }
  return filled;
}

/* send(handle, table: Int32Array, count, pieces: Int32Array, memories: Uint8Array[], status: Int32Array) -> messages
 * sent. table holds 4 numbers a message: offset and length of its first bytes in the socket's memory (beginning with
 * the virtio-net header when the socket has it), first piece of payload, number of pieces (see payload_table).
 * status[0] is the errno that stopped it, 0 when all were sent. Order is kept: nothing behind an unsent message is
 * sent. */
static napi_value send_packets(napi_env env, napi_callback_info info) {
  size_t argument_count = 6, table_length, status_length;
  napi_value arguments[6], result;
  int32_t count, *table, *status;
  napi_typedarray_type type, status_type;
  napi_get_cb_info(env, info, &argument_count, arguments, NULL, NULL);
  packet_socket *self = (packet_socket *)watcher_argument(env, arguments[0]);
  if (!self) return NULL;
  if (napi_get_typedarray_info(env, arguments[1], &type, &table_length, (void **)&table, NULL, NULL) != napi_ok ||
      type != napi_int32_array || napi_get_value_int32(env, arguments[2], &count) != napi_ok || count < 0 ||
      (size_t)count * 4 > table_length ||
      napi_get_typedarray_info(env, arguments[5], &status_type, &status_length, (void **)&status, NULL, NULL) != napi_ok ||
      status_type != napi_int32_array || status_length < 1) {
    napi_throw_type_error(env, "ERR_INVALID_ARG_TYPE", "send(handle, table, count, pieces, memories, status)");
    return NULL;
  }
  if (!payload_table_read(env, &self->payloads, arguments[3], arguments[4])) return NULL;
  int sent = 0;
  status[0] = 0;
  while (sent < count) {
    int filled = gather(env, self, table, sent, count);
    if (filled < 0) return NULL;
    int accepted = sendmmsg(self->watcher.fd, self->send_messages, (unsigned)filled, MSG_DONTWAIT);
    if (accepted < 0) {
      if (errno == EINTR) continue;
      status[0] = errno;
      break;
    }
    sent += accepted;
  }
  napi_create_int32(env, sent, &result);
  return result;
}

/* notifyWritable(handle): one callback of (0, 0) when the socket can be written. */
static napi_value notify_writable(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value handle;
  napi_get_cb_info(env, info, &count, &handle, NULL, NULL);
  watcher *self = watcher_argument(env, handle);
  if (self) watcher_listen(self, UV_READABLE | UV_WRITABLE);
  return NULL;
}

/* packetDrops(handle): packets that found the receive buffer full since the last call (PACKET_STATISTICS). */
static napi_value packet_drops(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value handle, result;
  struct tpacket_stats stats = {0};
  socklen_t size = sizeof stats;
  napi_get_cb_info(env, info, &count, &handle, NULL, NULL);
  watcher *self = watcher_argument(env, handle);
  if (!self) return NULL;
  if (getsockopt(self->fd, SOL_PACKET, PACKET_STATISTICS, &stats, &size) < 0)
    return throw_errno(env, errno, "read", "PACKET_STATISTICS"), NULL;
  napi_create_uint32(env, stats.tp_drops, &result);
  return result;
}


void define_packet_socket(napi_env env, napi_value exports) {
  define_function(env, exports, "openPacketSocket", open_packet_socket);
  define_function(env, exports, "send", send_packets);
  define_function(env, exports, "notifyWritable", notify_writable);
  define_function(env, exports, "packetDrops", packet_drops);
}
