// The judge: says from outside, by reading the kernel alone, when a node is programmed. It runs in the network namespace
// of the node and is the same program for every proxy; it looks where that kind of proxy writes.
#pragma once
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

// Every Service of the cluster with all its endpoints.
struct whole {
  uint32_t services;
  uint32_t endpoints;
  // Leaves of the routing tables: one for each address of the node, VIPs included.
  uint32_t leaves;
};

// Of the family that is asked about; IPv4 takes the first four bytes.
struct address {
  uint8_t bytes[sizeof(struct in6_addr)];
};

// One Service. Without endpoints wanted: nothing of it is left.
struct one {
  struct address vip;
  in_port_t port;  // network order, TCP
  uint32_t endpoints;
};

// Where a kind of proxy writes.
struct place {
  bool (*has_whole)(const struct whole *whole);
  bool (*has_one)(const struct one *one);
};

// ipvs-ipv4.c, ipvs-ipv6.c: virtual servers, destinations that get connections, and VIPs.
extern const struct place ipvs_ipv4, ipvs_ipv6;

// nftables.c: kube-proxy's table `ip kube-proxy` or `ip6 kube-proxy`. What did not change since the last question is not
// read again.
extern const struct place nftables;
void nftables_forget(void);

// routes.c
uint32_t routing_leaves(void);
bool is_local(const struct address *address);

// netlink.c: requests of one message. `attributes` are laid out by the caller.
struct request {
  int protocol;  // NETLINK_ROUTE, NETLINK_NETFILTER, NETLINK_GENERIC
  uint16_t type;
  uint16_t flags;
  const void *body;
  uint32_t length;
};

// Calls `each` for every message that answers. False when the kernel answered with an error, which errno then holds.
bool ask(const struct request *request, void (*each)(const void *body, uint32_t length, void *context), void *context);
// The payload of an attribute, also inside a nest, or NULL. `length` becomes that of the payload.
const void *find_attribute(const void *attributes, uint32_t size, uint16_t type, uint32_t *length);
// Appends an attribute to what is laid out at `message` and returns the new length.
uint32_t append(void *message, uint32_t length, uint16_t type, const void *payload, uint32_t size);

// main.c: AF_INET or AF_INET6, and how long its addresses are.
extern int family;
uint32_t address_size(void);
void give_up(const char *what) __attribute__((noreturn));
