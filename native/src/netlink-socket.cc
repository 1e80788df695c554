#include "netlink-socket.h"

#include <linux/netlink.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <optional>

#include "network-namespace.h"

namespace sluice {

namespace {

using Clock = std::chrono::steady_clock;

bool SetOption(int descriptor, int level, int option, int value) {
  return ::setsockopt(descriptor, level, option, &value, sizeof(value)) == 0;
}

/** The forcing option needs CAP_NET_ADMIN in the initial user namespace; the plain one is capped by a sysctl. */
bool SetBufferSize(int descriptor, int forced, int plain, int bytes) {
  return bytes == 0 || SetOption(descriptor, SOL_SOCKET, forced, bytes) ||
         SetOption(descriptor, SOL_SOCKET, plain, bytes);
}

Failure Configure(int descriptor, const NetlinkRequest& request) {
  if (!SetOption(descriptor, SOL_NETLINK, NETLINK_CAP_ACK, 1) ||
      !SetOption(descriptor, SOL_NETLINK, NETLINK_EXT_ACK, 1) ||
      !SetBufferSize(descriptor, SO_RCVBUFFORCE, SO_RCVBUF, request.receive_bytes) ||
      !SetBufferSize(descriptor, SO_SNDBUFFORCE, SO_SNDBUF, request.send_bytes)) {
    return {errno, "setsockopt"};
  }
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  if (::bind(descriptor, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) return {errno, "bind"};
  for (const int group : request.groups) {
    if (!SetOption(descriptor, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, group)) return {errno, "setsockopt"};
  }
  return {};
}

}  // namespace

NetlinkSocket::~NetlinkSocket() {
  Close();
  if (environment_ != nullptr) environment_->Remove(this);
}

Failure NetlinkSocket::Open(const NetlinkRequest& request) {
  const InNetworkNamespace inside(request.network_namespace);
  if (!inside.failure().ok()) return inside.failure();
  FileDescriptor descriptor(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, request.protocol));
  if (!descriptor.is_open()) return {errno, "socket"};
  const Failure failure = Configure(descriptor.get(), request);
  if (failure.ok()) descriptor_ = std::move(descriptor);
  return failure;
}

Failure NetlinkSocket::Send(std::span<const uint8_t> bytes) const {
  // A socket that is not connected sends to address 0, the kernel, which handles the datagram inside this call.
  for (;;) {
    const ssize_t sent = ::send(descriptor_.get(), bytes.data(), bytes.size(), 0);
    if (sent >= 0) return {};
    if (errno != EINTR) return {errno, "send"};
  }
}

Failure NetlinkSocket::Receive(std::span<uint8_t> into, std::chrono::milliseconds timeout, size_t* received) const {
  // Answers of the kernel are there before the send returns: the clock is read only when there is none.
  std::optional<Clock::time_point> deadline;
  const auto reaches_deadline = [&deadline, timeout] {
    const Clock::time_point now = Clock::now();
    if (!deadline) deadline = now + timeout;
    return now >= *deadline;
  };
  sockaddr_nl sender{};
  iovec part{into.data(), into.size()};
  for (;;) {
    msghdr message{};
    message.msg_name = &sender;
    message.msg_namelen = sizeof(sender);
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    const ssize_t length = ::recvmsg(descriptor_.get(), &message, MSG_DONTWAIT);
    if (length >= 0) {
      // Any process may send to this socket's address; only the kernel has port 0.
      if (sender.nl_pid != 0) {
        if (!reaches_deadline()) continue;
        return timeout.count() == 0 ? Failure{} : Failure{ETIMEDOUT, "recvmsg"};
      }
      if ((message.msg_flags & MSG_TRUNC) != 0) return {EMSGSIZE, "recvmsg"};
      *received = static_cast<size_t>(length);
      return {};
    }
    if (errno == EINTR) continue;
    if (errno != EAGAIN) return {errno, "recvmsg"};
    if (timeout.count() == 0) return {};
    if (reaches_deadline()) return {ETIMEDOUT, "recvmsg"};
    Failure failure;
    if (!WaitReadable(*deadline, &failure)) return failure;
  }
}

bool NetlinkSocket::WaitReadable(Clock::time_point deadline, Failure* failure) const {
  pollfd wanted{descriptor_.get(), POLLIN, 0};
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
    const int ready = left <= 0 ? 0 : ::poll(&wanted, 1, static_cast<int>(std::min<int64_t>(left, INT_MAX)));
    if (ready > 0) return true;
    if (ready < 0 && errno == EINTR) continue;
    *failure = ready == 0 ? Failure{ETIMEDOUT, "recvmsg"} : Failure{errno, "poll"};
    return false;
  }
}

Failure NetlinkSocket::Watch(napi_value self, napi_value callback) {
  int error = 0;
  if (watcher_ == nullptr) {
    watcher_ = ReadableWatcher::Create(env_, environment_, descriptor_.get(), &error);
    if (watcher_ == nullptr) return {error, "uv_poll_init"};
    SetRef(ref_);
  }
  error = watcher_->Start(self, callback);
  return {error, "uv_poll_start"};
}

void NetlinkSocket::Unwatch() {
  if (watcher_ != nullptr) watcher_->Stop();
}

void NetlinkSocket::SetRef(bool ref) {
  ref_ = ref;
  if (watcher_ == nullptr) return;
  if (ref) {
    watcher_->Ref();
  } else {
    watcher_->Unref();
  }
}

void NetlinkSocket::Close() {
  if (watcher_ != nullptr) std::exchange(watcher_, nullptr)->Close();
  descriptor_.Close();
}

}  // namespace sluice
