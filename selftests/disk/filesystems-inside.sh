#!/bin/bash
# In the test machine: a guest with three sealed disks, a file system on each; then its owner.
set -uo pipefail
. /usr/bin/lib.sh
. /usr/bin/guest.sh
guest_memory=512

kinds=(ext4 xfs btrfs)
steps=(mkfs mount fill stress unmount fsck remount compare compare-again last-unmount)

# check KIND FILE
check()
{
	case $1 in
	ext4) chroot /tree /usr/sbin/e2fsck -fn "$2" ;;
	xfs) chroot /tree /usr/sbin/xfs_repair -n -f "$2" ;;
	btrfs) chroot /tree /usr/bin/btrfs check "$2" ;;
	esac
}

insmod /lib/monitor/monitor.ko && modprobe kvm_intel || exit 1
zstd -q -dc /tree.cpio.zst | (cd / && cpio -i 2>/dev/null)
guest_initrd
cat /tree.cpio.zst >>/tmp/initrd
options=()
for i in 0 1 2; do
	monctl disk create --key /tmp/key$i --new-key /tmp/sealed$i 320M >/dev/null || exit 1
	guest_carried+=(--disk "disk$i=/tmp/key$i")
	options+=(-drive "file=/tmp/sealed$i,if=none,id=d$i,format=raw,discard=unmap"
		-device "virtio-blk-pci,drive=d$i,id=disk$i,addr=$((4 + i))")
done

plan $((3 * (${#steps[@]} + 3) + 3))
guest_start confidential 1 : "${options[@]}"
guest_starts
for module in virtio_pci virtio_blk ext4 xfs btrfs; do
	guest_does "chroot /tree /usr/sbin/modprobe $module" >/dev/null
done
guest_does 'mount --bind /dev /tree/dev; mount -t proc none /tree/proc; mkdir /mnt' >/dev/null
disks=(vda vdb vdc)
for i in 0 1 2; do
	said=$(guest_does "sh /tree/usr/bin/survive ${kinds[i]} /dev/${disks[i]}")
	for step in "${steps[@]}"; do
		has "$said" "^${kinds[i]} $step: 0" "${kinds[i]}: $step"
	done
	diag "$(uptime)"
done
guest_type 'poweroff -f'
guest_end
is $? 0 "the guest powers off"

for i in 0 1 2; do
	has "$(monctl disk check --key /tmp/key$i /tmp/sealed$i)" '0 problems' \
		"${kinds[i]}: the image verifies"
	monctl disk export --key /tmp/key$i /tmp/sealed$i /tree/plain >/dev/null
	said=$(check "${kinds[i]}" /plain 2>&1)
	is $? 0 "${kinds[i]}: exported, it is clean" || diag "$said"
	dd if=/dev/urandom of=/tree/plain bs=4096 seek=1 count=16 conv=notrunc 2>/dev/null
	! check "${kinds[i]}" /plain >/dev/null 2>&1
	ok $? "${kinds[i]}: (damaged, it is not)"
	rm /tree/plain
done
rmmod kvm_intel && rmmod monitor
is $? 0 "the monitor unloads"
none "$(dmesg | grep -E 'WARNING: |BUG: |Call Trace|monitor: .*lost' | grep -v RETBleed)" \
	"no warning in the host's log"
finish
