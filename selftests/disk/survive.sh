#!/bin/busybox sh
# shellcheck shell=dash
# usage: survive ext4|xfs|btrfs DEVICE
#
# In a guest: a root file system on DEVICE, with /tree in it, twice; the second copy while
# stress-ng works there. Says of each step "FS STEP: 0", or what it ended with.
fs=$1 device=$2

step()
{
	local name=$1 status=0

	shift
	"$@" >/tmp/log 2>&1 || status=$?
	echo "$fs $name: $status"
	[ $status = 0 ] || {
		tail -n 30 /tmp/log
		return 1
	}
}

make()
{
	case $fs in
	ext4) chroot /tree /usr/sbin/mke2fs -q -t ext4 "$device" ;;
	*) chroot /tree "/usr/sbin/mkfs.$fs" -q "$device" ;;
	esac
}

check()
{
	case $fs in
	ext4) chroot /tree /usr/sbin/e2fsck -fn "$device" ;;
	xfs) chroot /tree /usr/sbin/xfs_repair -n "$device" ;;
	btrfs) chroot /tree /usr/bin/btrfs check "$device" ;;
	esac
}

fill()
{
	mkdir -p /mnt/dev /mnt/proc /mnt/sys /mnt/tmp
	cp -a /tree/usr /tree/bin /tree/sbin /tree/lib /tree/lib64 /mnt/
}

stress()
{
	mount -t proc none /mnt/proc
	mount -t sysfs none /mnt/sys
	mount -t devtmpfs none /mnt/dev
	chroot /mnt /usr/bin/stress-ng --verify --temp-path /tmp --timeout 500 \
		--aio 1 --aio-ops 50 --chmod 1 --chmod-ops 50 --dentry 1 --dentry-ops 500 \
		--dir 1 --dir-ops 200 --fallocate 1 --fallocate-ops 20 --fallocate-bytes 2m \
		--hdd 1 --hdd-ops 200 --hdd-bytes 2m --iomix 1 --iomix-ops 100 --iomix-bytes 2m \
		--rename 1 --rename-ops 200 --seek 1 --seek-ops 200 --seek-size 2m \
		--sync-file 1 --sync-file-ops 10 --sync-file-bytes 2m
}

step mkfs make && step mount mount -t "$fs" "$device" /mnt || exit
step fill fill
step stress stress &
cp -a /tree/usr /mnt/again
wait
step unmount umount /mnt/proc /mnt/sys /mnt/dev /mnt
step fsck check
step remount mount -t "$fs" "$device" /mnt
step compare diff -rq /tree/usr /mnt/usr
step compare-again diff -rq /tree/usr /mnt/again
step last-unmount umount /mnt
