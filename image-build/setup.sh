#!/bin/sh
# Makes this checkout ready to run: Debian packages, a virtual environment, the package itself.
#   image-build/setup.sh run|test|deb|image
# "run" is what the box needs, "test" adds the peers and tools of the tests, "deb" and "image" those that make the
# package and the image.
# Quick when nothing changed.
set -eu

purpose=${1:?run, test, deb or image}
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

# Installs what is missing of the lists named.
install_lists() {
    missing=$(for list in "$@"; do missing_of "$list"; done)
    if [ -z "$missing" ]; then
        say "Debian packages ($*): all there"
        return
    fi
    say "looking up Debian packages (apt-get update)"
    as_root apt-get update -qq
    packages=$(printf '%s\n' "$missing" | while IFS= read -r line; do choose "$line"; done | tr '\n' ' ')
    say "installing from Debian: $packages"
    # shellcheck disable=SC2086 # the packages are words
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $packages
}

case $purpose in
    run) install_lists run ;;
    test) install_lists run test ;;
    deb | image) install_lists run "$purpose"; purpose=run ;;
    *) say "run, test, deb or image, not $purpose"; exit 64 ;;
esac

version() { "$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])'; }

# Another Python was asked for than .venv has (make test PYTHON=python3.13).
if [ -n "${PYTHON:-}" ] && [ -x "$venv/bin/python" ] && [ "$(version "$venv/bin/python")" != "$(version "$python")" ]; then
    say ".venv has Python $(version "$venv/bin/python"); it is made anew"
    rm -rf "$venv"
fi

if [ ! -x "$venv/bin/python" ]; then
    say "making a virtual environment in .venv with $($python --version)"
    "$python" -m venv "$venv"
fi

# lgpio has no wheel for Python 3.13 (Debian 13): it is compiled then, and PYPI=1 is its own word for a module that
# brings its C library.
export PYPI=1
if "$python" -c 'import sys; sys.exit(sys.version_info < (3, 13))'; then install_lists build; fi

extra=
[ "$purpose" = test ] && extra='[dev,printing]'
stamp=$venv/.faxbox-$purpose
wanted=$(cat pyproject.toml setup.py image-build/requirements.lock appliance/documents/bilevel_c/* appliance/t4/_mmr.c image-build/setup.sh | sha256sum)
if [ "$(cat "$stamp" 2>/dev/null || true)" != "$wanted" ]; then
    say "installing from PyPI into .venv: $(sed -n '/^dependencies/,/^]/p' pyproject.toml | grep -o '"[^"]*"' | tr -d '"' | tr '\n' ' ')${extra:+and the test tools}"
    # What the box runs on has its version and hash in the lock (make lock); the test tools follow pyproject.toml.
    "$venv/bin/pip" install --quiet --disable-pip-version-check --require-hashes --requirement image-build/requirements.lock
    "$venv/bin/pip" install --quiet --disable-pip-version-check --editable ".$extra"
    printf '%s\n' "$wanted" >"$stamp"
else
    say "Python packages: all there"
fi

# Byte code once, not at each start: some environments forbid Python to write it by itself.
"$venv/bin/python" -m compileall -q appliance webui

# pjsua2 is built from source, a few minutes once; the wheel is kept for later checkouts.
pjsua2=$venv/.faxbox-pjsua2
wanted=$(cat image-build/pjsua2/* | sha256sum)
if [ "$(cat "$pjsua2" 2>/dev/null || true)" != "$wanted" ]; then
    if ! wheel=$(image-build/pjsua2/build.sh --python "$venv/bin/python" --cached 2>/dev/null); then
        install_lists build
        say "building pjsua2 (SIP) from source; this takes some minutes, once"
        wheel=$(image-build/pjsua2/build.sh --python "$venv/bin/python")
    fi
    "$venv/bin/pip" install --quiet --disable-pip-version-check --force-reinstall --no-deps "$wheel"
    printf '%s\n' "$wanted" >"$pjsua2"
else
    say "pjsua2: there"
fi

if [ "$purpose" = test ]; then
    # npm's locks say which versions, with their hashes: axe-core looks at the web pages, openapi-typescript and the
    # compiler make a client of the API.
    for folder in tests/web tests/api/typescript; do
        there=$folder/node_modules/.faxbox-npm
        wanted=$(cat "$folder/package-lock.json" | sha256sum)
        if [ "$(cat "$there" 2>/dev/null || true)" = "$wanted" ]; then continue; fi
        if ! command -v npm >/dev/null 2>&1; then install_lists node; fi
        say "installing from npm for $folder (tests only)"
        npm ci --prefix "$folder" --no-audit --no-fund --silent
        printf '%s\n' "$wanted" >"$there"
    done
    say "npm packages: all there"
    # Debian's HylaFAX is a peer in the tests; it is unpacked, not installed: no service of it ever runs.
    if [ ! -x .cache/hylafax/usr/lib/hylafax/bin/faxsend ]; then
        say "unpacking Debian's HylaFAX into .cache/hylafax"
        as_root apt-get update -qq
        sh tests/softmodem/get-hylafax.sh
    fi
fi
