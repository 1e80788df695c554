#pragma once

#include <node_api.h>
#include <uv.h>

#include <unordered_set>

namespace sluice {

/** Something with a file descriptor that must be closed when its environment (main thread or worker) ends. */
class Handle {
 public:
  virtual ~Handle() = default;
  /** Closes it. Must be harmless when closed. */
  virtual void Close() = 0;
  /** Forgets an environment that is ending. */
  virtual void Detach() = 0;
};

/**
 * What one environment holds. There is one for each thread that loads the addon, and no state besides. It outlives
 * every handle's watcher: libuv gives a watcher's memory back only in a callback of a later turn of the loop.
 */
class Environment {
 public:
  /** Makes the state of `env` and registers its end. Null, with an exception pending, on failure. */
  static Environment* Create(napi_env env);
  static Environment* Of(napi_env env);

  uv_loop_t* loop() const { return loop_; }

  void Add(Handle* handle) { handles_.insert(handle); }
  void Remove(Handle* handle) { handles_.erase(handle); }
  /** Counts watchers whose memory libuv still uses. */
  void WatcherOpened() { watchers_++; }
  void WatcherClosed();

 private:
  explicit Environment(uv_loop_t* loop) : loop_(loop) {}
  static void End(napi_async_cleanup_hook_handle hook, void* data);
  void FinishEnd();

  uv_loop_t* loop_;
  napi_async_cleanup_hook_handle hook_ = nullptr;
  std::unordered_set<Handle*> handles_;
  size_t watchers_ = 0;
  bool ending_ = false;
};

}  // namespace sluice
