#!/bin/sh
# The servers that the tests start for themselves. Installed here if it may be, else the one command is said.
set -eu
wanted=""
PATH=$PATH:/usr/sbin:/usr/local/sbin
command -v mariadbd >/dev/null 2>&1 || wanted="$wanted mariadb-server"
command -v sshd >/dev/null 2>&1 || wanted="$wanted openssh-server"
command -v rsync >/dev/null 2>&1 || wanted="$wanted rsync"
[ -n "$wanted" ] || exit 0
install="apt-get install --yes --no-install-recommends$wanted"
if ! command -v apt-get >/dev/null 2>&1; then
    echo "The tests need these programs, and this machine has no apt-get to install them:$wanted" >&2
    exit 1
fi
if [ "$(id -u)" = 0 ]; then sudo=""; elif sudo -n true 2>/dev/null; then sudo="sudo -n"; else
    echo "The tests need servers of their own. Install them once, then run 'make test' again:" >&2
    echo "    sudo $install" >&2
    exit 1
fi
echo "Installing for the tests:$wanted"
export DEBIAN_FRONTEND=noninteractive
$sudo apt-get update -qq
# The machine's own services stay off: the tests start private servers only.
printf '#!/bin/sh\nexit 101\n' | $sudo tee /usr/sbin/policy-rc.d.slipway >/dev/null
$sudo chmod 755 /usr/sbin/policy-rc.d.slipway
[ -e /usr/sbin/policy-rc.d ] || { $sudo mv /usr/sbin/policy-rc.d.slipway /usr/sbin/policy-rc.d; ours=1; }
status=0
$sudo $install -qq >/dev/null || status=$?
if [ "${ours:-}" ]; then $sudo rm -f /usr/sbin/policy-rc.d; else $sudo rm -f /usr/sbin/policy-rc.d.slipway; fi
exit $status
