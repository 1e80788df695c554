#pragma once

#include <node_api.h>

namespace sluice {

/** The outcome of a system call: an errno and the call that set it, or success. */
struct Failure {
  int error = 0;
  const char* syscall = nullptr;

  bool ok() const { return error == 0; }
};

/** Throws an Error with `errno`, `code` and `syscall`. Returns null so that callers can return it. */
napi_value ThrowSystemError(napi_env env, const Failure& failure);

/** Throws a TypeError with code ERR_INVALID_ARG_TYPE. */
napi_value ThrowArgumentError(napi_env env, const char* message);

/** Throws an Error with code ERR_SOCKET_CLOSED. */
napi_value ThrowClosed(napi_env env);

/** Stops the process: a broken promise that the program cannot go on with. */
[[noreturn]] void Abort(const char* reason);

}  // namespace sluice
