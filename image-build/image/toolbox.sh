#!/bin/sh
# Makes the toolbox: a Debian 13 root with compilers for arm64, an emulator and tools that make disks.
#
#   toolbox.sh              prints the path of the finished root
#   toolbox.sh run COMMAND  runs a command in it; the checkout is at /project there, the cache at /cache
#
# Some 40 s and 1.7 GB once.  Needs root and `setup.sh image`.
set -eu
. "$(dirname "$0")/common.sh"

root=$cache/toolbox-$(key_of "$image/toolbox.txt" -- "$SUITE")

if [ ! -e "$root/.finished" ]; then
    say "making the toolbox (Debian $SUITE)"
    rm -rf "$root"
    mmdebstrap --quiet --mode=root --architectures=amd64,arm64 --variant=apt \
        --include="$(entries "$image/toolbox.txt" | paste -sd,)" "$SUITE" "$root" \
        "deb $mirror $SUITE main" "deb $mirror $SUITE-updates main" "deb $security $SUITE-security main" >&2
    touch "$root/.finished"
fi
[ "${1:-}" = run ] || { printf '%s\n' "$root"; exit 0; }
shift

# In a separate mount namespace: mounts for the command disappear with it, however it ends.
mkdir -p "$root/project" "$root/cache"
exec unshare --mount --propagation private sh "$image/enter.sh" "$root" "$project" "$cache" "$@"
