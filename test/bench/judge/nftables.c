#include <arpa/inet.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <string.h>

#include "judge.h"

// Names of kube-proxy's own (pkg/proxy/nftables/proxier.go).
static const char table[] = "kube-proxy";
static const char service_map[] = "service-ips";

enum { ROOM = 512, NAME = 256 };

// The number of the last transaction that was looked at, so that an unchanged ruleset costs one question.
static uint32_t seen;

static struct request request_of(int type, uint16_t flags, const char *body, uint32_t length) {
  return (struct request){NETLINK_NETFILTER, NFNL_SUBSYS_NFTABLES << 8 | type, flags, body, length};
}

// The numbers of the families are those of nftables, too (NFPROTO_IPV4, NFPROTO_IPV6).
static uint32_t begin(char *body) {
  *(struct nfgenmsg *)body = (struct nfgenmsg){.nfgen_family = family, .version = NFNETLINK_V0};
  return sizeof(struct nfgenmsg);
}

static uint32_t append_text(char *body, uint32_t length, uint16_t type, const char *text) {
  return append(body, length, type, text, strlen(text) + 1);
}

static const void *find(const void *body, uint32_t length, uint16_t type, uint32_t *size) {
  const char *attributes = (const char *)body + sizeof(struct nfgenmsg);
  return length < sizeof(struct nfgenmsg)
             ? NULL
             : find_attribute(attributes, length - sizeof(struct nfgenmsg), type, size);
}

static void read_generation(const void *body, uint32_t length, void *context) {
  uint32_t size;
  const uint32_t *number = find(body, length, NFTA_GEN_ID, &size);
  if (number != NULL) *(uint32_t *)context = ntohl(*number);
}

static bool is_changed(void) {
  char body[ROOM];
  struct request request = request_of(NFT_MSG_GETGEN, 0, body, begin(body));
  uint32_t generation = 0;
  if (!ask(&request, read_generation, &generation)) give_up("NFT_MSG_GETGEN");
  bool changed = generation != seen;
  seen = generation;
  return changed;
}

void nftables_forget(void) { seen = 0; }

static void count_elements(const void *body, uint32_t length, void *context) {
  uint32_t size;
  const char *elements = find(body, length, NFTA_SET_ELEM_LIST_ELEMENTS, &size);
  while (elements != NULL && size >= NLA_HDRLEN) {
    const struct nlattr *element = (const struct nlattr *)elements;
    uint32_t step = NLA_ALIGN(element->nla_len);
    *(uint32_t *)context += 1;
    if (step < NLA_HDRLEN || step > size) return;
    elements += step;
    size -= step;
  }
}

// The chain of a Service picks one of its endpoints: `dnat ip to numgen random mod N map { ... }`, or a single one.
static uint32_t endpoints_of_rule(const char *expressions, uint32_t left) {
  uint32_t endpoints = 0;
  while (expressions != NULL && left >= NLA_HDRLEN) {
    const struct nlattr *expression = (const struct nlattr *)expressions;
    const char *inside = expressions + NLA_HDRLEN;
    uint32_t room = expression->nla_len - NLA_HDRLEN, size, inner;
    const char *name = find_attribute(inside, room, NFTA_EXPR_NAME, &size);
    const char *data = find_attribute(inside, room, NFTA_EXPR_DATA, &inner);
    if (name != NULL && data != NULL && strcmp(name, "numgen") == 0) {
      const uint32_t *modulus = find_attribute(data, inner, NFTA_NG_MODULUS, &size);
      if (modulus != NULL) endpoints = ntohl(*modulus);
    }
    if (name != NULL && strcmp(name, "nat") == 0 && endpoints == 0) endpoints = 1;
    uint32_t step = NLA_ALIGN(expression->nla_len);
    if (step < NLA_HDRLEN || step > left) break;
    expressions += step;
    left -= step;
  }
  return endpoints;
}

static void count_endpoints(const void *body, uint32_t length, void *context) {
  uint32_t size;
  const char *expressions = find(body, length, NFTA_RULE_EXPRESSIONS, &size);
  if (expressions != NULL) *(uint32_t *)context += endpoints_of_rule(expressions, size);
}

// Of one chain, or of the whole table.
static bool rules_lead_to(const char *chain, uint32_t *endpoints) {
  char body[ROOM];
  uint32_t length = append_text(body, begin(body), NFTA_RULE_TABLE, table);
  if (chain != NULL) length = append_text(body, length, NFTA_RULE_CHAIN, chain);
  struct request rules = request_of(NFT_MSG_GETRULE, NLM_F_DUMP, body, length);
  *endpoints = 0;
  return ask(&rules, count_endpoints, endpoints);
}

static bool has_whole(const struct whole *whole) {
  if (!is_changed()) return false;
  char body[ROOM];
  uint32_t length = append_text(body, begin(body), NFTA_SET_ELEM_LIST_TABLE, table);
  length = append_text(body, length, NFTA_SET_ELEM_LIST_SET, service_map);
  struct request services = request_of(NFT_MSG_GETSETELEM, NLM_F_DUMP, body, length);
  uint32_t found = 0;
  if (!ask(&services, count_elements, &found) || found < whole->services) return false;
  uint32_t endpoints;
  return rules_lead_to(NULL, &endpoints) && endpoints >= whole->endpoints;
}

// An element of the map of ClusterIPs leads to the chain of the Service.
static void read_chain(const void *body, uint32_t length, void *context) {
  uint32_t size;
  const void *at = find(body, length, NFTA_SET_ELEM_LIST_ELEMENTS, &size);
  const uint16_t path[] = {NFTA_LIST_ELEM, NFTA_SET_ELEM_DATA, NFTA_DATA_VERDICT, NFTA_VERDICT_CHAIN};
  for (size_t step = 0; at != NULL && step < sizeof path / sizeof *path; step += 1)
    at = find_attribute(at, size, path[step], &size);
  if (at != NULL && size <= NAME) memcpy(context, at, size);
}

// ipv4_addr or ipv6_addr, inet_proto, inet_service, each in registers of its own, of 4 bytes.
static uint32_t write_key(uint8_t *key, const struct one *one) {
  uint32_t length = address_size();
  memset(key, 0, length + 8);
  memcpy(key, one->vip.bytes, length);
  key[length] = IPPROTO_TCP;
  memcpy(key + length + 4, &one->port, sizeof one->port);
  return length + 8;
}

static bool find_chain(const struct one *one, char *chain) {
  uint8_t key[64];
  char value[64], data[64], element[64], list[64], body[ROOM];
  uint32_t value_length = append(value, 0, NFTA_DATA_VALUE, key, write_key(key, one));
  uint32_t data_length = append(data, 0, NFTA_SET_ELEM_KEY | NLA_F_NESTED, value, value_length);
  uint32_t element_length = append(element, 0, NFTA_LIST_ELEM | NLA_F_NESTED, data, data_length);
  uint32_t list_length = append(list, 0, NFTA_SET_ELEM_LIST_ELEMENTS | NLA_F_NESTED, element, element_length);
  uint32_t length = append_text(body, begin(body), NFTA_SET_ELEM_LIST_TABLE, table);
  length = append_text(body, length, NFTA_SET_ELEM_LIST_SET, service_map);
  memcpy(body + length, list, list_length);
  struct request request = request_of(NFT_MSG_GETSETELEM, 0, body, length + list_length);
  chain[0] = 0;
  return ask(&request, read_chain, chain) && chain[0] != 0;
}

static bool has_one(const struct one *one) {
  if (!is_changed()) return false;
  char chain[NAME];
  if (!find_chain(one, chain)) return one->endpoints == 0;
  uint32_t endpoints;
  return rules_lead_to(chain, &endpoints) && one->endpoints > 0 && endpoints == one->endpoints;
}

const struct place nftables = {has_whole, has_one};
