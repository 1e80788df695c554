#include "network-namespace.h"

#include <fcntl.h>
#include <sched.h>

#include <cerrno>

#include "arguments.h"

namespace sluice {

InNetworkNamespace::InNetworkNamespace(const std::string& path) {
  if (path.empty()) return;
  FileDescriptor target(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!target.is_open()) {
    failure_ = {errno, "open"};
    return;
  }
  FileDescriptor home(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
  if (!home.is_open()) {
    failure_ = {errno, "open"};
    return;
  }
  if (::setns(target.get(), CLONE_NEWNET) != 0) {
    failure_ = {errno, "setns"};
    return;
  }
  home_ = std::move(home);
}

InNetworkNamespace::~InNetworkNamespace() {
  if (!home_.is_open()) return;
  if (::setns(home_.get(), CLONE_NEWNET) == 0) return;
  // Going on would program the wrong namespace: everything this thread does from here on would happen there.
  Abort("cannot return from a network namespace: setns failed, and this thread must not go on inside the wrong one");
}

napi_value WithNetworkNamespace(napi_env env, napi_callback_info info) {
  const Arguments arguments(env, info);
  if (arguments.IsUndefined(0)) return ThrowArgumentError(env, "networkNamespace: expected the path of a namespace");
  const auto path = arguments.OptionalPath(0, "networkNamespace: expected the path of a namespace");
  if (!path) return nullptr;
  if (!arguments.IsFunction(1)) return ThrowArgumentError(env, "callback: expected a function");

  napi_value receiver = nullptr;
  napi_value result = nullptr;
  if (napi_get_undefined(env, &receiver) != napi_ok) return nullptr;
  const InNetworkNamespace inside(*path);
  if (!inside.failure().ok()) return ThrowSystemError(env, inside.failure());
  // An exception stays pending and reaches the caller after the way back.
  if (napi_call_function(env, receiver, arguments.at(1), 0, nullptr, &result) != napi_ok) return nullptr;
  return result;
}

}  // namespace sluice
