#pragma once

#include <node_api.h>

#include <memory>
#include <span>

#include "arguments.h"
#include "errors.h"

namespace sluice {

/** The object behind `this`, checked by its type tag. Null with a TypeError pending when `this` is something else. */
template <typename Wrapped>
Wrapped* Unwrap(const Arguments& arguments) {
  bool ours = false;
  void* data = nullptr;
  if (arguments.self() == nullptr ||
      napi_check_object_type_tag(arguments.env(), arguments.self(), &Wrapped::kTag, &ours) != napi_ok || !ours ||
      napi_unwrap(arguments.env(), arguments.self(), &data) != napi_ok) {
    ThrowArgumentError(arguments.env(), "this: expected a handle that this addon opened");
    return nullptr;
  }
  return static_cast<Wrapped*>(data);
}

/** The same, and open. Null with an exception pending. */
template <typename Wrapped>
Wrapped* UnwrapOpen(const Arguments& arguments) {
  Wrapped* wrapped = Unwrap<Wrapped>(arguments);
  if (wrapped == nullptr || wrapped->is_open()) return wrapped;
  ThrowClosed(arguments.env());
  return nullptr;
}

/** Gives `wrapped` to `this`, whose garbage collection deletes it. Returns `this`, or null with an exception pending. */
template <typename Wrapped>
napi_value Wrap(const Arguments& arguments, std::unique_ptr<Wrapped> wrapped) {
  const auto finalize = [](napi_env, void* data, void*) { delete static_cast<Wrapped*>(data); };
  if (napi_type_tag_object(arguments.env(), arguments.self(), &Wrapped::kTag) != napi_ok ||
      napi_wrap(arguments.env(), arguments.self(), wrapped.get(), finalize, nullptr, nullptr) != napi_ok) {
    return ThrowArgumentError(arguments.env(), "this: expected a fresh object");
  }
  wrapped.release();
  return arguments.self();
}

/** close() of every handle. */
template <typename Wrapped>
napi_value CloseHandle(napi_env env, napi_callback_info info) {
  const Arguments arguments(env, info);
  Wrapped* wrapped = Unwrap<Wrapped>(arguments);
  if (wrapped == nullptr) return nullptr;
  wrapped->Close();
  napi_value undefined = nullptr;
  napi_get_undefined(env, &undefined);
  return undefined;
}

/** The getter `closed` of every handle. */
template <typename Wrapped>
napi_value IsClosed(napi_env env, napi_callback_info info) {
  const Arguments arguments(env, info);
  const Wrapped* wrapped = Unwrap<Wrapped>(arguments);
  if (wrapped == nullptr) return nullptr;
  napi_value closed = nullptr;
  napi_get_boolean(env, !wrapped->is_open(), &closed);
  return closed;
}

/** A method of a class. */
inline napi_property_descriptor Method(const char* name, napi_callback method) {
  return {name, nullptr, method, nullptr, nullptr, nullptr, napi_default_method, nullptr};
}

/** A read-only property of a class. */
inline napi_property_descriptor Getter(const char* name, napi_callback getter) {
  return {name, nullptr, nullptr, getter, nullptr, nullptr, napi_enumerable, nullptr};
}

/** Defines a class on `exports`. False with an exception pending on failure. */
inline bool DefineClass(napi_env env, napi_value exports, const char* name, napi_callback constructor,
                        std::span<const napi_property_descriptor> members) {
  napi_value defined = nullptr;
  return napi_define_class(env, name, NAPI_AUTO_LENGTH, constructor, nullptr, members.size(), members.data(),
                           &defined) == napi_ok &&
         napi_set_named_property(env, exports, name, defined) == napi_ok;
}

}  // namespace sluice
