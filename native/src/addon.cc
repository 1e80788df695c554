#include <node_api.h>

#include "environment.h"
#include "ipvs-sockopt.h"
#include "netlink-socket.h"
#include "network-namespace.h"

// Runs once for each environment that loads the addon: the main thread and every worker.
NAPI_MODULE_INIT() {
  using namespace sluice;
  napi_value enter = nullptr;
  if (Environment::Create(env) == nullptr || !DefineNetlinkSocket(env, exports) || !DefineIpvsSockopt(env, exports) ||
      napi_create_function(env, "withNetworkNamespace", NAPI_AUTO_LENGTH, WithNetworkNamespace, nullptr, &enter) !=
          napi_ok ||
      napi_set_named_property(env, exports, "withNetworkNamespace", enter) != napi_ok) {
    napi_throw_error(env, nullptr, "the native addon could not be set up");
    return nullptr;
  }
  return exports;
}
