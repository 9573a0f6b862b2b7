# shellcheck shell=bash
# VM entries with the values of fields.txt, for entry.test. Sourced after vmx.sh.
page="p28+1 p28+8 p28+2048 0x10000000000 0x8000000000000 0xfffffffffffff000 0xffffffffffffffff"
canonical="0x800000000000 0xffff7fffffffffff 0x1000000000000 0x8000000000000000"

# tried EXPECTED GUEST CHANGES FIELD [VALUE]...: an entry with each value
tried()
{
	local row="row $4 $1: " guest=$2 changes=${3#=} field=$4 value

	for value in "${@:5}"; do
		[[ $value == [\|^-]* ]] || value="=$value"
		printf %s "$row"
		# shellcheck disable=SC2086 # a word each
		one enter 0 $guest ${changes//,/ } "$field$value"
	done
}

# refusal REFUSED: what an entry comes to that is refused, in $expected
refusal()
{
	case $1 in
	[78]) expected="fail $1" ;;
	33+*) expected="exit 33 entry q 0x${1#33+}" ;;
	33) expected="exit 33 entry q 0x0" ;;
	*) expected="anything" ;;
	esac
}

# rows: an entry for each value of /fields.txt, with the controls it needs and without them
rows()
{
	local field refused guest on off values expected bad nr

	v region 1 0
	v region 16 0
	while read -r field refused guest on off values; do
		[ "${field#\#}" = "$field" ] && [ "$refused" != x ] || continue
		refusal "$refused"
		bad=${values%%/*}
		bad=${bad/@page/$page}
		bad=${bad/@canonical/$canonical}
		# shellcheck disable=SC2086 # a word each
		{
			tried "$expected" "$guest" "$on" "$field" $bad
			[ "$off" = . ] || tried entered "$guest" "$off" "$field" $bad
			tried entered "$guest" "$on" "$field" ${values#*/}
		}
	done </fields.txt
	# as they were: other entries use them
	for nr in 20 21 22 23 24 25 28; do
		v region $nr 0
		v poke $nr 0 0
	done
}

# unexpected: of the entries of rows() on standard input, those that came to something else
# than the table says
unexpected()
{
	awk '/^row / {
		split($0, part, ": ")
		expected = part[1]
		sub(/^row [^ ]+ /, "", expected)
		outcome = part[3]
		entered = outcome ~ /^exit / && outcome !~ /^exit [0-9]+ entry/
		if (expected == "entered" ? !entered :
		    expected != "anything" && index(outcome " ", expected " ") != 1)
			print
	}'
}
