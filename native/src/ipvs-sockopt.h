#pragma once

#include <node_api.h>

#include <span>
#include <string>

#include "environment.h"
#include "errors.h"
#include "file-descriptor.h"

namespace sluice {

/** An IPv4 socket that exists to ask for options of level SOL_IP. Knows neither their numbers nor their structures. */
class IpvsSockopt final : public Handle {
 public:
  /** The value that marks wrapped objects as ours. */
  static constexpr napi_type_tag kTag{0x736c756963652d69ULL, 0x7076732d6f70742dULL};

  explicit IpvsSockopt(Environment* environment) : environment_(environment) {}
  ~IpvsSockopt() override;

  Failure Open(const std::string& network_namespace);
  Failure Get(int option, std::span<uint8_t> buffer, uint32_t* length) const;
  /** Calls with one part of the buffer after another, until one fails. Returns how many succeeded. */
  uint32_t GetEach(int option, std::span<uint8_t> buffer, std::span<const uint32_t> lengths) const;

  void Close() override { descriptor_.Close(); }
  void Detach() override { environment_ = nullptr; }
  bool is_open() const { return descriptor_.is_open(); }

 private:
  Environment* environment_;
  FileDescriptor descriptor_;
};

/** Defines the class IpvsSockopt on `exports`. False with an exception pending on failure. */
bool DefineIpvsSockopt(napi_env env, napi_value exports);

}  // namespace sluice
