#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/in6.h>
#include <linux/sctp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "traffic.h"

static int own_namespace = -1;
static bool is_elsewhere;

bool enter_namespace(const char *name) {
  if (own_namespace < 0) own_namespace = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
  if (strcmp(name, "-") == 0) return true;
  char path[256];
  snprintf(path, sizeof path, "/run/netns/%s", name);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  is_elsewhere = setns(fd, CLONE_NEWNET) == 0;
  close(fd);
  return is_elsewhere;
}

void leave_namespace(void) {
  // A responder in a container was in no other, and may not enter its own.
  if (!is_elsewhere) return;
  int error = errno;
  if (setns(own_namespace, CLONE_NEWNET) != 0) abort();
  is_elsewhere = false;
  errno = error;
}

bool parse_target(const char *protocol, const char *address, const char *port, struct target *target) {
  memset(target, 0, sizeof *target);
  if (strcmp(protocol, "TCP") == 0) target->protocol = IPPROTO_TCP;
  else if (strcmp(protocol, "UDP") == 0) target->protocol = IPPROTO_UDP;
  else if (strcmp(protocol, "SCTP") == 0) target->protocol = IPPROTO_SCTP;
  else return false;
  struct sockaddr_in *v4 = (struct sockaddr_in *)&target->address;
  struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&target->address;
  if (inet_pton(AF_INET, address, &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons((uint16_t)atoi(port));
    target->address_length = sizeof *v4;
    return true;
  }
  v6->sin6_family = AF_INET6;
  v6->sin6_port = htons((uint16_t)atoi(port));
  target->address_length = sizeof *v6;
  return inet_pton(AF_INET6, address, &v6->sin6_addr) == 1;
}

// What comes back while connect() still runs is not taken for an answer (sctp_v4_err in net/sctp/protocol.c), only what
// the second packet brings: that one is sent after 50 ms, not 3 s.
static void hurry(int fd) {
  struct sctp_rtoinfo times = {.srto_initial = 50, .srto_max = 60, .srto_min = 50};
  setsockopt(fd, IPPROTO_SCTP, SCTP_RTOINFO, &times, sizeof times);
}

int open_socket(const struct target *target) {
  int type = target->protocol == IPPROTO_UDP ? SOCK_DGRAM : SOCK_STREAM;
  int family = target->address.ss_family;
  int fd = socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, target->protocol);
  if (fd < 0) return -1;
  int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (target->protocol == IPPROTO_SCTP) hurry(fd);
  if (family == AF_INET6) setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
  // An address of a tunnel or dummy device may come later.
  setsockopt(fd, IPPROTO_IP, IP_FREEBIND, &on, sizeof on);
  return fd;
}

void format_address(const struct sockaddr_storage *address, char *text, size_t size) {
  char host[INET6_ADDRSTRLEN] = "?";
  const struct sockaddr_in *v4 = (const struct sockaddr_in *)address;
  const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)address;
  bool is_v4 = address->ss_family == AF_INET;
  inet_ntop(address->ss_family, is_v4 ? (const void *)&v4->sin_addr : (const void *)&v6->sin6_addr, host, sizeof host);
  snprintf(text, size, "%s %d", host, ntohs(is_v4 ? v4->sin_port : v6->sin6_port));
}
