/* Network namespaces, interfaces, and the news about them (rtnetlink(7)). */
#include "native.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

int enter_namespace(napi_env env, const char *path) {
  if (!path[0]) return OWN_NAMESPACE;
  int there = open(path, O_RDONLY | O_CLOEXEC);
  if (there < 0) return throw_errno(env, errno, "open network namespace", path), -1;
  int home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
  if (home < 0 || setns(there, CLONE_NEWNET) < 0) {
    int error = errno;
    close(there);
    if (home >= 0) close(home);
    return throw_errno(env, error, "enter network namespace", path), -1;
  }
  close(there);
  return home;
}

void leave_namespace(int home) {
  if (home == OWN_NAMESPACE) return;
  /* A thread lost in a foreign namespace would go on to act on the wrong interfaces: better no process at all. */
  if (setns(home, CLONE_NEWNET) < 0) abort();
  close(home);
}

int socket_in_namespace(napi_env env, const char *path, int domain, int type, int protocol) {
  int home = enter_namespace(env, path);
  if (home == -1) return -1;
  int fd = socket(domain, type | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);
  int error = errno;
  leave_namespace(home);
  if (fd < 0) throw_errno(env, error, "open socket in network namespace", path[0] ? path : "(own)");
  return fd;
}

static void set_number(napi_env env, napi_value object, const char *name, double number) {
  napi_value value;
  napi_create_double(env, number, &value);
  napi_set_named_property(env, object, name, value);
}

/* interfaceInfo(namespacePath, name) -> { index, mtu, flags, mac: Uint8Array(6) } */
static napi_value interface_info(napi_env env, napi_callback_info info) {
  size_t count = 2;
  napi_value arguments[2], result, buffer, mac;
  char path[4096], name[256];
  napi_get_cb_info(env, info, &count, arguments, NULL, NULL);
  if (!string_argument(env, arguments[0], path, sizeof path) || !string_argument(env, arguments[1], name, sizeof name))
    return NULL;
  int fd = socket_in_namespace(env, path, AF_INET, SOCK_DGRAM, 0);
  if (fd < 0) return NULL;
  struct ifreq request = {0};
  int index, mtu, flags, error = strlen(name) < IFNAMSIZ ? 0 : ENODEV;
  if (!error) memcpy(request.ifr_name, name, strlen(name) + 1);
  if (!error && ioctl(fd, SIOCGIFINDEX, &request) < 0) error = errno;
  index = request.ifr_ifindex;
  if (!error && ioctl(fd, SIOCGIFMTU, &request) < 0) error = errno;
  mtu = request.ifr_mtu;
  if (!error && ioctl(fd, SIOCGIFFLAGS, &request) < 0) error = errno;
  flags = (unsigned short)request.ifr_flags;
  if (!error && ioctl(fd, SIOCGIFHWADDR, &request) < 0) error = errno;
  close(fd);
  if (error) return throw_errno(env, error, "look up interface", name), NULL;
  void *bytes;
  napi_create_arraybuffer(env, 6, &bytes, &buffer);
  memcpy(bytes, request.ifr_hwaddr.sa_data, 6);
  napi_create_typedarray(env, napi_uint8_array, 6, buffer, 0, &mac);
  napi_create_object(env, &result);
  set_number(env, result, "index", index);
  set_number(env, result, "mtu", mtu);
  set_number(env, result, "flags", flags);
  napi_set_named_property(env, result, "mac", mac);
  return result;
}

static void report_link(watcher *self, const struct nlmsghdr *message) {
  const struct ifinfomsg *link = NLMSG_DATA(message);
  int left = (int)IFLA_PAYLOAD(message);
  const char *name = "";
  uint32_t mtu = 0;
  for (const struct rtattr *attribute = IFLA_RTA(link); RTA_OK(attribute, left); attribute = RTA_NEXT(attribute, left)) {
    if (attribute->rta_type == IFLA_IFNAME) name = RTA_DATA(attribute);
    if (attribute->rta_type == IFLA_MTU) memcpy(&mtu, RTA_DATA(attribute), sizeof mtu);
  }
  napi_value values[6];
  napi_create_int32(self->env, 0, &values[0]);
  napi_create_int32(self->env, link->ifi_index, &values[1]);
  napi_create_string_utf8(self->env, name, NAPI_AUTO_LENGTH, &values[2]);
  napi_create_uint32(self->env, link->ifi_flags, &values[3]);
  napi_create_uint32(self->env, mtu, &values[4]);
  napi_get_boolean(self->env, message->nlmsg_type == RTM_DELLINK, &values[5]);
  watcher_call(self, 6, values);
}

static void report_address(watcher *self, const struct nlmsghdr *message) {
  const struct ifaddrmsg *head = NLMSG_DATA(message);
  int left = (int)IFA_PAYLOAD(message);
  const struct rtattr *found = NULL;
  uint32_t flags = head->ifa_flags;
  for (const struct rtattr *attribute = IFA_RTA(head); RTA_OK(attribute, left); attribute = RTA_NEXT(attribute, left)) {
    /* IFA_LOCAL is the own address where the interface is point to point; IFA_ADDRESS is then the peer's. */
    if (attribute->rta_type == IFA_LOCAL || (attribute->rta_type == IFA_ADDRESS && !found)) found = attribute;
    if (attribute->rta_type == IFA_FLAGS) memcpy(&flags, RTA_DATA(attribute), sizeof flags);
  }
  if (!found || head->ifa_scope != RT_SCOPE_UNIVERSE) return;
  /* Nobody may use an address while it is looked for on the link, nor one that somebody else has (RFC 4862, 5.4). */
  if (message->nlmsg_type == RTM_NEWADDR && flags & (IFA_F_TENTATIVE | IFA_F_DADFAILED)) return;
  size_t size = RTA_PAYLOAD(found);
  void *bytes;
  napi_value values[5], buffer;
  napi_create_int32(self->env, 0, &values[0]);
  napi_create_int32(self->env, (int)head->ifa_index, &values[1]);
  napi_create_arraybuffer(self->env, size, &bytes, &buffer);
  memcpy(bytes, RTA_DATA(found), size);
  napi_create_typedarray(self->env, napi_uint8_array, size, buffer, 0, &values[2]);
  napi_create_uint32(self->env, head->ifa_prefixlen, &values[3]);
  napi_get_boolean(self->env, message->nlmsg_type == RTM_DELADDR, &values[4]);
  watcher_call(self, 5, values);
}

static void on_netlink(watcher *self, int status, int events) {
  static char buffer[65536] __attribute__((aligned(NLMSG_ALIGNTO)));
  (void)events;
  while (!self->closing) {
    ssize_t length = status < 0 ? -1 : recv(self->fd, buffer, sizeof buffer, MSG_DONTWAIT);
    if (length < 0) {
      int error = status < 0 ? -status : errno;
      status = 0;
      if (error == EAGAIN) return;
      /* ENOBUFS: events were lost; the listener has to look for itself. */
      napi_value value;
      napi_create_int32(self->env, error, &value);
      watcher_call(self, 1, &value);
      if (error != ENOBUFS) return;
      continue;
    }
    for (struct nlmsghdr *message = (struct nlmsghdr *)buffer; NLMSG_OK(message, length) && !self->closing;
         message = NLMSG_NEXT(message, length)) {
      int type = message->nlmsg_type;
      if (type == RTM_NEWLINK || type == RTM_DELLINK) report_link(self, message);
      if (type == RTM_NEWADDR || type == RTM_DELADDR) report_address(self, message);
    }
  }
}

static napi_value open_events(napi_env env, napi_callback_info info, uint32_t groups, const char *what) {
  size_t count = 2;
  napi_value arguments[2];
  char path[4096];
  napi_get_cb_info(env, info, &count, arguments, NULL, NULL);
  if (!string_argument(env, arguments[0], path, sizeof path)) return NULL;
  int fd = socket_in_namespace(env, path, AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
  if (fd < 0) return NULL;
  struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = groups};
  if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0) {
    int error = errno;
    close(fd);
    return throw_errno(env, error, what, path[0] ? path : "(own)"), NULL;
  }
  watcher *self = calloc(1, sizeof *self);
  self->ready = on_netlink;
  return watcher_open(env, self, fd, arguments[1]);
}

/* openLinkEvents(namespacePath, callback(errno, index, name, flags, mtu, deleted)) -> handle */
static napi_value open_link_events(napi_env env, napi_callback_info info) {
  return open_events(env, info, RTMGRP_LINK, "subscribe to link events in");
}

/* openAddressEvents(namespacePath, callback(errno, index, address: Uint8Array(4 | 16), prefixLength, deleted)) -> handle */
static napi_value open_address_events(napi_env env, napi_callback_info info) {
  return open_events(env, info, RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR, "subscribe to address events in");
}

void define_interface(napi_env env, napi_value exports) {
  define_function(env, exports, "interfaceInfo", interface_info);
  define_function(env, exports, "openLinkEvents", open_link_events);
  define_function(env, exports, "openAddressEvents", open_address_events);
}
