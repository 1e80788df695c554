#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "traffic.h"

// REQUEST: one exchange. STREAM: one exchange on a new socket each interval. CONNECTION: all on one socket.
enum mode { REQUEST, STREAM, CONNECTION };
enum state { IDLE, CONNECTING, WAITING, ENDED };

struct session {
  struct watched watched;
  struct session *next;
  char id[16];
  char namespace[64];
  char source[64];
  uint16_t source_port;                   // 0: the kernel chooses
  struct target target;
  enum mode mode;
  enum state state;
  int64_t deadline, interval;             // in microseconds
  int64_t started, due;                   // of the exchange at hand, of the next
  char bytes[512];
  size_t count;
};

static struct session *sessions;

static void end_exchange(struct session *session, const char *outcome, bool broken);

// A drop in the sender's own output hook is told by EPERM, any other by silence: both are a drop.
static const char *outcome_of(int error) {
  switch (error) {
    case ECONNREFUSED: return "refused";
    case ETIMEDOUT: case EPERM: return "timeout";
    case EHOSTUNREACH: case ENETUNREACH: case EACCES: case EADDRNOTAVAIL: return "unreachable";
    case ECONNRESET: case EPIPE: case ECONNABORTED: case ESHUTDOWN: case ENOTCONN: return "reset";
    default: return NULL;
  }
}

static void fail(struct session *session, int error) {
  const char *outcome = outcome_of(error);
  // A broken association of SCTP is refused when it was not made yet.
  bool refused = session->state == CONNECTING && outcome != NULL && strcmp(outcome, "reset") == 0 &&
                 session->target.protocol == IPPROTO_SCTP;
  char unknown[64];
  snprintf(unknown, sizeof unknown, "error %s", strerrorname_np(error));
  end_exchange(session, refused ? "refused" : outcome != NULL ? outcome : unknown, true);
}

static void send_question(struct session *session) {
  session->state = WAITING;
  session->count = 0;
  watch_again(&session->watched, EPOLLIN);
  if (send(session->watched.fd, "?\n", 2, MSG_NOSIGNAL) >= 0) return;
  // A hook of this host took the datagram away. Whether it also refused it is told by what comes back.
  if (errno == EPERM && session->target.protocol == IPPROTO_UDP) return;
  fail(session, errno);
}

static void read_answer(struct session *session) {
  size_t room = sizeof session->bytes - 1 - session->count;
  ssize_t count = recv(session->watched.fd, session->bytes + session->count, room, 0);
  if (count < 0 && errno == EAGAIN) return;
  if (count < 0) {
    fail(session, errno);
    return;
  }
  if (count == 0 && session->target.protocol != IPPROTO_UDP) {
    end_exchange(session, "closed", true);
    return;
  }
  session->count += (size_t)count;
  session->bytes[session->count] = '\0';
  char *end = strchr(session->bytes, '\n');
  if (end == NULL) return;
  *end = '\0';
  if (session->state != WAITING) return;
  char outcome[600];
  snprintf(outcome, sizeof outcome, "answer %s", session->bytes);
  end_exchange(session, outcome, false);
}

static void drain_errors(int fd) {
  char bytes[512];
  while (recv(fd, bytes, sizeof bytes, MSG_ERRQUEUE | MSG_DONTWAIT) >= 0) {
  }
}

static void on_session(struct watched *watched, uint32_t events) {
  struct session *session = (struct session *)watched;
  if (events & EPOLLERR) {
    int error = 0;
    socklen_t length = sizeof error;
    getsockopt(watched->fd, SOL_SOCKET, SO_ERROR, &error, &length);
    drain_errors(watched->fd);
    if (error != 0) {
      fail(session, error);
      return;
    }
  }
  if (session->state == CONNECTING && (events & EPOLLOUT)) send_question(session);
  else if (events & (EPOLLIN | EPOLLHUP)) read_answer(session);
}

// Linux offers all addresses of the namespace to an SCTP peer unless the socket is bound to one; behind a VIP the
// others are of no use. A connected UDP socket tells which address the routes choose.
static bool bind_source(int fd, const struct session *session) {
  struct target source = session->target;
  if (strcmp(session->source, "-") != 0) {
    if (!parse_target("TCP", session->source, "0", &source)) return false;
  } else if (session->target.protocol == IPPROTO_SCTP) {
    int probe = socket(session->target.address.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    socklen_t length = sizeof source.address;
    bool known = connect(probe, (const struct sockaddr *)&session->target.address, session->target.address_length) == 0 &&
                 getsockname(probe, (struct sockaddr *)&source.address, &length) == 0;
    int error = errno;
    close(probe);
    errno = error;
    if (!known) return false;
  } else if (session->source_port != 0) {
    const char *any = session->target.address.ss_family == AF_INET ? "0.0.0.0" : "::";
    if (!parse_target("TCP", any, "0", &source)) return false;
  } else {
    return true;
  }
  // Both families have the port at the same place.
  ((struct sockaddr_in *)&source.address)->sin_port = htons(session->source_port);
  return bind(fd, (const struct sockaddr *)&source.address, source.address_length) == 0;
}

static void open_exchange(struct session *session) {
  if (!enter_namespace(session->namespace)) {
    end_exchange(session, "error no-such-namespace", true);
    return;
  }
  int fd = open_socket(&session->target);
  bool bound = fd >= 0 && bind_source(fd, session);
  leave_namespace();
  session->watched.fd = fd;
  session->state = CONNECTING;
  if (!bound) {
    fail(session, errno);
    return;
  }
  int on = 1;
  // With it a refusal by ICMP is told at once; TCP does so without.
  bool asks = session->target.protocol != IPPROTO_TCP;
  if (asks) setsockopt(fd, IPPROTO_IP, IP_RECVERR, &on, sizeof on);
  if (asks) setsockopt(fd, IPPROTO_IPV6, IPV6_RECVERR, &on, sizeof on);
  if (connect(fd, (const struct sockaddr *)&session->target.address, session->target.address_length) < 0 &&
      errno != EINPROGRESS) {
    fail(session, errno);
    return;
  }
  watch(&session->watched, EPOLLOUT);
}

static void start_exchange(struct session *session) {
  session->started = now_microseconds();
  session->due = session->interval > 0 ? session->started + session->interval : INT64_MAX;
  if (session->watched.fd >= 0) send_question(session);
  else open_exchange(session);
}

static void end_session(struct session *session) {
  for (struct session **each = &sessions; *each != NULL; each = &(*each)->next) {
    if (*each != session) continue;
    *each = session->next;
    break;
  }
  session->state = ENDED;
  forget(&session->watched);
}

static void end_exchange(struct session *session, const char *outcome, bool broken) {
  reply(session->id, "%s %lld", outcome, (long long)(now_microseconds() - session->started));
  session->state = IDLE;
  // On one flow of datagrams, an error belongs to one exchange; a broken connection has no next one.
  bool over = session->mode == CONNECTION && broken && session->target.protocol != IPPROTO_UDP;
  if (session->mode == REQUEST || over) {
    end_session(session);
  } else if (session->mode == STREAM && session->watched.fd >= 0) {
    close(session->watched.fd);
    session->watched.fd = -1;
  }
}

void session_command(const char *id, const char *mode, char **words, int count) {
  struct session *session = calloc(1, sizeof *session);
  if (count != 8 || !parse_target(words[1], words[2], words[3], &session->target)) {
    free(session);
    reply(id, "error bad-command 0");
    return;
  }
  session->watched = (struct watched){.fd = -1, .on_event = on_session};
  snprintf(session->id, sizeof session->id, "%s", id);
  snprintf(session->namespace, sizeof session->namespace, "%s", words[0]);
  snprintf(session->source, sizeof session->source, "%s", words[5]);
  session->mode = strcmp(mode, "request") == 0 ? REQUEST : strcmp(mode, "stream") == 0 ? STREAM : CONNECTION;
  session->deadline = atoll(words[4]) * 1000;
  session->source_port = (uint16_t)atoi(words[6]);
  session->interval = atoll(words[7]) * 1000;
  session->next = sessions;
  sessions = session;
  start_exchange(session);
}

static struct session *find_session(char **words, int count) {
  for (struct session *each = sessions; count == 1 && each != NULL; each = each->next) {
    if (strcmp(each->id, words[0]) == 0) return each;
  }
  return NULL;
}

void exchange_command(const char *id, char **words, int count) {
  struct session *session = find_session(words, count);
  if (session == NULL || session->state != IDLE) {
    reply(id, "error %s", session == NULL ? "no-such-session" : "busy");
    return;
  }
  reply(id, "ok");
  start_exchange(session);
}

void stop_command(const char *id, char **words, int count) {
  struct session *session = find_session(words, count);
  if (session != NULL) end_session(session);
  reply(id, "ok");
}

int run_timers(void) {
  int64_t now = now_microseconds();
  int64_t earliest = INT64_MAX;
  for (struct session *each = sessions, *next; each != NULL; each = next) {
    next = each->next;
    bool waits = each->state == CONNECTING || each->state == WAITING;
    if (waits && now >= each->started + each->deadline) {
      // The connection itself may still be good; only this exchange is lost.
      end_exchange(each, "timeout", each->state == CONNECTING);
    } else if (each->state == IDLE && now >= each->due) {
      start_exchange(each);
    }
  }
  for (struct session *each = sessions; each != NULL; each = each->next) {
    int64_t at = each->state == IDLE ? each->due : each->started + each->deadline;
    if (at < earliest) earliest = at;
  }
  if (earliest == INT64_MAX) return -1;
  return earliest <= now ? 0 : (int)((earliest - now + 999) / 1000);
}
