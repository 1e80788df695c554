#include "readable-watcher.h"

#include <new>
#include <utility>

namespace sluice {

ReadableWatcher* ReadableWatcher::Create(napi_env env, Environment* environment, int descriptor, int* error) {
  auto* watcher = new (std::nothrow) ReadableWatcher(env, environment);
  if (watcher == nullptr) {
    *error = -UV_ENOMEM;
    return nullptr;
  }
  const int status = uv_poll_init(environment->loop(), &watcher->poll_, descriptor);
  if (status != 0) {
    *error = -status;
    delete watcher;
    return nullptr;
  }
  watcher->poll_.data = watcher;
  watcher->Unref();
  environment->WatcherOpened();
  return watcher;
}

int ReadableWatcher::Start(napi_value owner, napi_value callback) {
  DropReferences();
  if (napi_create_reference(env_, owner, 1, &owner_) != napi_ok ||
      napi_create_reference(env_, callback, 1, &callback_) != napi_ok) {
    Stop();
    return -UV_ENOMEM;
  }
  return -uv_poll_start(&poll_, UV_READABLE, OnPoll);
}

void ReadableWatcher::Stop() {
  uv_poll_stop(&poll_);
  DropReferences();
}

void ReadableWatcher::Close() {
  Stop();
  uv_close(reinterpret_cast<uv_handle_t*>(&poll_), [](uv_handle_t* handle) {
    auto* watcher = static_cast<ReadableWatcher*>(handle->data);
    Environment* environment = watcher->environment_;
    delete watcher;
    environment->WatcherClosed();
  });
}

void ReadableWatcher::OnPoll(uv_poll_t* poll, int status, int) {
  auto* watcher = static_cast<ReadableWatcher*>(poll->data);
  // A lost event (ENOBUFS) shows as POLLERR, at which libuv stops polling and reports EBADF (uv__poll_io). The socket
  // is well: the callback receives the error from it, and polling goes on.
  if (status != 0) uv_poll_start(poll, UV_READABLE, OnPoll);
  watcher->Call();
}

void ReadableWatcher::Call() {
  napi_env env = env_;
  napi_handle_scope scope;
  if (callback_ == nullptr || napi_open_handle_scope(env, &scope) != napi_ok) return;
  napi_value callback, receiver;
  if (napi_get_reference_value(env, callback_, &callback) == napi_ok && napi_get_global(env, &receiver) == napi_ok &&
      napi_make_callback(env, nullptr, receiver, callback, 0, nullptr, nullptr) == napi_pending_exception) {
    // As if thrown from any other callback of the loop: 'uncaughtException'.
    napi_value thrown;
    if (napi_get_and_clear_last_exception(env, &thrown) == napi_ok) napi_fatal_exception(env, thrown);
  }
  // The callback may have closed the socket, and with it this watcher: only `env` is used from here on.
  napi_close_handle_scope(env, scope);
}

void ReadableWatcher::DropReferences() {
  if (owner_ != nullptr) napi_delete_reference(env_, std::exchange(owner_, nullptr));
  if (callback_ != nullptr) napi_delete_reference(env_, std::exchange(callback_, nullptr));
}

}  // namespace sluice
