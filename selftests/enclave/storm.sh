#!/bin/bash
# usage: storm.sh INTERRUPTS NMIS, in place of a test: a thread of an enclave with something in all
# registers, at moments that differ. Control: interrupts are sent, and the thread is left for each.
set -uo pipefail
if [ "${1:-}" != inside ]; then
	exec selftests/machine/run --cpus 2 \
		--add build/enclave/run:/usr/bin/enclave-run \
		--add build/enclave/puppet.bin:/usr/lib/puppet.bin \
		--add selftests/lib.sh:/lib.sh --add selftests/testmod/ask.sh:/ask.sh \
		--add "$0:/test" -- bash /test inside "$@"
fi
# shellcheck source=selftests/lib.sh
. /lib.sh
# shellcheck source=selftests/testmod/ask.sh
. /ask.sh
interrupts=$2 nmis=$3

plan 4
insmod /lib/monitor/testmod.ko && insmod /lib/monitor/monitor.ko || exit
coproc enclave-run storm
read -r word <&"${COPROC[0]}"
is "$word" begins "a thread runs"
t ipi 0 "$interrupts" sleep
has "$a" "^sent $interrupts got $interrupts " "$interrupts interrupts came"
t nmi 0 "$nmis" sleep
diag "NMIs: $a"
echo >&"${COPROC[1]}"
read -r bad entries <&"${COPROC[0]}"
is "$bad" 0 "all its registers were what it had in them"
# The kernel's own threads run on that CPU, too: not each finds it in the enclave.
[ "${entries:-0}" -gt $((interrupts / 2)) ]
ok $? "it was entered $entries times"
