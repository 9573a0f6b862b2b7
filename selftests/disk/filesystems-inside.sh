#!/bin/bash
# usage: filesystems-inside.sh ext4|xfs|btrfs
#
# In the test machine: a guest with a sealed disk, and that file system on it; then its owner.
set -uo pipefail
. /usr/bin/lib.sh
. /usr/bin/guest.sh
guest_memory=512 kind=$1

# check FILE
check()
{
	case $kind in
	ext4) chroot /tree /usr/sbin/e2fsck -fn "$1" ;;
	xfs) chroot /tree /usr/sbin/xfs_repair -n -f "$1" ;;
	btrfs) chroot /tree /usr/bin/btrfs check "$1" ;;
	esac
}

insmod /lib/monitor/monitor.ko && modprobe kvm_intel || exit 1
zstd -q -dc /tree.cpio.zst | (cd / && cpio -i 2>/dev/null)
mount -t proc none /tree/proc # where btrfs looks whether it is mounted
guest_initrd
cat /tree.cpio.zst >>/tmp/initrd
monctl disk create --key /tmp/key --new-key /tmp/sealed 320M >/dev/null || exit 1

plan 16
guest_carried=(--disk disk0=/tmp/key)
guest_start confidential 1 : -drive file=/tmp/sealed,if=none,id=d,format=raw,discard=unmap \
	-device virtio-blk-pci,drive=d,id=disk0,addr=4
guest_starts
for module in virtio_pci virtio_blk "$kind"; do
	guest_does "chroot /tree /usr/sbin/modprobe $module" >/dev/null
done
guest_does 'mount --bind /dev /tree/dev; mount -t proc none /tree/proc; mkdir /mnt' >/dev/null
guest_type "sh /tree/usr/bin/survive $kind /dev/vda; echo it is over"
# each as soon as it is done, so that one sees how far it came
for step in mkfs mount fill stress unmount fsck remount compare compare-again last-unmount; do
	guest_says "^$kind $step: |^it is over"
	has "$(cat $console)" "^$kind $step: 0" "$step" || tail -n 40 $console
	diag "$(uptime)"
done
guest_says '^it is over'
guest_type 'poweroff -f'
guest_end
is $? 0 "the guest powers off"

has "$(monctl disk check --key /tmp/key /tmp/sealed)" '0 problems' "the image verifies"
monctl disk export --key /tmp/key /tmp/sealed /tree/plain >/dev/null
said=$(check /plain 2>&1)
is $? 0 "exported, it is clean" || diag "$said"
dd if=/dev/urandom of=/tree/plain bs=4096 seek=1 count=16 conv=notrunc 2>/dev/null
! check /plain >/dev/null 2>&1
ok $? "(damaged, it is not)"
monitor_unloads
finish
