#!/bin/sh
# Makes this checkout ready to run: Debian packages, a virtual environment, the package itself.
#   image-build/setup.sh run|test
# "run" is what the box needs, "test" adds the peers and tools of the tests. Quick when nothing changed.
set -eu

purpose=${1:?run or test}
here=$(cd "$(dirname "$0")/.." && pwd)
cd "$here"
python=${PYTHON:-python3}
venv=$here/.venv

say() { printf 'setup: %s\n' "$*"; }

as_root() {
    if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

installed() { dpkg-query -W -f '${Status}' "$1" 2>/dev/null | grep -q 'install ok installed'; }

# Prints the packages of one list that are missing; of "a | b" the first that this Debian release has.
missing_of() {
    sed -e 's/#.*//' -e '/^[[:space:]]*$/d' "image-build/packages/$1.txt" | while IFS= read -r line; do
        found=
        for name in $(printf '%s' "$line" | tr '|' ' '); do
            if installed "$name"; then found=yes; fi
        done
        [ -n "$found" ] || printf '%s\n' "$line"
    done
}

choose() {  # "a | b" -> the alternative that apt knows
    for name in $(printf '%s' "$1" | tr '|' ' '); do
        if apt-cache show "$name" >/dev/null 2>&1; then printf '%s\n' "$name"; return; fi
    done
    printf '%s\n' "${1%% *}"
}

lists=run
[ "$purpose" = test ] && lists="run test"

missing=$(for list in $lists; do missing_of "$list"; done)
if [ -n "$missing" ]; then
    say "looking up Debian packages (apt-get update)"
    as_root apt-get update -qq
    packages=$(printf '%s\n' "$missing" | while IFS= read -r line; do choose "$line"; done | tr '\n' ' ')
    say "installing from Debian: $packages"
    # shellcheck disable=SC2086
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $packages
else
    say "Debian packages: all there"
fi

if [ ! -x "$venv/bin/python" ]; then
    say "making a virtual environment in .venv with $($python --version)"
    "$python" -m venv "$venv"
fi

extra=
[ "$purpose" = test ] && extra='[dev]'
stamp=$venv/.faxbox-$purpose
wanted=$(cat pyproject.toml image-build/setup.sh | sha256sum)
if [ "$(cat "$stamp" 2>/dev/null || true)" != "$wanted" ]; then
    say "installing from PyPI into .venv: $(sed -n '/^dependencies/,/^]/p' pyproject.toml | grep -o '"[^"]*"' | tr -d '"' | tr '\n' ' ')${extra:+and the test tools}"
    "$venv/bin/pip" install --quiet --disable-pip-version-check --editable ".$extra"
    printf '%s\n' "$wanted" >"$stamp"
else
    say "Python packages: all there"
fi
