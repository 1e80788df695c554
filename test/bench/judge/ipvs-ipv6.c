// By generic netlink: virtual servers at once, and of each its destinations.
#include <errno.h>
#include <linux/genetlink.h>
#include <linux/ip_vs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "judge.h"

enum { ROOM = 128 };

// An attribute of a message, or NULL.
static const void *find(const void *body, uint32_t length, uint16_t type, uint32_t *size) {
  return find_attribute((const char *)body + GENL_HDRLEN, length - GENL_HDRLEN, type, size);
}

static void read_id(const void *body, uint32_t length, void *context) {
  uint32_t size;
  const uint16_t *id = find(body, length, CTRL_ATTR_FAMILY_ID, &size);
  if (id != NULL) *(uint16_t *)context = *id;
}

static uint16_t ipvs_id(void) {
  static uint16_t id;
  if (id == 0) {
    char body[ROOM] = {0};
    *(struct genlmsghdr *)body = (struct genlmsghdr){.cmd = CTRL_CMD_GETFAMILY, .version = 1};
    uint32_t length = append(body, GENL_HDRLEN, CTRL_ATTR_FAMILY_NAME, IPVS_GENL_NAME, sizeof IPVS_GENL_NAME);
    struct request request = {NETLINK_GENERIC, GENL_ID_CTRL, 0, body, length};
    if (!ask(&request, read_id, &id)) give_up("CTRL_CMD_GETFAMILY");
  }
  return id;
}

struct service {
  struct address vip;
  uint16_t protocol;
  in_port_t port;
};

// Lays out a command about a virtual server, or about all.
static uint32_t write_command(char *body, uint8_t command, const struct service *service) {
  char inside[ROOM];
  uint16_t ipv6 = AF_INET6;
  *(struct genlmsghdr *)body = (struct genlmsghdr){.cmd = command, .version = IPVS_GENL_VERSION};
  if (service == NULL) return GENL_HDRLEN;
  uint32_t length = append(inside, 0, IPVS_SVC_ATTR_AF, &ipv6, sizeof ipv6);
  length = append(inside, length, IPVS_SVC_ATTR_PROTOCOL, &service->protocol, sizeof service->protocol);
  length = append(inside, length, IPVS_SVC_ATTR_ADDR, service->vip.bytes, sizeof service->vip.bytes);
  length = append(inside, length, IPVS_SVC_ATTR_PORT, &service->port, sizeof service->port);
  return append(body, GENL_HDRLEN, IPVS_CMD_ATTR_SERVICE | NLA_F_NESTED, inside, length);
}

struct services {
  uint32_t count, room;
  struct service *all;
};

static struct service *add_service(struct services *services) {
  if (services->count == services->room) {
    services->room = services->room * 2 + 1024;
    services->all = realloc(services->all, services->room * sizeof *services->all);
    if (services->all == NULL) give_up("memory");
  }
  services->count += 1;
  return &services->all[services->count - 1];
}

static void keep_service(const void *body, uint32_t length, void *context) {
  uint32_t size = 0, inner;
  const void *nest = find(body, length, IPVS_CMD_ATTR_SERVICE, &size);
  const uint16_t *af = find_attribute(nest, size, IPVS_SVC_ATTR_AF, &inner);
  const struct address *vip = find_attribute(nest, size, IPVS_SVC_ATTR_ADDR, &inner);
  const uint16_t *protocol = find_attribute(nest, size, IPVS_SVC_ATTR_PROTOCOL, &inner);
  const in_port_t *port = find_attribute(nest, size, IPVS_SVC_ATTR_PORT, &inner);
  // One by firewall mark has no address.
  if (af == NULL || *af != AF_INET6 || vip == NULL || protocol == NULL || port == NULL) return;
  *add_service(context) = (struct service){*vip, *protocol, *port};
}

struct destinations {
  uint32_t all, used;
};

static void count_destination(const void *body, uint32_t length, void *context) {
  struct destinations *destinations = context;
  uint32_t size = 0, inner;
  const void *nest = find(body, length, IPVS_CMD_ATTR_DEST, &size);
  const uint32_t *weight = find_attribute(nest, size, IPVS_DEST_ATTR_WEIGHT, &inner);
  destinations->all += 1;
  destinations->used += weight != NULL && *weight > 0;
}

// Of an unknown virtual server none.
static struct destinations destinations_of(const struct service *service) {
  char body[ROOM];
  uint32_t length = write_command(body, IPVS_CMD_GET_DEST, service);
  struct request request = {NETLINK_GENERIC, ipvs_id(), NLM_F_DUMP, body, length};
  struct destinations destinations = {0};
  if (!ask(&request, count_destination, &destinations)) give_up("IPVS_CMD_GET_DEST");
  return destinations;
}

static void read_services(struct services *services) {
  char body[ROOM];
  uint32_t length = write_command(body, IPVS_CMD_GET_SERVICE, NULL);
  struct request request = {NETLINK_GENERIC, ipvs_id(), NLM_F_DUMP, body, length};
  services->count = 0;
  if (!ask(&request, keep_service, services)) give_up("IPVS_CMD_GET_SERVICE");
}

// What takes longest comes last: ten thousand virtual servers with ten destinations each take half a second under
// user-mode Linux.
static bool has_whole(const struct whole *whole) {
  static struct services services;
  if (routing_leaves() < whole->leaves) return false;
  read_services(&services);
  if (services.count < whole->services) return false;
  uint64_t endpoints = 0;
  for (uint32_t index = 0; index < services.count; index += 1) {
    uint32_t count = destinations_of(&services.all[index]).all;
    // Every Service has an endpoint: one that has none yet is not the only one, most likely.
    if (count == 0) return false;
    endpoints += count;
  }
  return endpoints >= whole->endpoints;
}

static void ignore(const void *body, uint32_t length, void *context) { (void)body, (void)length, (void)context; }

static bool has_service(const struct service *service) {
  char body[ROOM];
  uint32_t length = write_command(body, IPVS_CMD_GET_SERVICE, service);
  struct request request = {NETLINK_GENERIC, ipvs_id(), 0, body, length};
  if (ask(&request, ignore, NULL)) return true;
  if (errno != ESRCH) give_up("IPVS_CMD_GET_SERVICE");
  return false;
}

static bool has_one(const struct one *one) {
  struct service service = {.vip = one->vip, .protocol = IPPROTO_TCP, .port = one->port};
  if (one->endpoints == 0) return !has_service(&service) && !is_local(&one->vip);
  return destinations_of(&service).used == one->endpoints && is_local(&one->vip);
}

const struct place ipvs_ipv6 = {has_whole, has_one};
