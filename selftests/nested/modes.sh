# shellcheck shell=bash
# VMX instructions of an ordinary guest, in each mode of the CPU. Sourced after vmx.sh.

# As 8 bytes of code, with HLT behind. Memory operands: (RDX), in 16-bit code (BP+SI)
insns="nop=90 vmcall=0f01c1 vmlaunch=0f01c2 vmresume=0f01c3 vmxoff=0f01c4 vmfunc=0f01d4
vmxon=f30fc732 vmclear=660fc732 vmptrld=0fc732 vmptrst=0fc73a vmread=0f780a vmwrite=0f790a
invept=660f38800a invvpid=660f38810a getsec=0f37"

# word BYTES: as a number, in $number
word()
{
	local rest=$1

	number=
	while [ -n "$rest" ]; do
		number=${rest:0:2}$number
		rest=${rest:2}
	done
	number=f4f4f4f4f4f4f4f4$number
	number=0x${number: -16}
}

# mode NAME GUEST [CHANGE]...: all of them there
mode()
{
	local insn number

	for insn in $insns; do
		word "${insn#*=}"
		printf %s "${insn%=*} in $1: "
		one enter 0 "${@:2}" "@p2=$number"
	done
}

# Pages for user mode, too: of 2 MiB, or for vm86, whose segments begin at 0x10000, one of 4 KiB
modes()
{
	local code user tables

	v region 1 0
	echo page 2 >$DO
	read -r code <$DO
	printf -v user '@p5+%#x=%#x' $((code >> 21 << 3 & 0xfff)) $((code >> 21 << 21 | 0x87))
	tables="@p3=p4+7 @p4=p5+7"
	# shellcheck disable=SC2086 # a word each
	{
		mode "64-bit code" long
		mode "64-bit code of ring 3" long $tables "$user" 0x0802=11 0x0804=11 \
			0x4816=0xa0fb 0x4818=0xc0f3
		mode "compatibility mode" long 0x4816=0xc09b
		mode "compatibility mode, ring 3" long $tables "$user" 0x0802=11 0x0804=11 \
			0x4816=0xc0fb 0x4818=0xc0f3
		mode "32-bit code" pae
		mode "32-bit code of ring 3" pae "$user" 0x0802=11 0x0804=11 \
			0x4816=0xc0fb 0x4818=0xc0f3
		mode "vm86" vm86 @p5=p4+7 @p4+0x80=p2+7
		mode "real mode" real
		mode "64-bit code without EPT" noept
	}
}
