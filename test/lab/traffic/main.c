#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "traffic.h"

enum { MAX_WORDS = 16, MAX_EVENTS = 64 };

static int epoll;

// Freed after the events at hand: one of them may still point here.
struct dead {
  struct dead *next;
  struct watched *watched;
};
static struct dead *dead;

void watch(struct watched *watched, uint32_t events) {
  struct epoll_event event = {.events = events, .data.ptr = watched};
  if (epoll_ctl(epoll, EPOLL_CTL_ADD, watched->fd, &event) != 0) abort();
}

void watch_again(struct watched *watched, uint32_t events) {
  struct epoll_event event = {.events = events, .data.ptr = watched};
  if (epoll_ctl(epoll, EPOLL_CTL_MOD, watched->fd, &event) != 0) abort();
}

void forget(struct watched *watched) {
  if (watched->fd >= 0) close(watched->fd);
  watched->fd = -1;
  struct dead *each = malloc(sizeof *each);
  *each = (struct dead){.next = dead, .watched = watched};
  dead = each;
}

static void bury(void) {
  while (dead != NULL) {
    struct dead *each = dead;
    dead = each->next;
    free(each->watched);
    free(each);
  }
}

void reply(const char *id, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  printf("%s ", id);
  vprintf(format, arguments);
  printf("\n");
  va_end(arguments);
}

int64_t now_microseconds(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (int64_t)time.tv_sec * 1000000 + time.tv_nsec / 1000;
}

// "ID write NAMESPACE PATH VALUE": a file of /proc/sys/net belongs to the namespace of the one who opens it.
static void write_command(const char *id, char **words, int count) {
  if (count != 3 || !enter_namespace(words[0])) {
    reply(id, "error no-such-namespace");
    return;
  }
  int fd = open(words[1], O_WRONLY | O_CLOEXEC);
  bool written = fd >= 0 && write(fd, words[2], strlen(words[2])) >= 0;
  int error = errno;
  if (fd >= 0) close(fd);
  leave_namespace();
  if (written) reply(id, "ok");
  else reply(id, "error %s", strerrorname_np(error));
}

static void obey(char *line) {
  char *words[MAX_WORDS];
  int count = 0;
  for (char *word = strtok(line, " "); word != NULL && count < MAX_WORDS; word = strtok(NULL, " ")) words[count++] = word;
  if (count < 2) return;
  const char *id = words[0], *verb = words[1];
  if (strcmp(verb, "listen") == 0) listen_command(id, words + 2, count - 2);
  else if (strcmp(verb, "close") == 0) close_command(id, words + 2, count - 2, false);
  else if (strcmp(verb, "drop") == 0) close_command(id, words + 2, count - 2, true);
  else if (strcmp(verb, "exchange") == 0) exchange_command(id, words + 2, count - 2);
  else if (strcmp(verb, "stop") == 0) stop_command(id, words + 2, count - 2);
  else if (strcmp(verb, "write") == 0) write_command(id, words + 2, count - 2);
  else if (strcmp(verb, "request") == 0 || strcmp(verb, "stream") == 0 || strcmp(verb, "connect") == 0)
    session_command(id, verb, words + 2, count - 2);
  else reply(id, "error bad-command");
}

static void on_commands(struct watched *watched, uint32_t events) {
  (void)events;
  static char bytes[1 << 16];
  static size_t held;
  ssize_t count = read(watched->fd, bytes + held, sizeof bytes - 1 - held);
  if (count <= 0) exit(0);
  held += (size_t)count;
  bytes[held] = '\0';
  char *line = bytes;
  for (char *end; (end = strchr(line, '\n')) != NULL; line = end + 1) {
    *end = '\0';
    obey(line);
  }
  held -= (size_t)(line - bytes);
  memmove(bytes, line, held);
}

int main(void) {
  static char output[1 << 16];
  setvbuf(stdout, output, _IOFBF, sizeof output);
  epoll = epoll_create1(EPOLL_CLOEXEC);
  struct watched commands = {.fd = STDIN_FILENO, .on_event = on_commands};
  watch(&commands, EPOLLIN);
  for (;;) {
    int wait = run_timers();
    fflush(stdout);
    struct epoll_event events[MAX_EVENTS];
    int count = epoll_wait(epoll, events, MAX_EVENTS, wait);
    for (int i = 0; i < count; i++) {
      struct watched *watched = events[i].data.ptr;
      if (watched->fd >= 0) watched->on_event(watched, events[i].events);
    }
    bury();
  }
}
