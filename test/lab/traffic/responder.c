#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "traffic.h"

struct connection {
  struct watched watched;
  struct connection *next;
  int handle;
  char answer[256];
};

struct listener {
  struct watched watched;
  struct listener *next;
  int handle;
  char name[64];
};

static struct listener *listeners;
static struct connection *connections;
static int last_handle;

// "NAME SOURCE SOURCE_PORT LOCAL LOCAL_PORT\n"
static void format_answer(const char *name, const struct sockaddr_storage *source, int fd, char *text, size_t size) {
  struct sockaddr_storage local;
  socklen_t length = sizeof local;
  getsockname(fd, (struct sockaddr *)&local, &length);
  char seen[64], own[64];
  format_address(source, seen, sizeof seen);
  format_address(&local, own, sizeof own);
  snprintf(text, size, "%s %s %s\n", name, seen, own);
}

static void end_connection(struct connection *connection) {
  for (struct connection **each = &connections; *each != NULL; each = &(*each)->next) {
    if (*each != connection) continue;
    *each = connection->next;
    break;
  }
  forget(&connection->watched);
}

static void on_connection(struct watched *watched, uint32_t events) {
  (void)events;
  struct connection *connection = (struct connection *)watched;
  char bytes[1024];
  ssize_t count = recv(watched->fd, bytes, sizeof bytes, 0);
  if (count < 0 && errno == EAGAIN) return;
  if (count <= 0) {
    end_connection(connection);
    return;
  }
  for (ssize_t i = 0; i < count; i++) {
    if (bytes[i] == '\n') send(watched->fd, connection->answer, strlen(connection->answer), MSG_NOSIGNAL);
  }
}

static void on_listener(struct watched *watched, uint32_t events) {
  (void)events;
  struct listener *listener = (struct listener *)watched;
  struct sockaddr_storage source;
  socklen_t length = sizeof source;
  int fd = accept4(watched->fd, (struct sockaddr *)&source, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd < 0) return;
  struct connection *connection = calloc(1, sizeof *connection);
  connection->watched = (struct watched){.fd = fd, .on_event = on_connection};
  connection->handle = listener->handle;
  connection->next = connections;
  connections = connection;
  format_answer(listener->name, &source, fd, connection->answer, sizeof connection->answer);
  watch(&connection->watched, EPOLLIN);
}

static void on_datagram(struct watched *watched, uint32_t events) {
  (void)events;
  struct listener *listener = (struct listener *)watched;
  struct sockaddr_storage source;
  socklen_t length = sizeof source;
  char bytes[2048];
  if (recvfrom(watched->fd, bytes, sizeof bytes, 0, (struct sockaddr *)&source, &length) < 0) return;
  char answer[256];
  format_answer(listener->name, &source, watched->fd, answer, sizeof answer);
  sendto(watched->fd, answer, strlen(answer), 0, (struct sockaddr *)&source, length);
}

static int open_listener(const char *namespace, const struct target *target) {
  if (!enter_namespace(namespace)) return -1;
  int fd = open_socket(target);
  leave_namespace();
  if (fd < 0) return -1;
  bool listens = bind(fd, (const struct sockaddr *)&target->address, target->address_length) == 0 &&
                 (target->protocol == IPPROTO_UDP || listen(fd, 1024) == 0);
  if (listens) return fd;
  int error = errno;
  close(fd);
  errno = error;
  return -1;
}

void listen_command(const char *id, char **words, int count) {
  struct target target;
  if (count != 5 || !parse_target(words[1], words[2], words[3], &target)) {
    reply(id, "error bad-command");
    return;
  }
  int fd = open_listener(words[0], &target);
  if (fd < 0) {
    reply(id, "error %s", strerrorname_np(errno));
    return;
  }
  struct listener *listener = calloc(1, sizeof *listener);
  listener->watched = (struct watched){.fd = fd, .on_event = on_listener};
  if (target.protocol == IPPROTO_UDP) listener->watched.on_event = on_datagram;
  listener->handle = ++last_handle;
  listener->next = listeners;
  listeners = listener;
  snprintf(listener->name, sizeof listener->name, "%s", words[4]);
  watch(&listener->watched, EPOLLIN);
  reply(id, "ok %d", listener->handle);
}

static bool end_listener(int handle) {
  for (struct listener **each = &listeners; *each != NULL; each = &(*each)->next) {
    if ((*each)->handle != handle) continue;
    struct listener *listener = *each;
    *each = listener->next;
    forget(&listener->watched);
    return true;
  }
  return false;
}

void close_command(const char *id, char **words, int count, bool with_connections) {
  int handle = count == 1 ? atoi(words[0]) : 0;
  bool found = end_listener(handle);
  for (struct connection *each = connections, *next; with_connections && each != NULL; each = next) {
    next = each->next;
    if (each->handle != handle) continue;
    found = true;
    end_connection(each);
  }
  reply(id, found ? "ok" : "error no-such-responder");
}
