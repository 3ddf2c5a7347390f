#!/bin/sh
# Installs Debian packages as root, without starting their services: VAS runs its own instances, on its own ports.
# usage: apt-install.sh PACKAGE...
set -u
export DEBIAN_FRONTEND=noninteractive

# While this file exits with 101, installed packages do not start their services (invoke-rc.d(8)).
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' >"$policy" && chmod 755 "$policy"
    trap 'rm -f "$policy"' EXIT
    trap 'exit 130' INT TERM
fi

# On a machine that has just booted another apt may be running: wait for its lock.
apt() {
    apt-get -o DPkg::Lock::Timeout=300 "$@"
}

# The package lists may be missing, or older than the packages on the mirror: in that case update and retry.
apt install -y --no-install-recommends "$@" || {
    apt update && apt install -y --no-install-recommends "$@"
}
