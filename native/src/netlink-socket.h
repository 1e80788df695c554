#pragma once

#include <node_api.h>

#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "environment.h"
#include "errors.h"
#include "file-descriptor.h"
#include "readable-watcher.h"

namespace sluice {

/** How a socket is to be opened. Sizes of 0 leave the kernel's default. */
struct NetlinkRequest {
  int protocol = 0;
  std::string network_namespace;
  int receive_bytes = 0;
  int send_bytes = 0;
  std::vector<int> groups;
};

/** A netlink socket as JavaScript holds it. Knows datagrams, not messages. */
class NetlinkSocket final : public Handle {
 public:
  /** The value that marks wrapped objects as ours. */
  static constexpr napi_type_tag kTag{0x736c756963652d6eULL, 0x65746c696e6b2d31ULL};

  NetlinkSocket(napi_env env, Environment* environment) : env_(env), environment_(environment) {}
  ~NetlinkSocket() override;

  Failure Open(const NetlinkRequest& request);
  Failure Send(std::span<const uint8_t> bytes) const;
  /** Receives one datagram of the kernel's. With a timeout of 0 `received` may stay 0. */
  Failure Receive(std::span<uint8_t> into, std::chrono::milliseconds timeout, size_t* received) const;
  /** Calls back while readable, which keeps `self` from being collected. */
  Failure Watch(napi_value self, napi_value callback);
  void Unwatch();
  void SetRef(bool ref);

  void Close() override;
  void Detach() override { environment_ = nullptr; }
  bool is_open() const { return descriptor_.is_open(); }

 private:
  bool WaitReadable(std::chrono::steady_clock::time_point deadline, Failure* failure) const;

  napi_env env_;
  Environment* environment_;
  FileDescriptor descriptor_;
  ReadableWatcher* watcher_ = nullptr;
  bool ref_ = false;
};

/** Defines the class NetlinkSocket on `exports`. False with an exception pending on failure. */
bool DefineNetlinkSocket(napi_env env, napi_value exports);

}  // namespace sluice
