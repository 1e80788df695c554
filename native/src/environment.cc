#include "environment.h"

#include <new>
#include <utility>

namespace sluice {

Environment* Environment::Create(napi_env env) {
  uv_loop_t* loop = nullptr;
  if (napi_get_uv_event_loop(env, &loop) != napi_ok) return nullptr;
  auto* environment = new (std::nothrow) Environment(loop);
  if (environment == nullptr) return nullptr;
  // No finalizer: End() is the owner. It always runs, and before the finalizers of the objects that refer to this.
  if (napi_set_instance_data(env, environment, nullptr, nullptr) != napi_ok ||
      napi_add_async_cleanup_hook(env, End, environment, &environment->hook_) != napi_ok) {
    delete environment;
    return nullptr;
  }
  return environment;
}

Environment* Environment::Of(napi_env env) {
  void* data = nullptr;
  if (napi_get_instance_data(env, &data) != napi_ok) return nullptr;
  return static_cast<Environment*>(data);
}

void Environment::WatcherClosed() {
  watchers_--;
  if (ending_ && watchers_ == 0) FinishEnd();
}

void Environment::End(napi_async_cleanup_hook_handle, void* data) {
  auto* environment = static_cast<Environment*>(data);
  environment->ending_ = true;
  for (Handle* handle : std::exchange(environment->handles_, {})) {
    handle->Close();
    handle->Detach();
  }
  if (environment->watchers_ == 0) environment->FinishEnd();
}

void Environment::FinishEnd() {
  napi_remove_async_cleanup_hook(hook_);
  delete this;
}

}  // namespace sluice
