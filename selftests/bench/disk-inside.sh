#!/bin/bash
# In the test machine: a guest's disk under KVM alone, and a sealed one; with "dm" as argument, one
# that the guest seals itself by dm-crypt over dm-integrity. Prints "NAME FIGURE".
set -uo pipefail
. /usr/bin/guest.sh
. /usr/bin/quiet.sh

blocks=2048
device=/dev/vda # in the guest

# measure NAME: the long ones first, so that QEMU's pages are there that the monitor uses
measure()
{
	local kind size count ticks exits

	while read -r kind size count; do
		read -r ticks exits < <(per_access "$count" "disk $device $kind $size")
		echo "$1.$kind.$size.ticks $ticks"
		echo "$1.$kind.$size.exits $exits"
	done <<-END
		read 1048576 6
		write 1048576 6
		read 4096 60
		write 4096 60
		flush 4096 20
	END
}

# dm_table NAME TARGET SECTORS PARAMETERS: in the guest; prints the device
dm_table()
{
	guest_does "dm $1 $2 $3 '$4'" | sed -n 's/^\(.dev.dm-[0-9]*\)$/\1/p'
}

# AES-256-GCM with dm-integrity's journal; the tags are there once all was written.
in_guest_sealed()
{
	local sectors integrity key

	guest_loads xor async_tx async_xor dm-mod dm-bufio dm-integrity dm-crypt cryptd crypto_simd \
		aesni-intel || exit
	integrity="/dev/vda 0 28 J 1 block_size:4096"
	dm_table i integrity 8 "$integrity" >/dev/null # this makes its superblock
	sectors=$(guest_does 'dm i; dm --integrity-sectors /dev/vda' | sed -n 's/^\([0-9]*\)$/\1/p')
	device=$(dm_table i integrity "$sectors" "$integrity")
	key=$(printf '%064d' 7)
	device=$(dm_table c crypt $((blocks * 8)) \
		"capi:gcm(aes)-random $key 0 $device 0 2 integrity:28:aead sector_size:4096")
	[ "$device" ] || {
		cat $console
		exit 1
	}
	guest_does "disk $device write 1048576 $((blocks / 256 + 1))" >/dev/null
}

# with ordinary|confidential IMAGE NAME [COMMAND]
with()
{
	guest_start "$1" 1 : -M q35 -drive "file=$2,if=none,id=d,format=raw" \
		-device virtio-blk-pci,drive=d,id=disk0,addr=4
	quiet
	guest_loads virtio_ring virtio virtio_pci_{legacy_dev,modern_dev} virtio_pci virtio_blk || exit
	${4:-:}
	measure "$3"
	guest_type 'poweroff -f'
	guest_end
}

modprobe kvm_intel || exit
if [ "${1:-}" = dm ]; then
	truncate -s $((blocks * 8192)) /tmp/zeros
	with ordinary /tmp/zeros disk.dm in_guest_sealed
	exit
fi
seal ticks
head -c $((blocks * 4096)) /dev/urandom >/tmp/plain
with ordinary /tmp/plain disk.kvm
rmmod kvm_intel
monctl disk import --key /tmp/key --new-key /tmp/plain /tmp/sealed >/dev/null || exit
insmod /lib/monitor/monitor.ko && modprobe kvm_intel || exit
guest_carried=(--disk disk0=/tmp/key)
with confidential /tmp/sealed disk.sealed
