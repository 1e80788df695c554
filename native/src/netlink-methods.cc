#include <climits>
#include <memory>

#include "arguments.h"
#include "netlink-socket.h"
#include "wrap.h"

namespace sluice {

namespace {

constexpr char kBytes[] = "bytes: expected a Uint8Array";
constexpr char kInto[] = "into: expected a Uint8Array with room for at least one byte";
constexpr char kLength[] = "length: expected an integer from 0 to the size of the array";
constexpr char kTimeout[] = "timeoutMs: expected an integer from 0 to 2147483647";

napi_value Undefined(napi_env env) {
  napi_value value = nullptr;
  napi_get_undefined(env, &value);
  return value;
}

/** new NetlinkSocket(protocol, networkNamespace, receiveBufferBytes, sendBufferBytes, groups) */
napi_value Construct(napi_env env, napi_callback_info info) {
  const Arguments arguments(env, info);
  const auto protocol = arguments.Unsigned(0, 255, "protocol: expected an integer from 0 to 255");
  if (!protocol) return nullptr;
  const auto path = arguments.OptionalPath(1, "networkNamespace: expected the path of a namespace");
  if (!path) return nullptr;
  const auto receive = arguments.Unsigned(2, INT_MAX, "receiveBufferBytes: expected an integer from 0 to 2147483647");
  if (!receive) return nullptr;
  const auto send = arguments.Unsigned(3, INT_MAX, "sendBufferBytes: expected an integer from 0 to 2147483647");
  if (!send) return nullptr;
  const auto groups = arguments.Groups(4, "groups: expected an array of integers above 0");
  if (!groups) return nullptr;

  Environment* environment = Environment::Of(env);
  auto socket = std::make_unique<NetlinkSocket>(env, environment);
  environment->Add(socket.get());
  const Failure failure = socket->Open({static_cast<int>(*protocol), *path, static_cast<int>(*receive),
                                        static_cast<int>(*send), *groups});
  if (!failure.ok()) return ThrowSystemError(env, failure);
  return Wrap(arguments, std::move(socket));
}

/** Reads `length` at `index`, where undefined is everything. Throws and returns nothing when it is not within `bytes`. */
std::optional<std::span<const uint8_t>> Prefix(const Arguments& arguments, size_t index, std::span<uint8_t> bytes) {
  if (arguments.IsUndefined(index)) return bytes;
  const auto limit = static_cast<uint32_t>(std::min<size_t>(bytes.size(), UINT32_MAX));
  const auto length = arguments.Unsigned(index, limit, kLength);
  if (!length) return std::nullopt;
  return bytes.first(*length);
}

napi_value ReceiveInto(const Arguments& arguments, const NetlinkSocket& socket, size_t index) {
  const auto into = arguments.Bytes(index, kInto);
  if (!into) return nullptr;
  if (into->empty()) return ThrowArgumentError(arguments.env(), kInto);
  const auto timeout = arguments.Unsigned(index + 1, INT_MAX, kTimeout);
  if (!timeout) return nullptr;
  size_t received = 0;
  const Failure failure = socket.Receive(*into, std::chrono::milliseconds(*timeout), &received);
  if (!failure.ok()) return ThrowSystemError(arguments.env(), failure);
  napi_value result = nullptr;
  napi_create_uint32(arguments.env(), static_cast<uint32_t>(received), &result);
  return result;
}

/** send(bytes, length?) */
napi_value Send(napi_env env, napi_callback_info info) {
  const Arguments arguments(env, info);
  const auto* socket = UnwrapOpen<NetlinkSocket>(arguments);
  if (socket == nullptr) return nullptr;
  const auto bytes = arguments.Bytes(0, kBytes);
  if (!bytes) return nullptr;
  const auto prefix = Prefix(arguments, 1, *bytes);
  if (!prefix) return nullptr;
  const Failure failure = socket->Send(*prefix);
  return failure.ok() ? Undefined(env) : ThrowSystemError(env, failure);
}

/** receive(into, timeoutMs) */
napi_value Receive(napi_env env, napi_callback_info info) {
  const Arguments arguments(env, info);
  const auto* socket = UnwrapOpen<NetlinkSocket>(arguments);
  return socket == nullptr ? nullptr : ReceiveInto(arguments, *socket, 0);
}

/** exchange(batch, length, replies, timeoutMs) */
napi_value Exchange(napi_env env, napi_callback_info info) {
  const Arguments arguments(env, info);
  const auto* socket = UnwrapOpen<NetlinkSocket>(arguments);
  if (socket == nullptr) return nullptr;
  const auto bytes = arguments.Bytes(0, kBytes);
  if (!bytes) return nullptr;
  const auto prefix = Prefix(arguments, 1, *bytes);
  if (!prefix) return nullptr;
  // Checked before anything is sent: a batch must not take effect behind an exception about its arguments.
  const auto replies = arguments.Bytes(2, kInto);
  if (!replies || !arguments.Unsigned(3, INT_MAX, kTimeout)) return nullptr;
  if (replies->empty()) return ThrowArgumentError(env, kInto);
  const Failure failure = socket->Send(*prefix);
  return failure.ok() ? ReceiveInto(arguments, *socket, 2) : ThrowSystemError(env, failure);
}

/** onReadable(callback | undefined) */
napi_value OnReadable(napi_env env, napi_callback_info info) {
  const Arguments arguments(env, info);
  auto* socket = UnwrapOpen<NetlinkSocket>(arguments);
  if (socket == nullptr) return nullptr;
  if (arguments.IsUndefined(0)) {
    socket->Unwatch();
    return Undefined(env);
  }
  if (!arguments.IsFunction(0)) return ThrowArgumentError(env, "callback: expected a function or undefined");
  const Failure failure = socket->Watch(arguments.self(), arguments.at(0));
  return failure.ok() ? Undefined(env) : ThrowSystemError(env, failure);
}

template <bool kRef>
napi_value SetRef(napi_env env, napi_callback_info info) {
  const Arguments arguments(env, info);
  auto* socket = UnwrapOpen<NetlinkSocket>(arguments);
  if (socket == nullptr) return nullptr;
  socket->SetRef(kRef);
  return Undefined(env);
}

}  // namespace

bool DefineNetlinkSocket(napi_env env, napi_value exports) {
  const napi_property_descriptor members[] = {
      Method("send", Send),
      Method("receive", Receive),
      Method("exchange", Exchange),
      Method("onReadable", OnReadable),
      Method("ref", SetRef<true>),
      Method("unref", SetRef<false>),
      Method("close", CloseHandle<NetlinkSocket>),
      Getter("closed", IsClosed<NetlinkSocket>),
  };
  return DefineClass(env, exports, "NetlinkSocket", Construct, members);
}

}  // namespace sluice
