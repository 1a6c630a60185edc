#!/bin/sh
# Puts what belongs to the system into its places, after the program itself: the command, manual pages, completion, systemd's files.
#     sh deploy/install.sh PREFIX SYSTEM
# PREFIX is the virtual environment that has the program, SYSTEM is /usr/local or a folder like it. `make install` calls this.
set -eu
prefix=$1 system=$2
here=$(dirname "$0")
slipway=$prefix/bin/slipway

mkdir -p "$system/bin" "$system/sbin" "$system/share/bash-completion/completions" "$system/share/zsh/site-functions" \
    "$system/share/fish/vendor_completions.d" "$system/lib/systemd/system" "$system/lib/sysusers.d" "$system/lib/tmpfiles.d"
ln -sfn "$slipway" "$system/bin/slipway"
"$slipway" man "$system/share/man" >/dev/null
"$slipway" completion bash >"$system/share/bash-completion/completions/slipway"
"$slipway" completion zsh >"$system/share/zsh/site-functions/_slipway"
"$slipway" completion fish >"$system/share/fish/vendor_completions.d/slipway.fish"
for unit in slipway.service slipway-console.service; do
    # The units name the program where it was put.
    sed -e "s|^ExecStart=/opt/slipway/|ExecStart=$prefix/|" "$here/$unit" >"$system/lib/systemd/system/$unit"
done
sed -e "s|/opt/slipway/bin|$prefix/bin|" "$here/slipway-as-daemon" >"$system/sbin/slipway-as-daemon"
chmod 0755 "$system/sbin/slipway-as-daemon"
cp "$here/sysusers.d/slipway.conf" "$system/lib/sysusers.d/slipway.conf"
cp "$here/tmpfiles.d/slipway.conf" "$system/lib/tmpfiles.d/slipway.conf"
