# shellcheck shell=bash
# Guests with network cards, in the test machine. Sourced by the tests.
. selftests/lib.sh
# shellcheck source=selftests/vm/modules.sh
. selftests/vm/modules.sh

# on_guests [pair]: guest-inside.sh there
on_guests()
{
	guest_modules virtio/virtio{,_ring,_pci,_pci_legacy_dev,_pci_modern_dev} \
		net/virtio_net net/net_failover ../net/core/failover
	mkdir -p build/net
	gcc -O2 -Wall -Wextra -Werror -static -o build/net/search selftests/vm/search.c &&
		gcc -O2 -Wall -Wextra -Werror -static -o build/net/packets selftests/net/packets.c ||
		skip_all "no static C library to build with"
	exec selftests/machine/run --qemu "${guest_modules[@]}" \
		--add build/net/packets:/guest-bin/packets --add build/net/search:/usr/bin/search \
		--add build/net/packets:/usr/bin/packets --add selftests/lib.sh:/usr/bin/lib.sh \
		--add selftests/vm/guest.sh:/usr/bin/guest.sh \
		--add selftests/net/guest-inside.sh:/usr/bin/guest-inside.sh -- \
		bash /usr/bin/guest-inside.sh "$@"
}
