# shellcheck shell=bash
# The monitor, and a VM of each kind, on CPUs that lack what it can do without; and on those
# that lack what it cannot, its refusal. Sourced.
#
# XSAVEC goes with XSAVES: if it is alone, the emulator does not say how large its area is, and
# kernels do without XSAVE, or crash at boot (7.2).
. selftests/lib.sh
. selftests/host/machine.sh

# shellcheck disable=SC2016 # for the shell in the machine
script='. /lib/monitor/machine.sh
load
echo "insmod: $rc $message"
[ $rc = 0 ] && modprobe kvm_intel || exit
vm_start vm confidential 1 1 || cat /tmp/out-vm
vm_start other ordinary 1 2
within 20 vm_beyond vm 3 && within 20 vm_beyond other 3 && echo "VMs: go on"
vm_end vm
vm_end other
rmmod kvm_intel monitor && echo "unloaded: yes"
echo "complaints: $(complaints)"
'

# without FEATURE[,FEATURE]... [ARGUMENT-OF-RUN]...: the output is in $out
without()
{
	local feature options=()

	for feature in ${1//,/ }; do
		options+=(--without "$feature")
	done
	shift
	out=$(machine --cpus 1 --mem 640 "${options[@]}" "$@" -- env INSIDE=/lib/monitor bash -c "$script" 2>&1)
}

# optional FEATURES [ARGUMENT-OF-RUN]...: two test points
optional()
{
	without "$@"
	has "$out" '^(insmod: 0 )?launched on' "without $1: launches"
	is "$(grep -cE '^(VMs: go on|unloaded: yes|complaints: )$' <<<"$out")" 3 \
		"... a confidential and an ordinary VM run, and it unloads" || diag "$out"
}

# needed FEATURE WHAT: a test point
needed()
{
	without "$1"
	has "$out" "cannot launch: CPU lacks $2 .*What to do" "without $1: refused"
}
