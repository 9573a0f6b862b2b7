# shellcheck shell=bash
# Shared by the scripts of this folder; sourced, not run.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(cd "$here/../.." && pwd)
build=$top/build

die()
{
	printf '%s: %s\n' "${0##*/}" "$*" >&2
	exit 1
}

say()
{
	printf '%s: %s\n' "${0##*/}" "$*" >&2
}

# The first 12 digits of the hash of standard input.
short_hash()
{
	sha256sum | cut -c1-12
}

# What the CPU and the compiler make of -march=native belongs to the recipe: a
# build directory carried to another machine must not crash there.
bochs_dir()
{
	local hash

	hash=$({
		cat "$here/build-bochs" "$here"/patches/*.patch
		gcc --version
		gcc -march=native -Q --help=target
	} | short_hash)
	printf '%s/bochs-%s\n' "$build" "$hash"
}

known_kernel()
{
	case $1 in
	6.1 | 6.12 | 7.x) ;;
	*) die "unknown kernel '$1': use 6.1, 6.12 or 7.x" ;;
	esac
}

# The URI of the main archive, from this machine's apt configuration.
apt_archive()
{
	local uri

	# shellcheck disable=SC2016 # for apt
	uri=$(apt-get indextargets --format '$(CODENAME) $(COMPONENT) $(REPO_URI)' 'Identifier: Packages' |
		awk '$1 == "bookworm" && $2 == "main" { print $3; exit }')
	[ -n "$uri" ] ||
		die "apt knows no archive with bookworm main: run apt-get update, or fix /etc/apt/sources.list*"
	printf '%s\n' "$uri"
}

# Where Bochs puts the page tables, boot_params and the command line: free
# memory on every PC, below the kernel.
# shellcheck disable=SC2034 # used by build-root
boot_params_address=0x200000

# A folder as an initramfs.
pack()
{
	(cd "$1" && find . -mindepth 1 | LC_ALL=C sort | cpio -o -H newc -R 0:0 --quiet)
}
