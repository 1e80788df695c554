/*
 * The floor of a cold start: programs a table that `ipvsadm -Sn` printed (standard input) over netlink as fast as the
 * kernel takes it. All messages are made before the clock starts; they go in sends of 64 KiB, and only the last message
 * of each asks for an acknowledgement. Prints one JSON line: the milliseconds that the sends took and what was sent.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/genetlink.h>
#include <linux/ip_vs.h>
#include <linux/netlink.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

enum { send_bytes = 65536, longest_message = 512, receive_bytes = 65536 };

/* Messages one after another; a message never grows beyond its room. */
struct batch {
  char *bytes;
  size_t length;
  size_t room;
};

struct endpoint {
  uint16_t family;
  uint16_t port;
  unsigned char address[16];
};

static double milliseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1e3 + now.tv_nsec / 1e6;
}

static void fail(const char *what, const char *found) {
  fprintf(stderr, "%s: %s\n", what, found);
  exit(1);
}

static void make_room(struct batch *batch) {
  if (batch->length + longest_message <= batch->room) return;
  batch->room = batch->room * 2 + send_bytes;
  batch->bytes = realloc(batch->bytes, batch->room);
  if (batch->bytes == NULL) fail("expected memory", "none");
}

static struct nlmsghdr *begin_message(struct batch *batch, uint16_t type, uint8_t command, uint16_t flags) {
  make_room(batch);
  struct nlmsghdr *header = (struct nlmsghdr *)(batch->bytes + batch->length);
  struct genlmsghdr generic = {.cmd = command, .version = 1};
  *header = (struct nlmsghdr){.nlmsg_type = type, .nlmsg_flags = NLM_F_REQUEST | flags};
  memcpy(NLMSG_DATA(header), &generic, sizeof generic);
  header->nlmsg_len = NLMSG_LENGTH(sizeof generic);
  return header;
}

static void end_message(struct batch *batch, const struct nlmsghdr *header) {
  batch->length += NLMSG_ALIGN(header->nlmsg_len);
}

static void put(struct nlmsghdr *header, uint16_t type, const void *value, size_t length) {
  struct nlattr attribute = {.nla_len = NLA_HDRLEN + length, .nla_type = type};
  char *at = (char *)header + header->nlmsg_len;
  memset(at, 0, NLA_HDRLEN + NLA_ALIGN(length));
  memcpy(at, &attribute, sizeof attribute);
  memcpy(at + NLA_HDRLEN, value, length);
  header->nlmsg_len += NLA_HDRLEN + NLA_ALIGN(length);
}

static void put_u16(struct nlmsghdr *header, uint16_t type, uint16_t value) { put(header, type, &value, sizeof value); }

static void put_u32(struct nlmsghdr *header, uint16_t type, uint32_t value) { put(header, type, &value, sizeof value); }

static struct nlattr *begin_nest(struct nlmsghdr *header, uint16_t type) {
  struct nlattr *nest = (struct nlattr *)((char *)header + header->nlmsg_len);
  put(header, type | NLA_F_NESTED, NULL, 0);
  return nest;
}

static void end_nest(const struct nlmsghdr *header, struct nlattr *nest) {
  nest->nla_len = (char *)header + header->nlmsg_len - (char *)nest;
}

/* 10.96.0.1:80 or [fd00::1]:80 */
static struct endpoint read_endpoint(char *text) {
  struct endpoint read = {0};
  char *colon = strrchr(text, ':');
  if (colon == NULL) fail("expected an address and a port", text);
  read.port = htons((uint16_t)atoi(colon + 1));
  *colon = '\0';
  read.family = text[0] == '[' ? AF_INET6 : AF_INET;
  if (read.family == AF_INET6) {
    text += 1;
    text[strcspn(text, "]")] = '\0';
  }
  if (inet_pton(read.family, text, read.address) != 1) fail("expected an address", text);
  return read;
}

static uint16_t read_protocol(const char *option) {
  if (strcmp(option, "-t") == 0) return IPPROTO_TCP;
  if (strcmp(option, "-u") == 0) return IPPROTO_UDP;
  fail("expected -t or -u", option);
  return 0;
}

static struct nlattr *put_identity(struct nlmsghdr *header, uint16_t protocol, const struct endpoint *service) {
  struct nlattr *nest = begin_nest(header, IPVS_CMD_ATTR_SERVICE);
  put_u16(header, IPVS_SVC_ATTR_AF, service->family);
  put_u16(header, IPVS_SVC_ATTR_PROTOCOL, protocol);
  put(header, IPVS_SVC_ATTR_ADDR, service->address, sizeof service->address);
  put_u16(header, IPVS_SVC_ATTR_PORT, service->port);
  return nest;
}

static void put_service(struct nlmsghdr *header, char **words) {
  struct endpoint service = read_endpoint(words[2]);
  struct ip_vs_flags flags = {.flags = 0, .mask = ~0u};
  if (strcmp(words[3], "-s") != 0) fail("expected -s", words[3]);
  struct nlattr *nest = put_identity(header, read_protocol(words[1]), &service);
  put(header, IPVS_SVC_ATTR_SCHED_NAME, words[4], strlen(words[4]) + 1);
  put(header, IPVS_SVC_ATTR_FLAGS, &flags, sizeof flags);
  put_u32(header, IPVS_SVC_ATTR_TIMEOUT, 0);
  put_u32(header, IPVS_SVC_ATTR_NETMASK, service.family == AF_INET ? ~0u : 128);
  end_nest(header, nest);
}

static void put_destination(struct nlmsghdr *header, char **words) {
  struct endpoint service = read_endpoint(words[2]);
  struct endpoint destination = read_endpoint(words[4]);
  if (strcmp(words[5], "-m") != 0 || strcmp(words[6], "-w") != 0) fail("expected -m -w", words[5]);
  end_nest(header, put_identity(header, read_protocol(words[1]), &service));
  struct nlattr *nest = begin_nest(header, IPVS_CMD_ATTR_DEST);
  put(header, IPVS_DEST_ATTR_ADDR, destination.address, sizeof destination.address);
  put_u16(header, IPVS_DEST_ATTR_PORT, destination.port);
  put_u32(header, IPVS_DEST_ATTR_FWD_METHOD, IP_VS_CONN_F_MASQ);
  put_u32(header, IPVS_DEST_ATTR_WEIGHT, (uint32_t)atoi(words[7]));
  put_u32(header, IPVS_DEST_ATTR_U_THRESH, 0);
  put_u32(header, IPVS_DEST_ATTR_L_THRESH, 0);
  put_u16(header, IPVS_DEST_ATTR_ADDR_FAMILY, destination.family);
  end_nest(header, nest);
}

static int split(char *line, char **words, int most) {
  int count = 0;
  for (char *word = strtok(line, " \n"); word != NULL && count < most; word = strtok(NULL, " \n")) words[count++] = word;
  return count;
}

static int open_netlink(void) {
  int descriptor = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);
  int on = 1;
  if (descriptor < 0 || setsockopt(descriptor, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof on) != 0)
    fail("netlink", strerror(errno));
  return descriptor;
}

static struct nlmsghdr *receive(int descriptor) {
  static char received[receive_bytes];
  ssize_t length = recv(descriptor, received, sizeof received, 0);
  struct nlmsghdr *header = (struct nlmsghdr *)received;
  if (length < 0 || !NLMSG_OK(header, (size_t)length)) fail("recv", strerror(errno));
  return header;
}

static uint16_t resolve_family(int descriptor) {
  struct batch batch = {0};
  struct nlmsghdr *request = begin_message(&batch, GENL_ID_CTRL, CTRL_CMD_GETFAMILY, 0);
  put(request, CTRL_ATTR_FAMILY_NAME, IPVS_GENL_NAME, sizeof IPVS_GENL_NAME);
  if (send(descriptor, request, request->nlmsg_len, 0) < 0) fail("send", strerror(errno));
  struct nlmsghdr *answer = receive(descriptor);
  if (answer->nlmsg_type == NLMSG_ERROR) fail("expected IPVS in the kernel", "none");
  for (char *at = (char *)answer + NLMSG_LENGTH(GENL_HDRLEN); at < (char *)answer + answer->nlmsg_len;) {
    struct nlattr *attribute = (struct nlattr *)at;
    if (attribute->nla_type == CTRL_ATTR_FAMILY_ID) return *(uint16_t *)(at + NLA_HDRLEN);
    at += NLA_ALIGN(attribute->nla_len);
  }
  fail("expected the number of the family", "none");
  return 0;
}

/* Whole messages of at most one send. */
static size_t take_send(char *from, const char *end, uint32_t sequence) {
  struct nlmsghdr *last = NULL;
  char *at = from;
  while (at < end) {
    struct nlmsghdr *header = (struct nlmsghdr *)at;
    if (last != NULL && at + NLMSG_ALIGN(header->nlmsg_len) > from + send_bytes) break;
    header->nlmsg_seq = sequence;
    last = header;
    at += NLMSG_ALIGN(header->nlmsg_len);
  }
  last->nlmsg_flags |= NLM_F_ACK;
  return (size_t)(at - from);
}

/* Every answer but the acknowledgement of the last message is a refusal, and so is that one with an error in it. */
static void await_acknowledgement(int descriptor) {
  struct nlmsghdr *answer = receive(descriptor);
  int error = answer->nlmsg_type == NLMSG_ERROR ? ((struct nlmsgerr *)NLMSG_DATA(answer))->error : -EPROTO;
  if (error != 0) fail("expected the kernel to take every message", strerror(-error));
}

int main(void) {
  int descriptor = open_netlink();
  uint16_t family = resolve_family(descriptor);
  struct batch batch = {0};
  unsigned int services = 0, destinations = 0;
  char line[512];
  char *words[16];
  while (fgets(line, sizeof line, stdin) != NULL) {
    int count = split(line, words, 16);
    int is_service = count == 5 && strcmp(words[0], "-A") == 0;
    if (!is_service && !(count == 8 && strcmp(words[0], "-a") == 0)) fail("expected -A or -a", line);
    uint8_t command = is_service ? IPVS_CMD_NEW_SERVICE : IPVS_CMD_NEW_DEST;
    struct nlmsghdr *header = begin_message(&batch, family, command, 0);
    (is_service ? put_service : put_destination)(header, words);
    end_message(&batch, header);
    *(is_service ? &services : &destinations) += 1;
  }
  double began = milliseconds();
  uint32_t sequence = 1;
  for (size_t at = 0; at < batch.length; sequence += 1) {
    size_t length = take_send(batch.bytes + at, batch.bytes + batch.length, sequence);
    if (send(descriptor, batch.bytes + at, length, 0) < 0) fail("send", strerror(errno));
    await_acknowledgement(descriptor);
    at += length;
  }
  printf("{\"ms\":%.3f,\"services\":%u,\"destinations\":%u}\n", milliseconds() - began, services, destinations);
  return 0;
}
