# shellcheck shell=dash
# VM entries, right and wrong, for entry.test. Sourced after vmx.sh.

# Each bit of each field of the guests in $FLIPPED, all kinds of events, and fields that need
# more than a bit
entries()
{
	v region 1 0
	v region 16 0
	for guest in long pae real noept vm86; do
		one enter 0 $guest
	done
	for guest in $FLIPPED; do
		all flip 0 $guest 0 0xffff
	done
	all events 0 long
	all events 0 real
	# counts and places of MSR lists; 0x174 is SYSENTER_CS
	for n in 0 2 4; do
		count=0x$(printf %x $((0x400e + n)))
		address=0x$(printf %x $((0x2006 + n)))
		page=$((20 + n))
		for place in p$page p$page+8 p$page+4096 0x8000000000000 0x10000000000 \
			0xffffffffff0; do
			one enter 0 long $count=1 $address=$place
		done
	done
	for link in p16 p16+8 p1 p28 0x8000000000000 0x10000000000 0; do
		one enter 0 long 0x2800=$link
	done
	one enter 0 long 0x400a=1 0x6008=1
	for cr0 in 0x31 0x80000031 0x80000030 0xa0000031 0xe0000031; do
		one enter 0 long 0x6800=$cr0
		one enter 0 real 0x6800=$cr0
	done
	# CR4.PCIDE and CR4.CET out of place, a TPR below its threshold, a shadowed 64-bit host
	one enter 0 pae '0x6804|0x20000'
	one enter 0 long '0x6804|0x20000'
	one enter 0 long '0x4002|0x200000' 0x401c=1
	one enter 0 long '0x4002|0x200000' 0x401c=16
	one enter 0 long 0x4002-0x80 0x4826=2
	one enter 0 long 0x4002-0x80 0x4826=1
	one enter 0 long 0x482e=0
	for host in 0x0c02 0x0c0c 0x0c04 0x0c00; do one enter 0 long $host=0; done
	for pat in 0x0007040600070402 0x0107040600070406 0x0807040600070406 0x0606060606060606; do
		one enter 0 long 0x2c00=$pat
		one enter 0 long 0x2804=$pat
	done
	for shadow in 1 2 3 8 9 10; do
		one enter 0 long 0x4824=$shadow
		one enter 0 long 0x4824=$shadow 0x6820=0x202
	done
}

# A guest that sets CR4.MCE, which it has clear, and clears it, where the host has the bit, does
# not have it, or lets the guest see that it has; "or $0x40, %al" and "and $~0x40, %al".
guests_cr4()
{
	for code in 0xe0220f400ce0200f 0xe0220fbf24e0200f; do
		one code $code
		for cr4 in 0x2020 0x2060; do
			for mask in 0 0x40 0x2000 0x2040; do
				for shadow in 0 0x40 0x2000; do
					one enter 0 long 0x6804=$cr4 0x6002=$mask 0x6006=$shadow
				done
			done
		done
	done
	one code 0
}

# The page of APIC accesses, and accesses to it: by a walk, and by the delivery of an
# event, whose gate may lie where the TPR is. Bochs has no fetch from there.
apic_accesses()
{
	for page in p17 p17+1 p17+2048 0x8000000000000 0x10000000000 0xffffffffff000; do
		one enter 0 long '0x401e|1' 0x2014=$page
	done
	for threshold in 0 1 15 16; do
		one enter 0 long '0x4002|0x200000' '0x401e|1' 0x401c=$threshold
	done
	one enter 0 long '0x401e|1' 0x2014=p4
	for guest in long pae noept; do
		for shadow in 0 0x200000; do
			for event in 0x80000202 0x80000408; do
				one enter 0 $guest "0x4002|$shadow" '0x401e|1' 0x2014=p5 \
					0x6818=p5 0x4812=0xffff 0x4016=$event 0x401a=2
			done
		done
	done
}

# Interrupts delivered by the CPU: each control with and without those that it needs, the
# fields that count with them, and interrupts that are due.
apic_virtualization()
{
	for controls in 0x10 0x100 0x200 0x300 0x310 0x301 0x11; do
		for shadow in 0 0x200000; do
			one enter 0 long "0x4002|$shadow" "0x401e|$controls"
		done
	done
	set -- '0x4002|0x200000' '0x401e|0x300'
	one enter 0 long "$@" 0x4000-1
	for threshold in 1 16; do one enter 0 long "$@" 0x401c=$threshold; done
	for status in 0x30 0x80 0xff 0x0010 0x3030 0x3041 0x4130; do
		one enter 0 long "$@" 0x0810=$status
		one enter 0 long "$@" 0x0810=$status 0x6820=0x202
		one enter 0 long "$@" 0x0810=$status 0x6820=0x202 0x4824=1
		one enter 0 long "$@" 0x0810=$status 0x6820=0x202 '0x4002|4'
	done
	one enter 0 long '0x4002|0x200000' '0x4000|0x80' '0x400c|0x8000'
	one enter 0 long "$@" '0x4000|0x80'
	set -- "$@" '0x4000|0x80' '0x400c|0x8000'
	for vector in 0 1 0xf2 0xff 0x100 0x1000 0xffff; do one enter 0 long "$@" 0x0002=$vector; done
	for place in p18 p18+1 p18+32 p18+64 p18+4032 0x8000000000000 0x10000000000 \
		0xffffffffffc0; do
		one enter 0 long "$@" 0x0002=0xf2 0x2016=$place
	done
}

# list GUEST MSR RESERVED VALUE: an entry that loads SYSENTER_CS and then this
list()
{
	v poke 24 0 0x174 >/dev/null
	v poke 24 8 0x10 >/dev/null
	v poke 24 16 "$(printf %#x $(($3 << 32 | $2)))" >/dev/null
	v poke 24 24 "$4" >/dev/null
	echo "list $2 $3 $4: $(one enter 0 "$1" 0x4014=2)"
}

# MSR lists of an entry: what must not be on one, and what its value must not be
msr_lists()
{
	list long 0x174 0 0x18
	list long 0x174 1 0x18
	for msr in 0xc0000100 0xc0000101 0x9b 0x800 0x808 0x830 0x8ff 0x480 0x48b 0xfe; do
		list long $msr 0 0
	done
	for value in 0 0x0007040600070406 0x0007040600070402 0x0807040600070406; do
		list long 0x277 0 $value
	done
	for msr in 0x175 0x176 0xc0000102 0xc0000082; do
		list long $msr 0 0x800000000000
	done
	list long 0x175 0 0xffff800000001000
	for value in 0 0x100 0x400 0x500 0xd01 0x2500 0x100000500; do
		for guest in long pae real; do
			list $guest 0xc0000080 0 $value
		done
	done
	list long 0x1d9 0 0
	for value in 0 1 0x10 0x8000000000000000; do
		list long 0x38f 0 $value
	done
}

# Two fields that have to fit each other, and fields that count only with a control
pairs()
{
	# events that are blocked, or not by what blocks others; halted and shut down guests
	for event in 0x800000ff 0x80000202 0x8000030d 0x80000312 0x80000301 0x80000700; do
		for state in 0 1 2 8; do
			one enter 0 long 0x4016=$event 0x4824=$state
			one enter 0 long 0x4016=$event 0x4824=$state 0x6820=0x202
		done
		one enter 0 long 0x4016=$event 0x4824=8 '0x4000|0x20'
		for state in 1 2; do
			one enter 0 long 0x4016=$event 0x4826=$state
			one enter 0 long 0x4016=$event 0x4826=$state 0x6820=0x202
		done
	done
	for code in 0x7fff 0x8000 0x10000 0x80000000; do
		one enter 0 long 0x4016=0x80000b0d 0x4018=$code
	done
	# a single step that is pending, or has to be
	for state in 1 2; do
		for pending in 0 0x4000; do
			one enter 0 long 0x4824=$state 0x6820=0x102 0x6822=$pending
			one enter 0 long 0x4824=$state 0x6820=0x102 0x6822=$pending 0x2802=2
		done
	done
	# controls that need another
	one enter 0 long '0x4000-0x40' '0x400c|0x400000'
	one enter 0 long '0x4000|0x40' '0x400c|0x400000'
	for nmi in 0 0x8 0x20 0x28; do
		one enter 0 long 0x4000-8 "0x4000|$nmi"
		one enter 0 long 0x4000-8 "0x4000|$nmi" '0x4002|0x400000' 0x6820=0x202
	done
	for count in 3 4 5 8; do one enter 0 long 0x400a=$count; done
	one enter 0 long 0x401e-0x20 0=0
	one enter 0 real 0x401e=0x80
	# PDPTEs in memory: of a frame with tables for 4 levels, and one that is empty
	for table in p4 p28 p28+8 p28+16 p28+32 0x10000000000; do
		one enter 0 pae 0x401e-2 0x6802=$table
	done
	for pdpte in 0x1 0x3 0x5 0x21 0x201 0x8000000000000001 0x10000000001; do
		one enter 0 pae 0x280e=$pdpte
	done
	# registers that are loaded only with a control, and that may then be wrong
	for value in 0 1 0x10 0x100000000 0x8000000000000000; do
		one enter 0 long '0x4012|0x2000' 0x2808=$value
		one enter 0 long '0x400c|0x1000' 0x2c04=$value
	done
	one enter 0 long 0x4012-0x8000 0x2806=0xffff
	one enter 0 long 0x4012-0x4000 0x2804=0x0807040600070406
	one enter 0 long 0x4012-4 0x681a=0x100000000
	one enter 0 long 0x400c-0x200000 0x2c02=0xffff
	one enter 0 long 0x400c-0x80000 0x2c00=0x0807040600070406
}

# Types of segments, and a segment that cannot be used
segments()
{
	for field in 0x4816 0x4818 0x481a 0x4820 0x4822; do
		for type in 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do
			one enter 0 long $field-0xf "$field|$type"
		done
	done
	for guest in long pae vm86; do
		for field in 0x4814 0x4816 0x4818 0x481a 0x4820 0x4822; do
			one enter 0 $guest "$field=0x10000"
			one enter 0 $guest "$field|0x60"
		done
		one enter 0 $guest '0x4818|0x60' 0x0804=3
		one enter 0 $guest 0x4820=0x82 0x080c=4
		one enter 0 $guest 0x4820=0x82 0x080c=8
	done
}
