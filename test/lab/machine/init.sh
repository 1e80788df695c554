#!/bin/sh
# The first process of a lab machine. Its environment comes from the kernel's command line:
#   lab_folder   a folder of the host: this file, the command to run and, afterwards, its exit status
#   lab_console  "interactive" when a person sits at the other end
#   lab_tty      the console
#   lab_share    how that folder is shared: "hostfs", or "9p" with the tag "lab"
#   lab_modules  a folder of the host with the kernel's modules; empty when it needs none
#
# The root is the host's own tree, writable. So before anything else runs, it is covered by an overlay whose upper side
# is in memory. pivot_root, not chroot: what is started in a container inside would otherwise see the host's tree.
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export PATH
die() {
  echo "lab: $1 failed; the machine stops" >"$lab_tty"
  echo o >/proc/sysrq-trigger
  sleep 60
}

mount -t proc proc /proc
cover=$lab_folder/cover
mount -t tmpfs -o mode=755 tmpfs "$cover" || die 'mounting the memory that covers the host'
mkdir "$cover/upper" "$cover/work" "$cover/root"
mount -t overlay -o "lowerdir=/,upperdir=$cover/upper,workdir=$cover/work" overlay "$cover/root" || die 'covering the root'

cd "$cover/root" || die 'entering the covered root'
mkdir -p proc sys dev run out mnt
mount -t proc proc proc
mount -t sysfs sysfs sys
mount -t devtmpfs devtmpfs dev
mkdir -p dev/pts dev/shm
mount -t devpts -o ptmxmode=666 devpts dev/pts
mount -t tmpfs -o mode=1777 tmpfs dev/shm
mount -t tmpfs -o mode=755 tmpfs run
mount -t cgroup2 cgroup2 sys/fs/cgroup
case "$lab_share" in
  hostfs) mount -t hostfs -o "$lab_folder" none out ;;
  9p) mount -t 9p -o trans=virtio,version=9p2000.L,msize=262144 lab out ;;
esac || die 'mounting the folder for results'
if [ -n "$lab_modules" ]; then
  mkdir -p usr/lib/modules
  mount --bind "$lab_modules" usr/lib/modules || die 'mounting the modules'
fi
mount --make-rprivate /
pivot_root . mnt || die 'entering the covered root'
cd /
umount -l /mnt

hostname lab
ip link set lo up
# The peers' hooks would see frames that a bridge of the lab carries; an ordinary switch knows no netfilter.
for family in ip ip6 arp; do
  switch=/proc/sys/net/bridge/bridge-nf-call-${family}tables
  [ ! -e "$switch" ] || echo 0 >"$switch"
done
# As the seccomp profile of container runtimes has it. The user-mode kernel panics when the ring of Node 24 is mapped.
echo 2 >/proc/sys/kernel/io_uring_disabled

if [ "$lab_console" = interactive ]; then
  setsid -c sh /out/command.sh <>"$lab_tty" >&0 2>&1
  status=$?
else
  # Through a pipe, so that the command does not take the console for a terminal; without carriage returns.
  stty -F "$lab_tty" -opost -echo
  mkfifo /run/output
  cat /run/output >"$lab_tty" &
  reader=$!
  exec 3>/run/output
  setsid --wait sh /out/command.sh </dev/null >&3 2>&3 3>&-
  status=$?
  exec 3>&-
  # What the command left running may hold the pipe open for ever.
  (sleep 1; kill "$reader") 2>/dev/null &
  wait "$reader"
fi
[ "$status" = 0 ] || dmesg >/out/kernel.log
echo "$status" >/out/status
echo o >/proc/sysrq-trigger
sleep 60
