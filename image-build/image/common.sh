# Shared by the steps of the image.  Sourced, not run.
#   project, image   the checkout, and the folder of these scripts
#   architecture     of the machines that the image is for (FAXBOX_ARCHITECTURE): arm64 or amd64; Debian's name
#   machine          the same by its kernel's name
#   cache            folder of the results of steps, each under a key of everything that it depends on
# shellcheck shell=sh disable=SC2034

image=$(cd "$(dirname "$0")" && pwd)
project=$(cd "$image/../.." && pwd)
cache=${FAXBOX_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/faxbox}/image
SUITE=trixie
architecture=${FAXBOX_ARCHITECTURE:-arm64}
mirror=${FAXBOX_DEBIAN_MIRROR:-http://deb.debian.org/debian}
security=${FAXBOX_DEBIAN_SECURITY_MIRROR:-http://security.debian.org/debian-security}

say() { printf 'image: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

# Prints the entries of a list with comments.
entries() { sed -e 's/#.*//' -e '/^[[:space:]]*$/d' -e 's/[[:space:]]*$//' "$@"; }

# Prints a short key for files and words: key_of FILE... [-- WORD...]
key_of() {
    {
        while [ $# -gt 0 ] && [ "$1" != -- ]; do cat "$1"; shift; done
        printf '%s\n' "$*"
    } | sha256sum | cut -c1-16
}

case $architecture in
    arm64) machine=aarch64 ;;
    amd64) machine=x86_64 ;;
    *) die "no image for $architecture: FAXBOX_ARCHITECTURE is arm64 or amd64" ;;
esac
[ "$(id -u)" -eq 0 ] || die "needs root: Debian's root file systems are made with their own owners (sudo make image)"
mkdir -p "$cache"
