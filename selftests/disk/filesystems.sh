# shellcheck shell=bash
# A file system of Debian's on a sealed disk, and what it is asked to bear. Sourced by the tests.

work=build/check/${0##*/}
debian=build/debian/tree
programs=(
	/usr/bin/stress-ng /usr/bin/kmod /usr/sbin/mke2fs /usr/sbin/e2fsck /usr/sbin/mkfs.xfs
	/usr/sbin/xfs_repair /usr/sbin/mkfs.btrfs /usr/bin/btrfs
)

# small: a root file system with them, of Debian's
small()
{
	local program library name tree=$work/tree

	mkdir -p "$tree"/usr/{bin,sbin,lib,lib64} "$tree"/{dev,proc,sys,tmp,root,etc}
	for name in bin sbin lib lib64; do
		ln -s usr/$name "$tree/$name"
	done
	ln -s /proc/mounts "$tree/etc/mtab"
	install -D -m 755 /bin/busybox "$tree/usr/bin/busybox"
	for program in "${programs[@]}"; do
		cp -L "$debian/$program" "$tree$program"
		chroot $debian ldd "$program"
	done | sed -nE 's,.* (/[^ ]+) \(0x.*|^\t(/[^ ]+) \(0x.*,\1\2,p' | sort -u |
		while IFS= read -r library; do
			install -D -m 755 "$(readlink -f $debian)/$(chroot $debian readlink -f "$library")" \
				"$tree$library"
		done
	ln -s ../bin/kmod "$tree/usr/sbin/modprobe"
	cp -r $debian/usr/lib/modules "$tree/usr/lib/"
	install -m 755 selftests/disk/survive.sh "$tree/usr/bin/survive"
}

# survives ext4|xfs|btrfs
survives()
{
	selftests/disk/build-debian
	rm -rf "$work"
	mkdir -p "$work/more"
	small
	mv "$work/tree" "$work/more/tree"
	(cd "$work/more" && find tree | cpio -o -H newc --quiet) | zstd -q >"$work/tree.cpio.zst"
	exec selftests/machine/run --qemu --mem 2048 \
		--add "$work/tree.cpio.zst:/tree.cpio.zst" --add /usr/bin/zstd:/usr/bin/zstd \
		--add selftests/lib.sh:/usr/bin/lib.sh \
		--add selftests/vm/guest.sh:/usr/bin/guest.sh \
		--add selftests/disk/filesystems-inside.sh:/usr/bin/filesystems-inside.sh -- \
		bash /usr/bin/filesystems-inside.sh "$1"
}
