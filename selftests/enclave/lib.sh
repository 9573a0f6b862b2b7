# shellcheck shell=bash
# What the tests of this suite share. Sourced: outside, where a test starts itself again in the
# test machine ("in_machine"), and inside.

if [ "${1:-}" != inside ]; then
	# in_machine [OPTION]...
	in_machine()
	{
		local add=("$@") name

		for name in life run attack beside hostile share share_vm vm; do
			add+=(--add "build/enclave/$name:/usr/bin/enclave-$name")
		done
		exec selftests/machine/run --cpus 2 "${add[@]}" \
			--add build/enclave/puppet.bin:/usr/lib/puppet.bin \
			--add selftests/lib.sh:/lib.sh --add selftests/testmod/ask.sh:/ask.sh \
			--add selftests/enclave/lib.sh:/enclave.sh \
			--add selftests/enclave/attack.sh:/attack.sh --add "$0:/test" -- bash /test inside
	}
	return
fi
# shellcheck source=selftests/lib.sh
. /lib.sh
# shellcheck source=selftests/testmod/ask.sh
. /ask.sh
in_machine() { :; }
