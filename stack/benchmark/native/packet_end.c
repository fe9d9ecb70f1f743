/*
 * One end of a measured transfer that is nothing but packet sockets: what our stack cannot be faster than. Super-packets of Multipath TCP's size leave as
 * ours do and are read as ours are; the payload is copied once, to the application. There is no stack: an acknowledgement is a count, and nothing is ever lost or late.
 *
 *   packet_end serve  INTERFACE OWN_MAC PEER_MAC
 *   packet_end stream INTERFACE OWN_MAC PEER_MAC
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <linux/virtio_net.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#include <unistd.h>

#include "end.h"

enum {
  segment_bytes = 1428,
  payload_bytes = 43 * segment_bytes, /* beside 20 octets of DSS and 12 of timestamps, in 64 KiB */
  option_bytes = 32,
  header_bytes = sizeof(struct ether_header) + sizeof(struct iphdr) + sizeof(struct tcphdr) + option_bytes,
  send_batch = 16,
  receive_batch = 16, /* a mebibyte, as our driver's: it stays in the nearest cache */
  slot_bytes = 66048,
  application_bytes = 1 << 20,  /* of the sender, as our-end.ts writes */
  read_bytes = 1 << 17,         /* of the receiver, as net-application.ts reads */
  window_bytes = 6 << 20,       /* our buffers' */
  socket_bytes = 64 << 20,
  acknowledgement_type = 0x88b5 /* local experiments (IEEE 802) */
};

struct virtio_header_and_frame {
  struct virtio_net_hdr offload;
  struct ether_header ethernet;
  union {
    struct {
      struct iphdr ip;
      struct tcphdr tcp;
      uint8_t options[option_bytes];
    };
    uint64_t acknowledged;
  };
} __attribute__((packed));

static int fd;
static struct ether_header ethernet;

static void read_mac(const char *text, uint8_t *mac) {
  if (sscanf(text, "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", mac, mac + 1, mac + 2, mac + 3, mac + 4, mac + 5) != 6)
    fail("hardware address");
}

static void open_socket(const char *interface) {
  int on = 1, buffer = socket_bytes;
  struct sockaddr_ll own = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};
  fd = checked(socket(AF_PACKET, SOCK_RAW, 0), "packet socket");
  checked(setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &on, sizeof on), "PACKET_VNET_HDR");
  checked(setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof on), "PACKET_IGNORE_OUTGOING");
  checked(setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof buffer), "SO_RCVBUFFORCE");
  checked(setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &buffer, sizeof buffer), "SO_SNDBUFFORCE");
  own.sll_ifindex = (int)if_nametoindex(interface);
  checked(bind(fd, (struct sockaddr *)&own, sizeof own), interface);
}

static void await(short events) {
  struct pollfd waiting = {.fd = fd, .events = events};
  if (poll(&waiting, 1, -1) < 0 && errno != EINTR) fail("poll");
}

static bool is_for(const struct ether_header *received, uint16_t type) {
  return memcmp(received->ether_dhost, ethernet.ether_shost, ETH_ALEN) == 0 && received->ether_type == htons(type);
}

static void acknowledge(uint64_t bytes) {
  struct virtio_header_and_frame frame = {.ethernet = ethernet, .acknowledged = bytes};
  frame.ethernet.ether_type = htons(acknowledgement_type);
  if (send(fd, &frame, sizeof frame, 0) < 0) fail("acknowledgement");
}

static void serve(void) {
  static uint8_t slots[receive_batch][slot_bytes], application[read_bytes];
  struct mmsghdr messages[receive_batch];
  struct iovec vectors[receive_batch];
  uint64_t received = 0;
  size_t filled = 0;
  for (;;) {
    for (int i = 0; i < receive_batch; i++) {
      vectors[i] = (struct iovec){slots[i], slot_bytes};
      messages[i].msg_hdr = (struct msghdr){.msg_iov = &vectors[i], .msg_iovlen = 1};
    }
    int count = recvmmsg(fd, messages, receive_batch, MSG_DONTWAIT, NULL);
    if (count < 0 && errno != EAGAIN) fail("recvmmsg");
    if (count < 0) await(POLLIN);
    for (int i = 0; i < count; i++) {
      const struct virtio_header_and_frame *frame = (const void *)slots[i];
      if (!is_for(&frame->ethernet, ETHERTYPE_IP)) continue;
      size_t length = messages[i].msg_len - sizeof *frame;
      if (filled + length > read_bytes) filled = 0;
      memcpy(application + filled, slots[i] + sizeof *frame, length);
      filled += length;
      received += length;
    }
    atomic_store_explicit(&total_bytes, received, memory_order_relaxed);
    if (count > 0) acknowledge(received);
  }
}

static struct virtio_header_and_frame super_packet(void) {
  struct virtio_header_and_frame frame = {
      .offload = {.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
                  .gso_type = VIRTIO_NET_HDR_GSO_TCPV4,
                  .hdr_len = header_bytes + payload_bytes, /* in one piece: super-packet-memory.ts tells why */
                  .gso_size = segment_bytes,
                  .csum_start = sizeof(struct ether_header) + sizeof(struct iphdr),
                  .csum_offset = offsetof(struct tcphdr, check)},
      .ethernet = ethernet,
      .ip = {.version = 4, .ihl = 5, .ttl = 64, .protocol = IPPROTO_TCP},
      .tcp = {.doff = (sizeof(struct tcphdr) + option_bytes) / 4, .ack = 1}};
  frame.ethernet.ether_type = htons(ETHERTYPE_IP);
  frame.ip.tot_len = htons(header_bytes - sizeof(struct ether_header) + payload_bytes);
  memset(frame.options, TCPOPT_NOP, option_bytes);
  return frame;
}

/* What has been acknowledged, at most `sent`. */
static uint64_t latest_acknowledgement(uint64_t known, uint64_t sent) {
  struct virtio_header_and_frame frame;
  while (recv(fd, &frame, sizeof frame, MSG_DONTWAIT) > 0)
    if (is_for(&frame.ethernet, acknowledgement_type) && frame.acknowledged <= sent) known = frame.acknowledged;
  return known;
}

static void stream(void) {
  static uint8_t application[application_bytes];
  struct virtio_header_and_frame header = super_packet();
  struct mmsghdr messages[send_batch];
  struct iovec vectors[send_batch][2];
  uint64_t sent = 0, acknowledged = 0;
  size_t from = 0;
  say("{\"connected\":true}");
  for (;;) {
    acknowledged = latest_acknowledgement(acknowledged, sent);
    int count = 0;
    for (; count < send_batch && sent + (uint64_t)(count + 1) * payload_bytes <= acknowledged + window_bytes; count++) {
      if (from + payload_bytes > application_bytes) from = 0;
      vectors[count][0] = (struct iovec){&header, sizeof header};
      vectors[count][1] = (struct iovec){application + from, payload_bytes};
      messages[count].msg_hdr = (struct msghdr){.msg_iov = vectors[count], .msg_iovlen = 2};
      from += payload_bytes;
    }
    if (count == 0) {
      await(POLLIN);
      continue;
    }
    int done = sendmmsg(fd, messages, (unsigned)count, MSG_DONTWAIT);
    if (done < 0 && errno != EAGAIN && errno != ENOBUFS) fail("sendmmsg");
    if (done < 0) await(POLLOUT);
    else sent += (uint64_t)done * payload_bytes;
  }
}

static const char *mode;

static void *work(void *unused) {
  (void)unused;
  say("{\"ready\":true}");
  if (strcmp(mode, "serve") == 0) serve();
  else stream();
  return NULL;
}

int main(int argc, char **argv) {
  pthread_t worker;
  if (argc < 5) return fprintf(stderr, "packet_end: serve|stream INTERFACE OWN_MAC PEER_MAC\n"), 2;
  mode = argv[1];
  read_mac(argv[3], ethernet.ether_shost);
  read_mac(argv[4], ethernet.ether_dhost);
  open_socket(argv[2]);
  if (pthread_create(&worker, NULL, work, NULL) != 0) fail("pthread_create");
  answer_samples();
  return 0;
}
