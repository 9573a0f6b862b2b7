# shellcheck shell=bash
# What machine.test, machine.nightly and "make fuzz" share: a fuzzer of hypercalls and of
# /dev/monitor in the test machine, on an image that says what of it was run. Sourced, in the
# top directory.
. selftests/lib.sh

out=build/fuzz/machine
release=$(selftests/machine/kver 6.1)
mkdir -p $out

# built: the images for fuzzing in their modules, and the fuzzer
built()
{
	local flavour kdir

	kdir=$(selftests/machine/kdir 6.1)
	{
		for flavour in 1 planted; do
			make -s module KDIR="$kdir" FUZZ=$flavour || return
		done
		make -s -C selftests/testmod SERIES=6.1 &&
			gcc -O2 -Wall -Wextra -Werror -static -o $out/fuzzer \
				selftests/fuzz/machine/{main,input,world,structs,calls,enclave,requests}.c \
				selftests/share/puppet.[cS]
	} >$out/build.log 2>&1 || {
		diag "$(tail -n 5 $out/build.log)"
		return 1
	}
}

# in_machine COMMAND...: with three modules: fuzz.ko, planted.ko and monitor.ko
in_machine()
{
	local module=build/module-$release

	selftests/machine/run --cpus 2 --mem 512 \
		--add "$module-fuzz/monitor.ko:/lib/monitor/fuzz.ko" \
		--add "$module-fuzz-planted/monitor.ko:/lib/monitor/planted.ko" \
		--add $out/fuzzer:/usr/bin/fuzzer --add selftests/fuzz/machine/seeds:/seeds \
		--add selftests/testmod/ask.sh:/ask.sh \
		--add selftests/fuzz/machine/inside.sh:/inside.sh -- bash /inside.sh "$@" 2>&1
}

# shown KEY...: what the inside has said of it
shown()
{
	sed -n "s/^=$1 //p" $out/output
}

# blamed: the last input before the end, for people
blamed()
{
	diag "the last inputs, all of them in $out/output:" "$(grep '^in ' $out/output | tail -n 3)" \
		"$(grep -v '^in \|^points ' $out/output | tail -n 20)"
}
