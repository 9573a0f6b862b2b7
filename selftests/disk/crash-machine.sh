# shellcheck shell=bash
# Power cuts of a host with a confidential VM. Sourced by the tests.
. selftests/lib.sh
# shellcheck source=selftests/vm/modules.sh
. selftests/vm/modules.sh

out=build/disk/power
monctl=build/tools/monctl

power_build()
{
	gcc -O2 -Wall -Wextra -Werror -static -o $out/rounds selftests/disk/rounds.c &&
		gcc -O2 -Wall -Wextra -Werror -shared -fPIC -o $out/power.so selftests/disk/power.c &&
		gcc -std=gnu11 -O2 -Wall -Wextra -Werror -Wno-unused-function -I. -Inpt \
			-o $out/cuts selftests/disk/cuts.c core/disk/*.c core/sha256.c core/hmac.c -lcrypto
}

# The key is that of the model of a machine (selftests/unit/disk_sim.h).
power_image()
{
	(umask 077 && printf 'a key of thirty-two bytes, this\0' | xxd -p -c 64 >$out/key)
	$monctl disk create --key $out/key $out/sealed 2560K >/dev/null
}

# power_machine ROUNDS KILL...: its test points; what it has logged is in $out
power_machine()
{
	guest_modules virtio/virtio{,_ring,_pci,_pci_legacy_dev,_pci_modern_dev} block/virtio_blk
	selftests/machine/run --qemu "${guest_modules[@]}" \
		--add $out/rounds:/guest-bin/rounds --add $out/power.so:/lib/power.so \
		--add $out/key:/power/key --add $out/sealed:/power/sealed \
		--add selftests/lib.sh:/usr/bin/lib.sh --add selftests/vm/guest.sh:/usr/bin/guest.sh \
		--add selftests/disk/crash-inside.sh:/usr/bin/crash-inside.sh -- \
		bash /usr/bin/crash-inside.sh "$@" >$out/said
	machine=$?
	LC_ALL=C sed '/^LOGS$/,$d' $out/said
	tap_count=$(LC_ALL=C sed '/^LOGS$/,$d' $out/said | grep -cE '^(not )?ok ')
	tap_failed=$(LC_ALL=C sed '/^LOGS$/,$d' $out/said | grep -c '^not ok ')
	mkdir $out/logs
	LC_ALL=C sed '1,/^LOGS$/d' $out/said | tar -C $out/logs -xf -
	is "$machine $?" "0 0" "the machine's log is here"
}

# power_samples: by monctl and by the guest's own program
power_samples()
{
	local image name bad=0 n=0

	for image in $out/samples/*; do
		name=${image##*/}
		n=$((n + 1))
		# shellcheck disable=SC2046 # two numbers
		$monctl disk check --key $out/key "$image" >$out/check 2>&1 &&
			$monctl disk export --key $out/key "$image" $out/raw >>$out/check 2>&1 &&
			$out/rounds check $out/raw $(tr - ' ' <<<"${name#*-}") >>$out/check &&
			grep -q '^checked: 48 good, .*, 0 lost, 0 wrong' $out/check || {
			bad=$((bad + 1))
			diag "$name" "$(cat $out/check)"
		}
		rm -f $out/raw
	done
	is "$bad $n" "0 $1" "$1 of these images, by monctl"
}

# power_test ROUNDS KILL...
power_test()
{
	local said

	rm -rf $out
	mkdir -p $out/samples
	power_build && power_image || skip_all "no static C library, or no OpenSSL to build with"
	plan $((2 * $# + 11))
	power_machine "$@"
	said=$($out/cuts sealed $out/logs/sealed.log $out/sealed $out/logs/sealed $out/samples 40 |
		sed 1d)
	diag "$said"
	has "$said" '^cuts: .*, 0 disks lost, 0 wrong' "power cuts: what was flushed is there"
	[ "$(sed -n 's/^QEMU: .* \([0-9]*\) writes.*/\1/p' <<<"$said")" -ge 200 ]
	ok $? "... behind 200 writes and more"
	has "$said" '^the log lacks: 0 blocks' "... all of them in the log"
	has "$said" '^injector: ([1-9][0-9]*) flushed writes dropped, \1 found' \
		"a flushed write that is lost is found"
	power_samples 40
	said=$($out/cuts plain $out/logs/plain.log | sed 1d)
	diag "$said"
	has "$said" '^cuts: .* 0 disks lost, [1-9][0-9]* wrong' "(an ordinary disk has torn blocks)"
	rm -rf $out
	finish
}
