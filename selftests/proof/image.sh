#!/bin/bash
# The image that checks itself: hosts and guests do their work on it, and share, and it
# finds nothing. CONTROLS=1: the same with a flush left out, with a frame left in the host's
# tables, and with a share that is over before all CPUs have flushed.
set -uo pipefail
. selftests/lib.sh

CONTROLS=${CONTROLS:-0} # image.nightly

out=build/proof/image
rm -rf $out
mkdir -p $out
release=$(selftests/machine/kver 6.1)

# built FOLDER: the module with that image, of the sources there
built()
{
	make -s -C "$1" module KDIR="$(selftests/machine/kdir 6.1)" DEBUG=1 >"$out/log" 2>&1 || {
		diag "$(tail -n 5 "$out/log")"
		return 1
	}
}

# works MODULE: what comes of a host that runs guests on it
works()
{
	selftests/machine/run --cpus 2 --mem 640 --add "$1:/lib/monitor/monitor.ko" \
		--add $out/guest:/usr/bin/guest --add $out/share:/usr/bin/share \
		--add build/enclave/run:/usr/bin/enclave-run \
		--add build/enclave/share:/usr/bin/enclave-share \
		--add build/enclave/share_vm:/usr/bin/enclave-share_vm \
		--add build/enclave/puppet.bin:/usr/lib/puppet.bin -- sh -c '
		insmod /lib/monitor/monitor.ko && modprobe kvm_intel || exit 1
		guest cpuid 100 touch 1000
		guest confidential cpuid 100 touch 2000
		share >/dev/null && echo shared
		enclave-run >/dev/null && echo enclaves
		insmod /lib/monitor/testmod.ko
		enclave-share >/dev/null && enclave-share_vm >/dev/null && echo pairs
		for try in 1 2 3 4 5 6; do rmmod kvm_intel && break; sleep 1; done
		rmmod monitor && echo unloaded' 2>&1
}

# mutant NAME FILE OLD NEW: a copy of the sources in which OLD stands as NEW
mutant()
{
	local name=$1 file=$2 old=$3 new=$4

	mkdir -p "$out/$name/selftests"
	cp -r Makefile image.mk Kbuild core npt vmx uapi module "$out/$name/"
	cp -r selftests/proof "$out/$name/selftests/"
	python3 - "$out/$name/$file" "$old" "$new" <<'END'
import sys
file, old, new = sys.argv[1:]
with open(file, encoding="utf-8") as stream:
    text = stream.read()
if text.count(old) != 1:
    sys.exit(f"{file}: '{old}' stands {text.count(old)} times in it, not once")
with open(file, "w", encoding="utf-8") as stream:
    stream.write(text.replace(old, new))
END
	built "$out/$name"
}

plan $((CONTROLS ? 9 : 6))
gcc -O2 -Wall -Wextra -static -o $out/guest selftests/bench/guest.c selftests/bench/guest.S &&
	gcc -O2 -Wall -Wextra -static -DBIG='(32 * MIB)' -DIDLE=2 -o $out/share selftests/bench/share.c \
		selftests/share/puppet.[cS] && make -s -C selftests/enclave &&
	make -s -C selftests/testmod SERIES=6.1 && built .
ok $? "the image that checks itself builds"
said=$(works "build/module-$release-debug/monitor.ko")
has "$said" '^unloaded' "guests run, memory comes and goes, and no invariant breaks"
has "$said" '^shared' "guests share with each other and with the host, and give memory back"
has "$said" '^enclaves' "enclaves run, and give memory back"
has "$said" '^pairs' "enclaves share with each other, and with VMs"
none "$(grep BUG <<<"$said")" "... nor does a frame change hands while a CPU may have it cached"
[ $CONTROLS = 1 ] || finish
mutant flush npt/epoch.c $'\tflush(cpu);\n\t__atomic_store_n(&seen[cpu].epoch, now' \
	$'\t__atomic_store_n(&seen[cpu].epoch, now'
has "$(works "$out/flush/build/module-$release-debug/monitor.ko")" \
	'monitor: BUG: .*image_check.*flushed' "control: CPUs that do not flush are found"
mutant unmap npt/host.c $'\terr = npt_unmap(&host_npt, pfn << PAGE_SHIFT, nr << PAGE_SHIFT);' \
	$'\terr = NPT_OK;'
has "$(works "$out/unmap/build/module-$release-debug/monitor.ko")" \
	'monitor: BUG: invariant I5' "control: a frame that stays in the host's tables is found"
mutant over npt/share.c $'\t\tif (!epoch_passed(s->epoch))\n\t\t\treturn false;' $'\t\t'
has "$(works "$out/over/build/module-$release-debug/monitor.ko")" \
	'monitor: BUG: .*image_check.*flushed' "control: a share that is over too soon is found"
finish
