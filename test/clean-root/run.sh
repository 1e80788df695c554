#!/bin/bash
# Both commands of the README on a machine that has nothing: a new Debian 12 root with Node, npm and Go copied in and a
# clone of the last commit. Prints the time of each. As root, with mmdebstrap installed. About half an hour.
#
#   npm run test:clean-root [-- --keep] [COMMAND...]     COMMAND: what to run in place of the two, for example bash
set -euo pipefail

repository=$(cd "$(dirname "$0")/../.." && pwd)
keep=no
if [ "${1:-}" = --keep ]; then
  keep=yes
  shift
fi

main() {
  local root
  root=$(mktemp -d "${TMPDIR:-/tmp}/sluice-clean-root.XXXXXX")
  chmod 755 "$root"
  # shellcheck disable=SC2064
  trap "finish '$root'" EXIT
  make_root "$root"
  copy_toolchain "$root"
  copy_host_configuration "$root"
  git clone --quiet --no-hardlinks "$repository" "$root/root/sluice"
  echo "clean root at $(git -C "$root/root/sluice" rev-parse --short HEAD)"
  if [ $# -gt 0 ]; then
    enter "$root" "$*"
    return
  fi
  local failed=0
  timed "$root" 'npm ci && npm run demo' || failed=1
  timed "$root" 'npm ci && npm test' || failed=1
  timed "$root" 'npm ci && npm run demo' || failed=1
  timed "$root" 'npm ci && npm test' || failed=1
  return "$failed"
}

make_root() {
  # The sources are the host's: a mirror that it must use is one for the new root too.
  find /etc/apt -name '*.sources' -o -name sources.list | sort | xargs cat > "$1.sources"
  mmdebstrap --quiet --variant=minbase bookworm "$1" - < "$1.sources"
  rm "$1.sources"
}

copy_toolchain() {
  local node go
  node=$(dirname "$(dirname "$(readlink -f "$(command -v node)")")")
  go=$(go env GOROOT)
  mkdir -p "$1/usr/local/bin" "$1/usr/local/lib/node_modules" "$1/usr/local/include" "$1/usr/local/go"
  cp "$node/bin/node" "$1/usr/local/bin/node"
  cp -a "$node/lib/node_modules/npm" "$1/usr/local/lib/node_modules/"
  cp -a "$node/include/node" "$1/usr/local/include/"
  ln -s ../lib/node_modules/npm/bin/npm-cli.js "$1/usr/local/bin/npm"
  ln -s ../lib/node_modules/npm/bin/npx-cli.js "$1/usr/local/bin/npx"
  cp -a "$go/." "$1/usr/local/go/"
}

# How this host reaches packages: name resolution, proxies, certificates. None of it is part of what is tested.
copy_host_configuration() {
  local path
  for path in /etc/resolv.conf /etc/hosts /etc/npmrc /usr/etc/npmrc /usr/local/etc/npmrc /root/.npmrc \
    /root/.config/go /root/.netrc /etc/apt/apt.conf.d /etc/apt/auth.conf.d /usr/local/share/ca-certificates \
    /etc/ssl/certs "${SSL_CERT_FILE:-}" "${NODE_EXTRA_CA_CERTS:-}"; do
    if [ -n "$path" ] && [ -e "$path" ]; then
      mkdir -p "$1$(dirname "$path")"
      cp -rL --remove-destination "$path" "$1$(dirname "$path")/"
    fi
  done
  # The host's npm may be told where Node's headers lie; here they lie elsewhere.
  sed -i '/^nodedir/d' "$1/root/.npmrc" 2>/dev/null || true
}

timed() {
  local started=$SECONDS status=0
  echo "── $2"
  enter "$1" "cd /root/sluice && $2" || status=$?
  echo "── $2: status $status, $((SECONDS - started)) s"
  return "$status"
}

# With a process and mount namespace of its own, so that nothing is left mounted or running.
enter() {
  local carried=()
  for name in HTTP_PROXY HTTPS_PROXY NO_PROXY http_proxy https_proxy no_proxy GOPROXY GOSUMDB GONOSUMDB SSL_CERT_FILE \
    SSL_CERT_DIR NODE_EXTRA_CA_CERTS CURL_CA_BUNDLE TERM; do
    if [ -n "${!name:-}" ]; then carried+=("$name=${!name}"); fi
  done
  # shellcheck disable=SC2016
  env -i "${carried[@]}" HOME=/root PATH=/usr/local/go/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    unshare --mount --pid --fork --kill-child /bin/bash -c '
      set -e
      # A root that is no mount point is none that "ip -n" can work in.
      mount --bind "$1" "$1"
      mount --rbind /dev "$1/dev"
      mount --bind /sys "$1/sys"
      mount -t proc proc "$1/proc"
      exec chroot "$1" /bin/bash -c "$2"
    ' bash "$1" "$2"
}

finish() {
  if [ "$keep" = yes ]; then echo "kept: $1"; else rm -rf --one-file-system "$1"; fi
}

main "$@"
