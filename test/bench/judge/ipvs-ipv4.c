// By getsockopt, which tells of IPv4 alone, and of all virtual servers at once.
#include <errno.h>
#include <linux/ip_vs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "judge.h"

static int ipvs_socket(void) {
  static int fd;
  if (fd == 0) {
    fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
    if (fd < 0) give_up("socket");
  }
  return fd;
}

static bool get(int option, void *buffer, socklen_t size) {
  return getsockopt(ipvs_socket(), IPPROTO_IP, option, buffer, &size) == 0;
}

static bool has_whole(const struct whole *whole) {
  struct ip_vs_getinfo info;
  if (!get(IP_VS_SO_GET_INFO, &info, sizeof info)) give_up("IP_VS_SO_GET_INFO");
  if (info.num_services < whole->services) return false;
  socklen_t size = sizeof(struct ip_vs_get_services) + info.num_services * sizeof(struct ip_vs_service_entry);
  struct ip_vs_get_services *services = calloc(1, size);
  if (services == NULL) give_up("memory");
  services->num_services = info.num_services;
  uint64_t endpoints = 0;
  // Refused when a virtual server came or went since its number was read.
  if (get(IP_VS_SO_GET_SERVICES, services, size)) {
    for (unsigned int index = 0; index < services->num_services; index += 1)
      endpoints += services->entrytable[index].num_dests;
  }
  free(services);
  return endpoints >= whole->endpoints && routing_leaves() >= whole->leaves;
}

static uint32_t ipv4(const struct address *address) {
  uint32_t number;
  memcpy(&number, address->bytes, sizeof number);
  return number;
}

// Destinations of weight 0 get no new connection.
static uint32_t used_destinations(const struct one *one, uint32_t count) {
  socklen_t size = sizeof(struct ip_vs_get_dests) + count * sizeof(struct ip_vs_dest_entry);
  struct ip_vs_get_dests *destinations = calloc(1, size);
  if (destinations == NULL) give_up("memory");
  destinations->protocol = IPPROTO_TCP;
  destinations->addr = ipv4(&one->vip);
  destinations->port = one->port;
  destinations->num_dests = count;
  uint32_t used = 0;
  if (get(IP_VS_SO_GET_DESTS, destinations, size)) {
    for (unsigned int index = 0; index < destinations->num_dests; index += 1)
      used += destinations->entrytable[index].weight > 0;
  }
  free(destinations);
  return used;
}

static bool has_one(const struct one *one) {
  struct ip_vs_service_entry service = {.protocol = IPPROTO_TCP, .addr = ipv4(&one->vip), .port = one->port};
  if (!get(IP_VS_SO_GET_SERVICE, &service, sizeof service)) {
    if (errno != ESRCH) give_up("IP_VS_SO_GET_SERVICE");
    return one->endpoints == 0 && !is_local(&one->vip);
  }
  return one->endpoints > 0 && used_destinations(one, service.num_dests) == one->endpoints && is_local(&one->vip);
}

const struct place ipvs_ipv4 = {has_whole, has_one};
