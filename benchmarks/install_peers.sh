#!/bin/sh
# What benchmarks compare Slipway with, beside what the tests install for themselves. No service is started.
set -eu
wanted=""
for program in rclone lftp curl; do
    command -v "$program" >/dev/null 2>&1 || wanted="$wanted $program"
done
command -v redis-server >/dev/null 2>&1 || wanted="$wanted redis-server"
[ -n "$wanted" ] || exit 0
install="apt-get install --yes --no-install-recommends$wanted"
if [ "$(id -u)" = 0 ]; then sudo=""; elif sudo -n true 2>/dev/null; then sudo="sudo -n"; else
    echo "The benchmarks need these programs. Install them once, then run 'make bench' again:" >&2
    echo "    sudo $install" >&2
    exit 1
fi
echo "Installing for the benchmarks:$wanted"
export DEBIAN_FRONTEND=noninteractive
$sudo apt-get update -qq
# The machine's own services stay off, as tests/support/install_servers.sh has it.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    trap '$sudo rm -f "$policy"' EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
    printf '#!/bin/sh\nexit 101\n' | $sudo tee "$policy" >/dev/null
    $sudo chmod 755 "$policy"
fi
$sudo $install -qq >/dev/null
