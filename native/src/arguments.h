#pragma once

#include <node_api.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace sluice {

/** The arguments of a call, read with exact types. Each reader throws a TypeError and returns nothing on a mismatch. */
class Arguments {
 public:
  Arguments(napi_env env, napi_callback_info info);

  napi_env env() const { return env_; }
  napi_value self() const { return self_; }
  napi_value at(size_t index) const { return index < count_ ? values_[index] : nullptr; }

  bool IsUndefined(size_t index) const;
  bool IsFunction(size_t index) const;
  /** An integer from 0 to `maximum`. */
  std::optional<uint32_t> Unsigned(size_t index, uint32_t maximum, const char* what) const;
  /** A Uint8Array. */
  std::optional<std::span<uint8_t>> Bytes(size_t index, const char* what) const;
  /** A Uint32Array. */
  std::optional<std::span<const uint32_t>> Words(size_t index, const char* what) const;
  /** A non-empty string without NUL, shorter than PATH_MAX; undefined gives the empty string. */
  std::optional<std::string> OptionalPath(size_t index, const char* what) const;
  /** An array of integers from 1 to 2^31 - 1. */
  std::optional<std::vector<int>> Groups(size_t index, const char* what) const;

 private:
  static constexpr size_t kMaximum = 5;

  napi_env env_;
  napi_value self_ = nullptr;
  size_t count_ = kMaximum;
  napi_value values_[kMaximum];
};

}  // namespace sluice
