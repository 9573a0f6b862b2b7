# shellcheck shell=bash
# test_module KERNEL: the module for that kernel. Sourced.

# shellcheck source=selftests/build/tree.sh
. selftests/build/tree.sh

# Whether file $1 is in file $2, byte for byte.
contains()
{
	python3 - "$1" "$2" <<'END'
import pathlib
import sys
part, whole = (pathlib.Path(name).read_bytes() for name in sys.argv[1:])
sys.exit(0 if part and part in whole else 1)
END
}

test_module()
{
	local status

	plan 4
	status=0
	selftests/machine/prepare --only "kernel-$1" || status=$?
	ok "$status" "the headers of Debian's $1 are there" || true

	status=0
	build_module "$1" W=1 || status=$?
	ok "$status" "the module builds for $1" || diag "$(tail -n 30 "$scratch/log")"
	none "$(complaints 'warning|error')" "without a warning, also with W=1"

	[ -f "$scratch/module/monitor.ko" ] &&
		contains build/image/monitor.elf "$scratch/module/monitor.ko" && status=0 || status=1
	ok "$status" "the image in it is the one whose hash 'make image-hash' prints" || true
	finish
}
