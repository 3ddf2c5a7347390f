#!/bin/sh
# Installs Debian packages as root, without starting the services they bring: VAS runs its own, on its own ports.
# usage: apt-install.sh PACKAGE...
set -u
export DEBIAN_FRONTEND=noninteractive

# While this file answers 101, packages that are being installed start nothing (invoke-rc.d(8)).
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' >"$policy" && chmod 755 "$policy"
    trap 'rm -f "$policy"' EXIT
    trap 'exit 130' INT TERM
fi

# Another apt may be at work, on a machine that has just started: wait for its lock.
apt() {
    apt-get -o DPkg::Lock::Timeout=300 "$@"
}

# The package lists may be missing, or older than the packages on the mirror: then update and try again.
apt install -y --no-install-recommends "$@" || {
    apt update && apt install -y --no-install-recommends "$@"
}
