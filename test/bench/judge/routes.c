#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "judge.h"

// The most leaves of any table: without rules of one's own the tables main and local are one (fib_unmerge).
uint32_t routing_leaves(void) {
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

static void read_type(const void *body, uint32_t length, void *context) {
  if (length >= sizeof(struct rtmsg)) *(unsigned char *)context = ((const struct rtmsg *)body)->rtm_type;
}

bool is_local(struct in_addr address) {
  char body[64];
  *(struct rtmsg *)body = (struct rtmsg){.rtm_family = AF_INET, .rtm_dst_len = 32};
  uint32_t length = append(body, sizeof(struct rtmsg), RTA_DST, &address, sizeof address);
  struct request request = {.protocol = NETLINK_ROUTE, .type = RTM_GETROUTE, .body = body, .length = length};
  unsigned char type = RTN_UNSPEC;
  return ask(&request, read_type, &type) && type == RTN_LOCAL;
}
