#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "judge.h"

// The most leaves of any table: without rules of one's own the tables main and local are one (fib_unmerge).
static uint32_t ipv4_leaves(void) {
  FILE *file = fopen("/proc/net/fib_triestat", "re");
  if (file == NULL) give_up("/proc/net/fib_triestat");
  uint32_t most = 0;
  char line[256];
  while (fgets(line, sizeof line, file) != NULL) {
    unsigned int leaves;
    if (sscanf(line, " Leaves: %u", &leaves) == 1 && leaves > most) most = leaves;
  }
  fclose(file);
  return most;
}

struct leaves {
  uint32_t count;
  struct in6_addr last;
};

// VIPs and the node's own. Left out is what a device has without being asked: an address of its link, multicast, and,
// where packets are forwarded, anycast. Routes to the same destination come one after the other.
static void count_leaf(const void *body, uint32_t length, void *context) {
  struct leaves *leaves = context;
  const struct rtmsg *route = body;
  uint32_t size;
  const struct in6_addr *destination = find_attribute(route + 1, length - sizeof *route, RTA_DST, &size);
  if (route->rtm_table != RT_TABLE_LOCAL || route->rtm_type != RTN_LOCAL || destination == NULL) return;
  if (IN6_IS_ADDR_LINKLOCAL(destination) || IN6_ARE_ADDR_EQUAL(destination, &leaves->last)) return;
  leaves->last = *destination;
  leaves->count += 1;
}

// There is no number to read (fib_route_nodes of /proc/net/rt6_stats counts an address with a route to its prefix twice):
// ten thousand take 2 ms under user-mode Linux.
static uint32_t ipv6_leaves(void) {
  struct rtmsg body = {.rtm_family = AF_INET6};
  struct request request = {NETLINK_ROUTE, RTM_GETROUTE, NLM_F_DUMP, &body, sizeof body};
  struct leaves leaves = {0};
  if (!ask(&request, count_leaf, &leaves)) give_up("RTM_GETROUTE");
  return leaves.count;
}

uint32_t routing_leaves(void) { return family == AF_INET6 ? ipv6_leaves() : ipv4_leaves(); }

static void read_type(const void *body, uint32_t length, void *context) {
  if (length >= sizeof(struct rtmsg)) *(unsigned char *)context = ((const struct rtmsg *)body)->rtm_type;
}

bool is_local(const struct address *address) {
  char body[64];
  *(struct rtmsg *)body = (struct rtmsg){.rtm_family = family, .rtm_dst_len = address_size() * 8};
  uint32_t length = append(body, sizeof(struct rtmsg), RTA_DST, address->bytes, address_size());
  struct request request = {.protocol = NETLINK_ROUTE, .type = RTM_GETROUTE, .body = body, .length = length};
  unsigned char type = RTN_UNSPEC;
  return ask(&request, read_type, &type) && type == RTN_LOCAL;
}
