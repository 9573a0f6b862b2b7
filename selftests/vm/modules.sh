# shellcheck shell=bash
# Modules of the guest's kernel, which is Debian 12's. Sourced.

# guest_modules PATH...: under drivers/; guest_modules: arguments of selftests/machine/run
guest_modules()
{
	local drivers path

	drivers=build/kernels/6.1/tree/lib/modules/$(selftests/machine/kver 6.1)/kernel/drivers
	for path in "$@"; do
		guest_modules+=(--add "$drivers/$path.ko:/guest-bin/${path##*/}.ko")
	done
}

# vhost_modules: of the host's, for a tap that its kernel serves; adds to host_modules
vhost_modules()
{
	local drivers module

	drivers=build/kernels/6.1/tree/lib/modules/$(selftests/machine/kver 6.1)/kernel/drivers
	for module in net/tun net/tap vhost/vhost_iotlb vhost/vhost vhost/vhost_net; do
		host_modules+=(--add "$drivers/$module.ko:/lib/${module##*/}.ko")
	done
}
