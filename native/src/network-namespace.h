#pragma once

#include <node_api.h>

#include <string>

#include "errors.h"
#include "file-descriptor.h"

namespace sluice {

/**
 * Holds this thread inside another network namespace. setns() moves the calling thread alone, and the destructor moves
 * it back, so nothing else of the process notices. An empty path stays where it is.
 */
class InNetworkNamespace {
 public:
  explicit InNetworkNamespace(const std::string& path);
  InNetworkNamespace(const InNetworkNamespace&) = delete;
  InNetworkNamespace& operator=(const InNetworkNamespace&) = delete;
  ~InNetworkNamespace();

  /** Why the namespace could not be entered, if so. */
  const Failure& failure() const { return failure_; }

 private:
  FileDescriptor home_;
  Failure failure_;
};

/** withNetworkNamespace(path, callback) */
napi_value WithNetworkNamespace(napi_env env, napi_callback_info info);

}  // namespace sluice
