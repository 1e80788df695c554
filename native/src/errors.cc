#include "errors.h"

#include <uv.h>

#include <cstdio>

namespace sluice {

napi_value ThrowSystemError(napi_env env, const Failure& failure) {
  char name[64];
  char description[128];
  char message[256];
  uv_err_name_r(-failure.error, name, sizeof(name));
  uv_strerror_r(-failure.error, description, sizeof(description));
  std::snprintf(message, sizeof(message), "%s: %s, %s", failure.syscall, name, description);

  napi_value code, text, number, syscall, error;
  if (napi_create_string_utf8(env, name, NAPI_AUTO_LENGTH, &code) != napi_ok ||
      napi_create_string_utf8(env, message, NAPI_AUTO_LENGTH, &text) != napi_ok ||
      napi_create_string_utf8(env, failure.syscall, NAPI_AUTO_LENGTH, &syscall) != napi_ok ||
      napi_create_int32(env, failure.error, &number) != napi_ok ||
      napi_create_error(env, code, text, &error) != napi_ok ||
      napi_set_named_property(env, error, "errno", number) != napi_ok ||
      napi_set_named_property(env, error, "syscall", syscall) != napi_ok) {
    return nullptr;
  }
  napi_throw(env, error);
  return nullptr;
}

napi_value ThrowArgumentError(napi_env env, const char* message) {
  napi_throw_type_error(env, "ERR_INVALID_ARG_TYPE", message);
  return nullptr;
}

napi_value ThrowClosed(napi_env env) {
  napi_throw_error(env, "ERR_SOCKET_CLOSED", "the socket is closed");
  return nullptr;
}

void Abort(const char* reason) { napi_fatal_error("sluice", NAPI_AUTO_LENGTH, reason, NAPI_AUTO_LENGTH); }

}  // namespace sluice
