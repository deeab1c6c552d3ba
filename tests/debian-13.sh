#!/bin/sh
# Runs the tests on Debian 13, with its Python 3.13, CUPS, Pango and all other packages: `make test` on a copy of this
# checkout in a root file system of its own.
#
#   debian-13.sh [WORDS FOR PYTEST]      make test-debian-13 PYTEST="tests/printing -n 2"
#
# Needs root. The first time it takes minutes and 4 GB, kept in ~/.cache/faxbox; the network is this machine's.
set -eu
project=$(CDPATH='' cd -- "$(dirname "$0")/.." && pwd)
mirror=${DEBIAN_MIRROR:-http://deb.debian.org/debian}
root=${XDG_CACHE_HOME:-$HOME/.cache}/faxbox/debian-13

# In namespaces of its own, so that its mounts and processes disappear with it, however it ends.
if [ "${1:-}" != inside ]; then exec unshare --mount --pid --fork --kill-child --mount-proc "$0" inside "$@"; fi
shift

for tool in mmdebstrap rsync; do
    command -v $tool >/dev/null || apt-get install --yes --no-install-recommends $tool
done
if [ ! -e "$root/usr/bin/make" ]; then
    rm -rf "$root.part"
    mkdir -p "$(dirname "$root")"
    mmdebstrap --quiet --mode=root --variant=important --dpkgopt=force-unsafe-io \
        --include=ca-certificates,git,make,python3-venv trixie "$root.part" "deb $mirror trixie main"
    printf '#!/bin/sh\nexit 101\n' >"$root.part/usr/sbin/policy-rc.d" # servers that are installed do not start
    chmod +x "$root.part/usr/sbin/policy-rc.d"
    cp -r /usr/local/share/ca-certificates "$root.part/usr/local/share/" # this machine's own authorities hold there, too
    chroot "$root.part" update-ca-certificates >/dev/null 2>&1
    mv "$root.part" "$root"
fi
mkdir -p "$root/faxbox"
# What git ignores is not copied and stays: what set-up made there.
rsync --archive --delete --exclude=/.git --filter=':- .gitignore' "$project/" "$root/faxbox/"
cp /etc/resolv.conf "$root/etc/resolv.conf"
mount --bind "$root" "$root"
for each in proc sys dev; do mount --rbind "/$each" "$root/$each"; done
# Not by chroot alone: within one, tests could not make networks of their own.
cd "$root"
pivot_root . mnt
exec chroot . env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 sh -c \
    'umount --lazy /mnt && exec make --no-print-directory -C /faxbox test PYTEST="$*"' make "$@"
