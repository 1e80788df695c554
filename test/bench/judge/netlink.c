#include <errno.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "judge.h"

enum { PROTOCOLS = 32, ROOM = 1 << 16 };

static int open_once(int protocol) {
  static int sockets[PROTOCOLS];
  if (sockets[protocol] == 0) {
    sockets[protocol] = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
    if (sockets[protocol] < 0) give_up("socket");
  }
  return sockets[protocol];
}

static void send_request(int fd, const struct request *request) {
  static char message[ROOM];
  struct nlmsghdr *header = (struct nlmsghdr *)message;
  *header = (struct nlmsghdr){
      .nlmsg_len = NLMSG_LENGTH(request->length),
      .nlmsg_type = request->type,
      .nlmsg_flags = NLM_F_REQUEST | request->flags,
  };
  memcpy(NLMSG_DATA(header), request->body, request->length);
  if (send(fd, message, header->nlmsg_len, 0) < 0) give_up("send");
}

bool ask(const struct request *request, void (*each)(const void *, uint32_t, void *), void *context) {
  static char buffer[ROOM];
  int fd = open_once(request->protocol);
  send_request(fd, request);
  bool is_dump = (request->flags & NLM_F_DUMP) == NLM_F_DUMP;
  for (;;) {
    ssize_t received = recv(fd, buffer, sizeof buffer, 0);
    if (received < 0) give_up("recv");
    size_t left = (size_t)received;
    for (struct nlmsghdr *header = (struct nlmsghdr *)buffer; NLMSG_OK(header, left); header = NLMSG_NEXT(header, left)) {
      if (header->nlmsg_type == NLMSG_DONE) return true;
      if (header->nlmsg_type == NLMSG_ERROR) {
        errno = -((struct nlmsgerr *)NLMSG_DATA(header))->error;
        return errno == 0;
      }
      each(NLMSG_DATA(header), header->nlmsg_len - NLMSG_HDRLEN, context);
      if (!is_dump) return true;
    }
  }
}

const void *find_attribute(const void *attributes, uint32_t size, uint16_t type, uint32_t *length) {
  const char *at = attributes;
  while (size >= NLA_HDRLEN) {
    const struct nlattr *attribute = (const struct nlattr *)at;
    if (attribute->nla_len < NLA_HDRLEN || attribute->nla_len > size) return NULL;
    if ((attribute->nla_type & NLA_TYPE_MASK) == type) {
      *length = attribute->nla_len - NLA_HDRLEN;
      return at + NLA_HDRLEN;
    }
    uint32_t step = NLA_ALIGN(attribute->nla_len);
    if (step > size) return NULL;
    at += step;
    size -= step;
  }
  return NULL;
}

uint32_t append(void *message, uint32_t length, uint16_t type, const void *payload, uint32_t size) {
  struct nlattr *attribute = (struct nlattr *)((char *)message + length);
  *attribute = (struct nlattr){.nla_len = NLA_HDRLEN + size, .nla_type = type};
  memcpy((char *)attribute + NLA_HDRLEN, payload, size);
  memset((char *)attribute + NLA_HDRLEN + size, 0, NLA_ALIGN(size) - size);
  return length + NLA_HDRLEN + NLA_ALIGN(size);
}
