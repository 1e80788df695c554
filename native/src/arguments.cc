#include "arguments.h"

#include <climits>
#include <cstring>

#include "errors.h"

namespace sluice {

namespace {

std::optional<uint32_t> ReadUnsigned(napi_env env, napi_value value, uint32_t maximum) {
  double number = 0;
  if (value == nullptr || napi_get_value_double(env, value, &number) != napi_ok) return std::nullopt;
  // Written so that NaN fails it.
  if (!(number >= 0 && number <= maximum)) return std::nullopt;
  const auto integer = static_cast<uint32_t>(number);
  if (static_cast<double>(integer) != number) return std::nullopt;
  return integer;
}

/** The memory of an array of `wanted` elements. */
template <typename Element>
std::optional<std::span<Element>> ReadTypedArray(napi_env env, napi_value value, napi_typedarray_type wanted,
                                                 const char* what) {
  napi_typedarray_type type;
  size_t length = 0;
  void* data = nullptr;
  if (value == nullptr ||
      napi_get_typedarray_info(env, value, &type, &length, &data, nullptr, nullptr) != napi_ok || type != wanted) {
    ThrowArgumentError(env, what);
    return std::nullopt;
  }
  // A detached or empty array has no memory.
  if (data == nullptr) length = 0;
  return std::span<Element>(static_cast<Element*>(data), length);
}

}  // namespace

Arguments::Arguments(napi_env env, napi_callback_info info) : env_(env) {
  if (napi_get_cb_info(env, info, &count_, values_, &self_, nullptr) != napi_ok) count_ = 0;
}

bool Arguments::IsUndefined(size_t index) const {
  if (index >= count_) return true;
  napi_valuetype type;
  return napi_typeof(env_, values_[index], &type) == napi_ok && type == napi_undefined;
}

bool Arguments::IsFunction(size_t index) const {
  napi_valuetype type;
  return index < count_ && napi_typeof(env_, values_[index], &type) == napi_ok && type == napi_function;
}

std::optional<uint32_t> Arguments::Unsigned(size_t index, uint32_t maximum, const char* what) const {
  const auto value = ReadUnsigned(env_, at(index), maximum);
  if (!value) ThrowArgumentError(env_, what);
  return value;
}

std::optional<std::span<uint8_t>> Arguments::Bytes(size_t index, const char* what) const {
  return ReadTypedArray<uint8_t>(env_, at(index), napi_uint8_array, what);
}

std::optional<std::span<const uint32_t>> Arguments::Words(size_t index, const char* what) const {
  return ReadTypedArray<const uint32_t>(env_, at(index), napi_uint32_array, what);
}

std::optional<std::string> Arguments::OptionalPath(size_t index, const char* what) const {
  if (IsUndefined(index)) return std::string();
  char text[PATH_MAX];
  size_t length = 0;
  // One more byte than allowed is read, so that a text that was cut is told from one that fits.
  if (napi_get_value_string_utf8(env_, values_[index], text, sizeof(text), &length) != napi_ok || length == 0 ||
      length >= sizeof(text) - 1 || std::memchr(text, 0, length) != nullptr) {
    ThrowArgumentError(env_, what);
    return std::nullopt;
  }
  return std::string(text, length);
}

std::optional<std::vector<int>> Arguments::Groups(size_t index, const char* what) const {
  uint32_t length = 0;
  if (index >= count_ || napi_get_array_length(env_, values_[index], &length) != napi_ok || length > 1024) {
    ThrowArgumentError(env_, what);
    return std::nullopt;
  }
  std::vector<int> groups;
  groups.reserve(length);
  for (uint32_t position = 0; position < length; position++) {
    napi_value element = nullptr;
    if (napi_get_element(env_, values_[index], position, &element) != napi_ok) return std::nullopt;
    const auto group = ReadUnsigned(env_, element, INT_MAX);
    if (!group || *group == 0) {
      ThrowArgumentError(env_, what);
      return std::nullopt;
    }
    groups.push_back(static_cast<int>(*group));
  }
  return groups;
}

}  // namespace sluice
