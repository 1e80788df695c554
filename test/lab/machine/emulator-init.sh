#!/bin/busybox sh
# The first process of an emulated machine, in its initial RAM file system: finds the host's tree and goes on with
# init.sh, which covers it. The environment is described there.
busybox mkdir -p /proc /dev /host
busybox mount -t proc proc /proc
busybox mount -t devtmpfs devtmpfs /dev
for module in netfs 9pnet 9pnet_virtio 9p overlay; do busybox insmod "/$module.ko"; done
busybox mount -t 9p -o trans=virtio,version=9p2000.L,ro,cache=loose,msize=262144 host /host
busybox umount /proc /dev
exec busybox switch_root /host "$lab_folder/init.sh"
