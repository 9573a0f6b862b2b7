#!/bin/bash
# usage: guest-inside.sh [pair]
#
# In the test machine: a confidential guest with a network card to its host, by QEMU's own
# router. Or two: guest b does all it does by itself, with guest a.
set -uo pipefail
. /usr/bin/lib.sh
. /usr/bin/guest.sh

sent=8 kept=9 bytes=400000
modules="failover net_failover virtio_ring virtio virtio_pci_legacy_dev virtio_pci_modern_dev virtio_pci virtio_net"

sum_of()
{
	grep -oE '[0-9a-f]{64}' <<<"$1"
}

b_starts()
{
	local b="for m in $modules; do insmod /bin/\$m.ko; done; ip addr add 192.168.7.2/24 dev eth0; ip link set eth0 up"

	b+="; until ping -c 1 192.168.7.1; do :; done; until packets $sent $bytes | nc 192.168.7.1 5002; do :; done"
	b+="; nc -l -p 5003 | sha256sum; poweroff -f"
	monctl run --network n -- qemu-system-x86_64 -enable-kvm -cpu host -M q35 -m 96 \
		-display none -nodefaults -no-reboot -kernel /guest/vmlinuz -initrd /tmp/initrd \
		-append "console=ttyS0 tsc_early_khz=200000 quiet nowatchdog cryptomgr.notests run=\"$b\"" \
		-serial file:/tmp/b.console -netdev socket,id=b,connect=127.0.0.1:1234 \
		-device virtio-net-pci,netdev=b,id=n,addr=3,romfile= </dev/null >/tmp/b.out 2>&1 &
	b_pid=$!
}

b_ends()
{
	local status=0

	wait "$b_pid" || status=$?
	return $status
}

with_the_other_guest()
{
	local said

	said=$(guest_does "nc -l -p 5002 | sha256sum")
	is "$(sum_of "$said")" "$wanted" "a guest gets what another one sends"
	guest_does "until packets $sent $bytes | nc 192.168.7.2 5003; do :; done" >/dev/null
	b_ends
	is $? 0 "the other one powers off"
	is "$(sum_of "$(tail -n 3 /tmp/b.console)")" "$wanted" "... and has got as much" || cat /tmp/b.console /tmp/b.out
}

insmod /lib/monitor/monitor.ko && modprobe kvm_intel || exit 1
ip link set lo up
wanted=$(sum_of "$(packets $sent $bytes | sha256sum)")
guest_memory=96

plan $(($# ? 12 : 9))
guest_carried=(--network a0 --network a1)
guest_start confidential 1 : -M q35 -netdev user,id=h,hostfwd=tcp:127.0.0.1:5000-:5000 \
	-device virtio-net-pci,netdev=h,id=a0,addr=3,romfile= \
	-netdev socket,id=b,listen=127.0.0.1:1234 \
	-device virtio-net-pci,netdev=b,id=a1,addr=4,romfile=
guest_starts
guest_loads $modules
ok $? "a stock guest's driver takes two cards"
[ $# = 0 ] || b_starts
guest_does "ip addr add 10.0.2.15/24 dev eth0; ip addr add 192.168.7.1/24 dev eth1; ip link set eth0 up; ip link set eth1 up; packets $kept 4000000 >/tmp/kept" >/dev/null
has "$(guest_does 'ip addr')" 'inet 10.0.2.15/24 ' "... and has an address" || cat $console

# ---- the host ----
mkfifo /tmp/open
exec 9<>/tmp/open # a standard input that does not end
nc -l -p 5001 <&9 >/tmp/got &
receiver=$!
guest_does "packets $sent $bytes | nc 10.0.2.2 5001" >/dev/null
wait $receiver
is "$(sum_of "$(sha256sum </tmp/got)")" "$wanted" "the host gets what the guest sends"
guest_does "mkfifo /tmp/open; nc -l -p 5000 <>/tmp/open | sha256sum >/tmp/sum & until netstat -ltn | grep -q :5000; do :; done" >/dev/null
packets $sent $bytes >/tmp/to-send
nc 127.0.0.1 5000 </tmp/to-send
is "$(sum_of "$(guest_does "wait; cat /tmp/sum")")" "$wanted" "the guest gets what the host sends"
has "$(search $sent process $qemu)" '^found [1-9]' "the host can see what it carries"
has "$(search $kept process $qemu)" '^found 0 in' "... and nothing that the guest keeps"

[ $# = 0 ] || with_the_other_guest
guest_type 'poweroff -f'
guest_end
is $? 0 "the guest powers off"
monitor_unloads
finish
