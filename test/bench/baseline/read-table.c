/*
 * The floor of a restart: reads every IPv4 virtual server and its destinations with the calls that sluice makes, and
 * does nothing with them. Prints one JSON line: the milliseconds it took and what it counted.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/ip_vs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

static double milliseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1e3 + now.tv_nsec / 1e6;
}

static void *memory(size_t size) {
  void *made = calloc(1, size);
  if (made == NULL) {
    fprintf(stderr, "no memory for %zu bytes\n", size);
    exit(1);
  }
  return made;
}

static void get(int socket_fd, int option, void *buffer, socklen_t size) {
  if (getsockopt(socket_fd, IPPROTO_IP, option, buffer, &size) != 0) {
    fprintf(stderr, "getsockopt %d: %s\n", option, strerror(errno));
    exit(1);
  }
}

static size_t read_destinations(int socket_fd, const struct ip_vs_service_entry *service) {
  static struct ip_vs_get_dests *request;
  static size_t room;
  size_t size = sizeof *request + service->num_dests * sizeof(struct ip_vs_dest_entry);
  if (size > room) {
    free(request);
    request = memory(size * 2);
    room = size * 2;
  }
  memset(request, 0, sizeof *request);
  request->protocol = service->protocol;
  request->addr = service->addr;
  request->port = service->port;
  request->fwmark = service->fwmark;
  request->num_dests = service->num_dests;
  get(socket_fd, IP_VS_SO_GET_DESTS, request, size);
  return request->num_dests;
}

int main(void) {
  double began = milliseconds();
  int socket_fd = socket(AF_INET, SOCK_RAW, IPPROTO_RAW);
  if (socket_fd < 0) {
    perror("socket");
    return 1;
  }
  struct ip_vs_getinfo info;
  get(socket_fd, IP_VS_SO_GET_INFO, &info, sizeof info);
  size_t size = sizeof(struct ip_vs_get_services) + info.num_services * sizeof(struct ip_vs_service_entry);
  struct ip_vs_get_services *services = memory(size);
  services->num_services = info.num_services;
  get(socket_fd, IP_VS_SO_GET_SERVICES, services, size);
  size_t destinations = 0;
  for (unsigned int index = 0; index < info.num_services; index += 1)
    destinations += read_destinations(socket_fd, &services->entrytable[index]);
  printf("{\"ms\":%.3f,\"services\":%u,\"destinations\":%zu}\n", milliseconds() - began, info.num_services, destinations);
  return 0;
}
