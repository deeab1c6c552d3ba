#!/bin/sh
# Makes faxbox_VERSION_ARCHITECTURE.deb for Debian 13 on this machine, compiled in the toolbox.
#
#   package.sh   prints the path of the package
#
# Needs .venv (`make setup`), whose pip fetches the wheels.  Five minutes of a processor for pjsua2 once.
set -eu
. "$(dirname "$0")/common.sh"

SERIES=3.13 # of Python, in Debian 13
version=$("$project/image-build/version.sh")
package=$project/dist/faxbox_${version}_$architecture.deb
changed=$(git -C "$project" status --porcelain --untracked-files=no)
if [ -e "$package" ] && [ -z "$changed" ]; then printf '%s\n' "$package"; exit 0; fi

lock=$project/image-build/requirements.lock
wheels=wheels-$(key_of "$lock" -- $SERIES $machine)
if [ ! -e "$cache/$wheels/.finished" ]; then
    say "fetching the Python packages for $machine"
    rm -rf "${cache:?}/$wheels"
    mkdir -p "$cache/$wheels"
    # One package has no wheel for this Python: its source is fetched, with the hash of the lock, and compiled.
    awk '/^[^ ]/ { mine = /^lgpio==/ } !mine' "$lock" >"$cache/$wheels/requirements.lock"
    awk '/^[^ ]/ { mine = /^lgpio==/ } mine' "$lock" >"$cache/$wheels/compiled.lock"
    pip() { "$project/.venv/bin/pip" download --quiet --disable-pip-version-check --require-hashes --dest "$cache/$wheels" "$@" >&2; }
    # shellcheck disable=SC2046 # words
    pip --only-binary=:all: $("$project/image-build/wheels-for.sh" $SERIES $machine) \
        --requirement "$cache/$wheels/requirements.lock"
    pip --no-deps --no-binary=:all: --requirement "$cache/$wheels/compiled.lock"
    touch "$cache/$wheels/.finished"
fi

# Compiles the committed files with the changes of the checkout.
source=$cache/source
rm -rf "$source"
mkdir -p "$source"
tree=$(git -C "$project" stash create)
git -C "$project" archive "${tree:-HEAD}" | tar -x -C "$source"
"$image/toolbox.sh" run env FAXBOX_FOR="$architecture" FAXBOX_VERSION="$version" FAXBOX_WHEELS="/cache/$wheels" \
    FAXBOX_CACHE=/cache/built FAXBOX_DEBIAN_MIRROR="$mirror" \
    SOURCE_DATE_EPOCH="${SOURCE_DATE_EPOCH:-$(git -C "$project" log -1 --format=%ct)}" \
    /cache/source/image-build/deb/build.sh --out /cache/source/dist >&2
mkdir -p "$project/dist"
mv "$source"/dist/*.deb "$package"
rm -rf "$source"
printf '%s\n' "$package"
