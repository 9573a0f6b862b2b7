# shellcheck shell=bash
# A Debian in a sealed disk, which its owner has made elsewhere: it boots in the test machine.
# Sourced by the tests.
. selftests/lib.sh

# boot grub|direct [OVMF]: by SeaBIOS, or by OVMF
boot()
{
	local debian=build/debian work=build/check/${0##*/} firmware=()

	selftests/disk/build-debian || exit 1
	rm -rf "$work"
	mkdir -p "$work"
	build/tools/monctl disk import --key "$work/key" --new-key $debian/disk.img "$work/sealed" \
		>/dev/null || exit 1
	[ $# = 1 ] || firmware=(--add "$2:/firmware")
	exec selftests/machine/run --qemu --mem 2048 "${firmware[@]}" \
		--add "$work/sealed:/sealed" --add "$work/key:/key" --add $debian/vmlinuz:/vmlinuz \
		--add $debian/initrd:/initrd --add /bin/grep:/usr/bin/ggrep \
		--add /sbin/e2fsck:/usr/bin/e2fsck --add selftests/lib.sh:/usr/bin/lib.sh \
		--add selftests/vm/guest.sh:/usr/bin/guest.sh \
		--add selftests/disk/boot-inside.sh:/usr/bin/boot-inside.sh -- \
		bash /usr/bin/boot-inside.sh "$1"
}
