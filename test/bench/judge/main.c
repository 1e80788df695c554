#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "judge.h"

// Often enough for a change of a millisecond, seldom enough to leave the only processor to the proxy: what takes long is
// known to a fiftieth.
enum { LEAST_MICROSECONDS = 300, MOST_MICROSECONDS = 20000, PART = 50 };

int family;

uint32_t address_size(void) { return family == AF_INET6 ? sizeof(struct in6_addr) : sizeof(struct in_addr); }

void give_up(const char *what) {
  fprintf(stderr, "judge: %s: %s\n", what, strerror(errno));
  exit(1);
}

static int64_t now_nanoseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static void pause_microseconds(long microseconds) {
  struct timespec pause = {.tv_nsec = microseconds * 1000};
  nanosleep(&pause, NULL);
}

static long pace_microseconds(bool is_whole, int64_t waited_nanoseconds) {
  int64_t part = waited_nanoseconds / 1000 / PART;
  if (is_whole || part > MOST_MICROSECONDS) return MOST_MICROSECONDS;
  return part < LEAST_MICROSECONDS ? LEAST_MICROSECONDS : (long)part;
}

struct question {
  bool is_whole;
  struct whole whole;
  struct one one;
  long limit_milliseconds;
};

static const struct place *place;

static bool is_so(const struct question *question) {
  return question->is_whole ? place->has_whole(&question->whole) : place->has_one(&question->one);
}

// "whole SERVICES ENDPOINTS LEAVES LIMIT_MS" or "one ADDRESS PORT ENDPOINTS LIMIT_MS".
static bool parse(const char *line, struct question *question) {
  char address[INET6_ADDRSTRLEN + 1];
  unsigned int port;
  struct whole *whole = &question->whole;
  struct one *one = &question->one;
  question->is_whole = sscanf(line, "whole %u %u %u %ld", &whole->services, &whole->endpoints, &whole->leaves,
                              &question->limit_milliseconds) == 4;
  if (question->is_whole) return true;
  if (sscanf(line, "one %46s %u %u %ld", address, &port, &one->endpoints, &question->limit_milliseconds) != 4)
    return false;
  one->port = htons(port);
  return inet_pton(family, address, &one->vip) == 1;
}

// Answers "already" when there is nothing to wait for. Else "waiting", at which the asker acts, and then the
// CLOCK_MONOTONIC nanoseconds at which it was seen to be so, or "late". All of a cluster takes long to look at, half a
// second for ten thousand Services in IPv6: of that it is the time at which the look began.
static void answer(const struct question *question) {
  nftables_forget();
  if (is_so(question)) {
    printf("already\n");
    return;
  }
  printf("waiting\n");
  int64_t began = now_nanoseconds();
  int64_t waited = 0;
  while (waited < question->limit_milliseconds * INT64_C(1000000)) {
    pause_microseconds(pace_microseconds(question->is_whole, waited));
    int64_t looked = now_nanoseconds();
    if (is_so(question)) {
      printf("%lld\n", (long long)(question->is_whole ? looked : now_nanoseconds()));
      return;
    }
    waited = now_nanoseconds() - began;
  }
  printf("late\n");
}

static const struct place *find_place(const char *programs) {
  if (strcmp(programs, "nftables") == 0) return &nftables;
  if (strcmp(programs, "ipvs") != 0) return NULL;
  return family == AF_INET6 ? &ipvs_ipv6 : &ipvs_ipv4;
}

static int find_family(const char *name) {
  if (strcmp(name, "IPv6") == 0) return AF_INET6;
  return strcmp(name, "IPv4") == 0 ? AF_INET : AF_UNSPEC;
}

int main(int argc, char **argv) {
  family = argc == 3 ? find_family(argv[2]) : AF_UNSPEC;
  place = family == AF_UNSPEC ? NULL : find_place(argv[1]);
  if (place == NULL) {
    fprintf(stderr, "usage: judge ipvs|nftables IPv4|IPv6\n");
    return 2;
  }
  setvbuf(stdout, NULL, _IOLBF, 0);
  struct question question = {0};
  char line[256];
  while (fgets(line, sizeof line, stdin) != NULL) {
    if (strcmp(line, "leaves\n") == 0)
      printf("%u\n", routing_leaves());
    else if (parse(line, &question))
      answer(&question);
    else
      printf("what?\n");
  }
  return 0;
}
