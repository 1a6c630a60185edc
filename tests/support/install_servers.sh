#!/bin/sh
# The servers that the tests start for themselves. Installed here if it may be, else the one command is said.
set -eu
wanted=""
PATH=$PATH:/usr/sbin:/usr/local/sbin
command -v mariadbd >/dev/null 2>&1 || wanted="$wanted mariadb-server"
command -v sshd >/dev/null 2>&1 || wanted="$wanted openssh-server"
command -v rsync >/dev/null 2>&1 || wanted="$wanted rsync"
command -v nginx >/dev/null 2>&1 || wanted="$wanted nginx-light"
command -v strace >/dev/null 2>&1 || wanted="$wanted strace"
command -v chromium >/dev/null 2>&1 || wanted="$wanted chromium"
command -v systemd-analyze >/dev/null 2>&1 || wanted="$wanted systemd"
command -v groff >/dev/null 2>&1 || wanted="$wanted groff-base"
command -v promtool >/dev/null 2>&1 || wanted="$wanted prometheus"
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
# The machine's own services stay off: the tests start private servers only. A policy that is there already is left alone.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    trap '$sudo rm -f "$policy"' EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
    printf '#!/bin/sh\nexit 101\n' | $sudo tee "$policy" >/dev/null
    $sudo chmod 755 "$policy"
fi
$sudo $install -qq >/dev/null
