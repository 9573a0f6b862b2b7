# shellcheck shell=bash
# What the tests of this suite share. Sourced, in the top directory.

# shellcheck source=selftests/lib.sh
. selftests/lib.sh

top=$PWD
scratch=$top/build/check/${0##*/}
rm -rf "$scratch"
mkdir -p "$scratch"

# files PATTERN...: the project's files, as git knows them
files()
{
	if [ -e .git ]; then
		git -c safe.directory='*' ls-files -- "$@" | while IFS= read -r file; do
			[ ! -f "$file" ] || printf '%s\n' "$file"
		done
	else
		# not a git tree: an unpacked archive has nothing but the project
		local pattern names=()

		for pattern; do
			names+=(-o -path "./$pattern")
		done
		find . -path ./build -prune -o -type f \( "${names[@]:1}" \) -print | sed 's,^\./,,' | sort
	fi
}

# begin_with PATTERN: those of the files on standard input whose first line matches it
begin_with()
{
	tr '\n' '\0' | LC_ALL=C xargs -0 -r awk -v pattern="$1" 'FNR == 1 { if ($0 ~ pattern) print FILENAME; nextfile }'
}

# scripts: those that a shell reads
scripts()
{
	{
		files '*.sh'
		files '*' | begin_with '^#! ?/(usr/)?bin/(env )?(ba|da)?sh'
	} | sort -u
}

# build_module KERNEL KFLAGS: from nothing, into the scratch folder; output in $scratch/log
build_module()
{
	rm -rf "$scratch/module"
	make module "KERNEL=$1" "MODULE_DIR=build/check/${0##*/}/module" "KFLAGS=$2" \
		>"$scratch/log" 2>&1
}

# complaints PATTERN: lines of that log; another compiler of the same series is none
complaints()
{
	grep -iE -e "$1" "$scratch/log" | grep -v 'warning: the compiler differs from the one' || true
}
