#!/bin/sh
# The servers that the tests start for themselves, and whatever other programs are named. Installed here if they may be, else the one
# command is said.
set -eu
wanted=""
PATH=$PATH:/usr/sbin:/usr/local/sbin
command -v mariadbd >/dev/null 2>&1 || wanted="$wanted mariadb-server"
command -v sshd >/dev/null 2>&1 || wanted="$wanted openssh-server"
command -v rsync >/dev/null 2>&1 || wanted="$wanted rsync"
command -v nginx >/dev/null 2>&1 || wanted="$wanted nginx-light"
command -v strace >/dev/null 2>&1 || wanted="$wanted strace"
command -v chromium-headless-shell >/dev/null 2>&1 || command -v chromium >/dev/null 2>&1 || wanted="$wanted chromium-headless-shell"
command -v systemd-analyze >/dev/null 2>&1 || wanted="$wanted systemd"
command -v groff >/dev/null 2>&1 || wanted="$wanted groff-base"
command -v promtool >/dev/null 2>&1 || wanted="$wanted prometheus"
for program in "$@"; do
    command -v "$program" >/dev/null 2>&1 || wanted="$wanted $program"
done
[ -n "$wanted" ] || exit 0
install="apt-get install --yes --no-install-recommends"
if ! command -v apt-get >/dev/null 2>&1; then
    echo "The tests need these programs, and this machine has no apt-get to install them:$wanted" >&2
    exit 1
fi
if [ "$(id -u)" = 0 ]; then sudo=""; elif sudo -n true 2>/dev/null; then sudo="sudo -n"; else
    echo "The tests need programs of their own. Install them once, then run this again:" >&2
    echo "    sudo $install$wanted" >&2
    exit 1
fi
echo "Installing for the tests:$wanted"
export DEBIAN_FRONTEND=noninteractive
$sudo apt-get update -qq
# Where the browser without windows is no package of its own, it is the whole browser.
apt-cache show chromium-headless-shell >/dev/null 2>&1 || wanted=$(echo "$wanted" | sed s/chromium-headless-shell/chromium/)
# The machine's own services stay off: the tests start private servers only. A policy that is there already is left alone.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    trap '$sudo rm -f "$policy"' EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
    printf '#!/bin/sh\nexit 101\n' | $sudo tee "$policy" >/dev/null
    $sudo chmod 755 "$policy"
fi
# shellcheck disable=SC2086 # a list of words
$sudo $install -qq $wanted >/dev/null
