# shellcheck shell=bash
# A guest with a disk, in the test machine. Sourced by the tests.
. selftests/lib.sh
# shellcheck source=selftests/vm/modules.sh
. selftests/vm/modules.sh

# on_guest CPUS VCPUS BLOCKS TAMPERED
on_guest()
{
	guest_modules virtio/virtio{,_ring,_pci,_pci_legacy_dev,_pci_modern_dev} block/virtio_blk
	mkdir -p build/disk
	gcc -O2 -Wall -Wextra -Werror -static -o build/disk/blocks selftests/disk/blocks.c &&
		gcc -O2 -Wall -Wextra -Werror -static -o build/disk/search selftests/vm/search.c ||
		skip_all "no static C library to build with"
	make -s -C tools/guest SERIES=6.1
	exec selftests/machine/run --qemu --cpus "$1" "${guest_modules[@]}" \
		--add "build/guest-$(selftests/machine/kver 6.1)/monguest.ko:/guest-bin/monguest.ko" \
		--add build/disk/blocks:/guest-bin/blocks --add build/disk/blocks:/usr/bin/blocks \
		--add build/disk/search:/usr/bin/search --add selftests/lib.sh:/usr/bin/lib.sh \
		--add selftests/vm/guest.sh:/usr/bin/guest.sh \
		--add selftests/disk/guest-inside.sh:/usr/bin/guest-inside.sh -- \
		bash /usr/bin/guest-inside.sh "${@:2}"
}
