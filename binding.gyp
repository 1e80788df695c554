{
  "targets": [
    {
      "target_name": "sluice",
      "sources": [
        "native/src/addon.cc",
        "native/src/arguments.cc",
        "native/src/environment.cc",
        "native/src/errors.cc",
        "native/src/ipvs-sockopt.cc",
        "native/src/netlink-methods.cc",
        "native/src/netlink-socket.cc",
        "native/src/network-namespace.cc",
        "native/src/readable-watcher.cc"
      ],
      "defines": ["NAPI_VERSION=8"],
      # Node's common.gypi asks for an older standard and switches a warning off.
      "cflags!": ["-Wno-unused-parameter"],
      "cflags_cc!": ["-std=gnu++17", "-std=gnu++20"],
      "cflags_cc": ["-std=c++20", "-Wall", "-Wextra", "-Werror", "-fvisibility=hidden", "-fno-exceptions"],
    }
  ]
}
