# shellcheck shell=bash
# What the tests of this suite share. Sourced: outside, where a test starts itself again
# in the test machine ("in_machine"), and inside.

if [ "${1:-}" != inside ]; then
	# in_machine [OPTION]...
	in_machine()
	{
		local name add=("$@")

		for name in victim tpr vcpu greedy ring3; do
			add+=(--add "build/attack/$name:/usr/bin/$name")
		done
		exec selftests/machine/run --kernel "${KERNEL:-6.1}" --cpus 2 "${add[@]}" \
			--add selftests/lib.sh:/lib.sh --add selftests/testmod/ask.sh:/ask.sh \
			--add selftests/attack/lib.sh:/attack.sh \
			--add "$0:/test" -- bash /test inside
	}
	return
fi
# shellcheck source=selftests/lib.sh
. /lib.sh
# shellcheck source=selftests/testmod/ask.sh
. /ask.sh
in_machine() { :; }

# Hypercalls and errors of uapi/hypercall.h
HC_STATUS=1 CPU_STATUS=2 DONATE=3 SETTLE=4 TAKE_BACK=5 CLOSE=6 LEAVE=7 CREATE=8 DESTROY=9
VM_STATUS=10 OFFER=12 ACCEPT=13 TOUCH=14 END=15 KEY=19
EPERM=-1 ENOENT=-2 EAGAIN=-11 ENOMEM=-12 EFAULT=-14 EBUSY=-16 EEXIST=-17 EINVAL=-22 ERANGE=-34
POLICY=2 # MON_VM_POLICY_VERSION
WORDS=32768 # of the victim's pattern

# counter NAME: in $n; $a stays as it is
a=
declare -A counter_of=([PROTECTED_READ]=0 [PROTECTED_WRITE]=1 [PROTECTED_FETCH]=2
	[BAD_HYPERCALL]=3 [BAD_MSR]=4 [ENTRY_REFUSED]=7 [EPT12_REFUSED]=8 [VM_BAD_EVENT]=12 [VM_BAD_STATE]=13)
counter()
{
	local answer=$a

	t counter ${counter_of[$1]}
	n=$a a=$answer
}

# victim_start: a confidential VM; $domain, and the frames of it that the host may read, and write
victim_start()
{
	local ro rw

	mkfifo /tmp/in /tmp/out
	victim </tmp/in >/tmp/out &
	exec 8>/tmp/in 9</tmp/out
	read -r domain ro rw <&9
	hc $ACCEPT "$ro"
	hc $ACCEPT "$rw"
	hc $TOUCH "$ro" 0
	read_only=$((a * 4096))
	hc $TOUCH "$rw" 0
	read_write=$((a * 4096))
}

# whole NAME: a test point; the victim has what it had
whole()
{
	local words

	echo >&8
	read -r -t 100 words <&9
	is "$words" $WORDS "$1: the VM has all it had"
}

# frames_of_all: $frame_of[CLASS]: one frame of each kind there is
declare -A frame_of
frames_of_all()
{
	t which 3 1 1
	frame_of[image]=$a
	t which 3 2 1
	frame_of[table]=$a
	t which 3 3 1
	frame_of[vmcs]=$a
	t which 3 4 1
	frame_of[state]=$a
	t which 2 0 1 50
	frame_of[free]=$a
	t which 4 5 "$domain" 40
	frame_of[private]=$a
	t page 31
	frame_of[transit]=$a
	hc $DONATE $((a / 4096)) 1
	t control
	own=$((a))
}

# vmx_on CPU...: VMX operation, with regions of one's own
vmx_on()
{
	local cpu

	for cpu in 1 16 28; do t vmx 0 region $cpu 0; done
	t vmx 0 region 0 0
	for cpu; do
		t vmx "$cpu" vmxe 1
		t vmx "$cpu" vmxon p$((cpu * 28))
	done
}

vmx_off()
{
	local cpu

	for cpu; do
		t vmx "$cpu" vmxoff
		t vmx "$cpu" vmxe 0
	done
}

# policy ADDRESS CR3 VCPUS [START END TYPE]...: struct mon_vm_create; 64 KiB of RAM if no range is
policy()
{
	local ranges=("${@:4}")

	[ $# -gt 3 ] || ranges=(0 0x10000 1)
	t stos "$1" 0 384
	poke "$1" "$2" $((POLICY | (${#ranges[@]} / 3) << 32)) "$3" "${ranges[@]}"
}

complaints()
{
	dmesg | grep -E 'WARNING: |BUG: |Oops|Call Trace|general protection|rcu.*(stall|detected)|lockup' |
		grep -v RETBleed
}
