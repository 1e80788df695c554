// The traffic program: one process that answers and sends requests in every network namespace of a world. Commands come
// as lines on standard input, results go as lines to standard output; traffic.ts has the other side.
#pragma once
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

// What epoll watches. Embedded as the first member of what it belongs to.
struct watched {
  int fd;
  void (*on_event)(struct watched *, uint32_t events);
};

struct target {
  int protocol;  // IPPROTO_TCP, IPPROTO_UDP or IPPROTO_SCTP
  struct sockaddr_storage address;
  socklen_t address_length;
};

// network.c: sockets in network namespaces.

// Runs in the named network namespace ("-" is the one this process was started in) until leave_namespace. False with
// errno when there is none.
bool enter_namespace(const char *name);
void leave_namespace(void);
// Reads "TCP 10.0.0.1 80". False when it is none.
bool parse_target(const char *protocol, const char *address, const char *port, struct target *target);
// A non-blocking socket of the target's family and protocol, or -1.
int open_socket(const struct target *target);
// Writes "ADDRESS PORT", for an IPv4-mapped address the IPv4 one.
void format_address(const struct sockaddr_storage *address, char *text, size_t size);

// responder.c: "ID listen NAMESPACE PROTOCOL ADDRESS PORT NAME", "ID close HANDLE", "ID drop HANDLE".
void listen_command(const char *id, char **words, int count);
void close_command(const char *id, char **words, int count, bool with_connections);

// requester.c: "ID request|stream|connect NAMESPACE PROTOCOL ADDRESS PORT DEADLINE_MS SOURCE SOURCE_PORT INTERVAL_MS",
// "ID exchange SESSION", "ID stop SESSION".
void session_command(const char *id, const char *mode, char **words, int count);
void exchange_command(const char *id, char **words, int count);
void stop_command(const char *id, char **words, int count);
// Ends what is overdue, starts what is due; returns the milliseconds until the next is, or -1.
int run_timers(void);

// main.c
void watch(struct watched *watched, uint32_t events);
void watch_again(struct watched *watched, uint32_t events);
// Closes the socket and frees what `watched` begins once the events at hand are done with.
void forget(struct watched *watched);
void reply(const char *id, const char *format, ...) __attribute__((format(printf, 2, 3)));
int64_t now_microseconds(void);
