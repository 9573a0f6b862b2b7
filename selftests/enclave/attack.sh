# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # what each uses of it; its own addresses
# In the test machine: what the tests share that attack enclaves, with a victim in a process, and
# enclaves that testmod makes without the module. Sourced.

HC_DONATE=3 HC_CLOSE=6 HC_VM_DESTROY=9 HC_VM_STATUS=10 HC_OFFER=12
CREATE=20 ADD=21 BUFFER=22 FINISH=23 DESTROY=24 E_STATUS=25 REFILL=26 RUN=27
EPERM=-1 ENOENT=-2 EAGAIN=-11 EFAULT=-14 EBUSY=-16 EEXIST=-17 EINVAL=-22
CALL=0 ANSWER=1 RESUME=2
RETURNED=0 OCALL=1 INTERRUPTED=2 FAULTED=4
PROTECTED_READ=0 PROTECTED_WRITE=1 BAD_HYPERCALL=3 # counters
ORDER_ADD=0 HIDE=17 LEAVE=19
PRIVATE=4 MEMORY=5 # state and type of an enclave's frames
SECRET=11

# count NAME: in $n; $a stays as it is
count()
{
	local answer=$a

	t counter $1
	n=$a a=$answer
}

# world: what one call could change, in $w
world()
{
	local line

	w=
	while IFS= read -r line; do
		[ "${line#frames}" = "$line" ] || w+=$line,
	done <$STATUS
}

# left: frames that domains have, and the others, in $l; tables of the host's space stay split
left()
{
	l=$(awk '/^frames (private|of type (guest|state))/ { print }
		/^frames (host|transit|free|of type table)/ { n += $NF } END { print n }' $STATUS)
}

# bad NAME WANTED NUMBER [ARGUMENT]...: refused with this error and counted, nothing changed
bad()
{
	local name=$1 wanted=$2 before number got

	shift 2
	world
	before=$w
	count $BAD_HYPERCALL
	number=$n
	hc "$@"
	got=$a
	count $BAD_HYPERCALL
	world
	[ "$got" = "$wanted" ] && [ "$w" = "$before" ] && [ "$n" -gt "$number" ]
	ok $? "$name" || diag "     got: $got, refusals $number and $n" "  wanted: $wanted" \
		"before: $before" " after: $w"
}

# good NAME WANTED NUMBER [ARGUMENT]...
good()
{
	hc "${@:3}"
	is "$a" "$2" "$1"
}

# asked NAME WANTED COMMAND...: what testmod says
asked()
{
	t "${@:3}"
	is "$a" "$2" "$1"
}

# tell LINE: to the victim; its answer is in $v
tell()
{
	echo "$1" >&8
	read -r -t 60 v <&9
}

whole()
{
	tell count
	is "$v" 512 "$1: the enclave has all it had"
}

victim_start()
{
	[ -p /tmp/in ] || mkfifo /tmp/in /tmp/out
	enclave-attack </tmp/in >/tmp/out &
	victim=$!
	exec 8>/tmp/in 9</tmp/out
	read -r -t 60 domain <&9
}

# ---- enclaves of testmod's own: code at 0x10000 that spins until what RDI points to is not 0,
# one page of buffer in use, one thread
# policy [OFFSET WORD]...: struct mon_enclave_make at $own
policy()
{
	t stos $own 0 296
	poke $own 7 0 $((1 | 3 << 32)) 1 0x10000 0x11000 1 0x20000 0x22000 3 0x30000 0x34000 2
	poke $((own + 224)) 0x10000 0 0x30000 0x4000
	while [ $# -gt 0 ]; do
		poke $((own + $1)) "$2"
		shift 2
	done
}

# raw [OFFSET WORD]...: made, but not finished, in $id
# shellcheck disable=SC2120 # attack.test has arguments for it
raw()
{
	policy "$@"
	hc $CREATE $own
	id=$a
	poke $code 0xb848fa74003f8348 0x4d4f4e0000000000 0x0b0fc1010f
	poke $word 0
}

# ready: another one, finished
ready()
{
	raw
	hc $ADD "$id" 0x10000 5 $code
	hc $BUFFER "$id" 0 $((word / 4096))
	hc $FINISH "$id"
}
