#include "ipvs-sockopt.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <climits>
#include <memory>

#include "arguments.h"
#include "network-namespace.h"
#include "wrap.h"

namespace sluice {

IpvsSockopt::~IpvsSockopt() {
  if (environment_ != nullptr) environment_->Remove(this);
}

Failure IpvsSockopt::Open(const std::string& network_namespace) {
  const InNetworkNamespace inside(network_namespace);
  if (!inside.failure().ok()) return inside.failure();
  // Any IPv4 socket reaches the handlers of netfilter; a datagram socket needs no privilege.
  descriptor_ = FileDescriptor(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  return descriptor_.is_open() ? Failure{} : Failure{errno, "socket"};
}

Failure IpvsSockopt::Get(int option, std::span<uint8_t> buffer, uint32_t* length) const {
  auto size = static_cast<socklen_t>(buffer.size());
  if (::getsockopt(descriptor_.get(), SOL_IP, option, buffer.data(), &size) != 0) return {errno, "getsockopt"};
  *length = size;
  return {};
}

uint32_t IpvsSockopt::GetEach(int option, std::span<uint8_t> buffer, std::span<const uint32_t> lengths) const {
  uint32_t done = 0;
  size_t start = 0;
  for (const uint32_t length : lengths) {
    uint32_t written = 0;
    if (!Get(option, buffer.subspan(start, length), &written).ok()) break;
    start += length;
    done++;
  }
  return done;
}

namespace {

/** new IpvsSockopt(networkNamespace) */
napi_value Construct(napi_env env, napi_callback_info info) {
  const Arguments arguments(env, info);
  const auto path = arguments.OptionalPath(0, "networkNamespace: expected the path of a namespace");
  if (!path) return nullptr;
  Environment* environment = Environment::Of(env);
  auto socket = std::make_unique<IpvsSockopt>(environment);
  environment->Add(socket.get());
  const Failure failure = socket->Open(*path);
  if (!failure.ok()) return ThrowSystemError(env, failure);
  return Wrap(arguments, std::move(socket));
}

/** get(option, buffer) */
napi_value Get(napi_env env, napi_callback_info info) {
  const Arguments arguments(env, info);
  const auto* socket = UnwrapOpen<IpvsSockopt>(arguments);
  if (socket == nullptr) return nullptr;
  const auto option = arguments.Unsigned(0, INT_MAX, "option: expected an integer from 0 to 2147483647");
  if (!option) return nullptr;
  const auto buffer = arguments.Bytes(1, "buffer: expected a Uint8Array of at most 2147483647 bytes");
  if (!buffer) return nullptr;
  if (buffer->size() > INT_MAX) return ThrowSystemError(env, {EINVAL, "getsockopt"});
  uint32_t length = 0;
  const Failure failure = socket->Get(static_cast<int>(*option), *buffer, &length);
  if (!failure.ok()) return ThrowSystemError(env, failure);
  napi_value result = nullptr;
  napi_create_uint32(env, length, &result);
  return result;
}

/** getEach(option, buffer, lengths, count) */
napi_value GetEach(napi_env env, napi_callback_info info) {
  const Arguments arguments(env, info);
  const auto* socket = UnwrapOpen<IpvsSockopt>(arguments);
  if (socket == nullptr) return nullptr;
  const auto option = arguments.Unsigned(0, INT_MAX, "option: expected an integer from 0 to 2147483647");
  if (!option) return nullptr;
  const auto buffer = arguments.Bytes(1, "buffer: expected a Uint8Array");
  if (!buffer) return nullptr;
  const auto lengths = arguments.Words(2, "lengths: expected a Uint32Array");
  if (!lengths) return nullptr;
  const auto count = arguments.Unsigned(3, UINT_MAX, "count: expected an integer from 0 to 4294967295");
  if (!count) return nullptr;
  if (*count > lengths->size()) return ThrowArgumentError(env, "count: expected at most as many as there are lengths");
  const auto wanted = lengths->first(*count);
  uint64_t total = 0;
  for (const uint32_t length : wanted) total += length;
  if (total > buffer->size() || total > INT_MAX) {
    return ThrowArgumentError(env, "lengths: expected parts of the buffer");
  }
  napi_value result = nullptr;
  napi_create_uint32(env, socket->GetEach(static_cast<int>(*option), *buffer, wanted), &result);
  return result;
}

}  // namespace

bool DefineIpvsSockopt(napi_env env, napi_value exports) {
  const napi_property_descriptor members[] = {
      Method("get", Get),
      Method("getEach", GetEach),
      Method("close", CloseHandle<IpvsSockopt>),
      Getter("closed", IsClosed<IpvsSockopt>),
  };
  return DefineClass(env, exports, "IpvsSockopt", Construct, members);
}

}  // namespace sluice
