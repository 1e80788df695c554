#pragma once

#include <node_api.h>
#include <uv.h>

#include "environment.h"

namespace sluice {

/**
 * Calls a JavaScript function while a file descriptor is readable, from the environment's own loop. Lives on the heap
 * and deletes itself after Close(), when libuv has let go of it.
 */
class ReadableWatcher {
 public:
  /** Null when libuv refuses; `error` then holds a positive errno. */
  static ReadableWatcher* Create(napi_env env, Environment* environment, int descriptor, int* error);

  /** Starts, or replaces the callback, and keeps `owner` from being collected. Returns a positive errno or 0. */
  int Start(napi_value owner, napi_value callback);
  void Stop();
  void Ref() { uv_ref(reinterpret_cast<uv_handle_t*>(&poll_)); }
  void Unref() { uv_unref(reinterpret_cast<uv_handle_t*>(&poll_)); }
  /** Ends it. The descriptor may be closed at once, the watcher must not be used again. */
  void Close();

 private:
  ReadableWatcher(napi_env env, Environment* environment) : env_(env), environment_(environment) {}
  ~ReadableWatcher() = default;
  static void OnPoll(uv_poll_t* poll, int status, int events);
  void Call();
  void DropReferences();

  napi_env env_;
  Environment* environment_;
  uv_poll_t poll_{};
  napi_ref owner_ = nullptr;
  napi_ref callback_ = nullptr;
};

}  // namespace sluice
