#!/bin/sh
# Makes this checkout ready to run: Debian packages, a virtual environment, the package itself.
#   image-build/setup.sh run|test|deb|image
# "run" installs what the box needs, "test" adds the peers and tools of the tests, "deb" and "image" the tools that make
# the package and the image.  Quick when nothing has changed.
set -eu

purpose=${1:?run, test, deb or image}
here=$(cd "$(dirname "$0")/.." && pwd)
cd "$here"
python=${PYTHON:-python3}
venv=$here/.venv

exec 3>&1 # for messages, also those of a step whose output is kept
say() { printf 'setup: %s\n' "$*" >&3; }

as_root() {
    if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

# -- parallel steps -------------------------------------------------------------------

# The output of a step is kept, and shown if the step fails.
outputs=$(mktemp -d)
trap 'rm -rf "$outputs"' EXIT
trap 'trap - TERM; kill 0' INT # what runs in the background does not hear Ctrl-C by itself

beside() {  # FUNCTION: starts a step beside the others
    "$1" >"$outputs/$1" 2>&1 &
    eval "process_$1=$!"
}

finished() {  # FUNCTION...: waits for these steps; when one has failed, set-up ends
    failed=
    for step in "$@"; do
        eval "process=\$process_$step process_$step="
        if [ -n "$process" ] && ! wait "$process"; then # empty: it was waited for before
            say "this step failed: $step"
            cat "$outputs/$step" >&2
            failed=yes
        fi
    done
    [ -z "$failed" ] || { wait; exit 1; }
}

# -- which steps are needed -----------------------------------------------------------------------

version() { "$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])'; }

# .venv has another Python than the one asked for (make test PYTHON=python3.13).
if [ -n "${PYTHON:-}" ] && [ -x "$venv/bin/python" ] && [ "$(version "$venv/bin/python")" != "$(version "$python")" ]; then
    say ".venv has Python $(version "$venv/bin/python"); it is made anew"
    rm -rf "$venv"
fi
if [ -x "$venv/bin/python" ]; then python=$venv/bin/python; fi

# Lists of Debian packages: those that later steps need, and those that are installed in parallel with them.
later=
case $purpose in
    run) first=run ;;
    test) first='run printing' later=test ;;
    deb | image) first="run $purpose"; purpose=run ;;
    *) say "run, test, deb or image, not $purpose"; exit 64 ;;
esac
if [ "$purpose" = test ] && ! command -v npm >/dev/null 2>&1; then later="$later node"; fi

# lgpio has no wheel for Python 3.13 (Debian 13): it is compiled then, and PYPI=1 makes its build include its
# C library.  A machine without Python may get either version.
export PYPI=1
if ! command -v "$python" >/dev/null 2>&1 || "$python" -c 'import sys; sys.exit(sys.version_info < (3, 13))'; then first="$first build"; fi

# pjsua2 is built from source, a minute or two once; the wheel is kept for later checkouts.
pjsua2=$venv/.faxbox-pjsua2
pjsua2_wanted=$(cat image-build/pjsua2/* | sha256sum)
pjsua2_missing=
if [ "$(cat "$pjsua2" 2>/dev/null || true)" != "$pjsua2_wanted" ]; then
    pjsua2_missing=yes
    if ! image-build/pjsua2/build.sh --python "$python" --cached >/dev/null 2>&1; then first="$first build"; fi
fi

hylafax=.cache/hylafax
hylafax_missing=
if [ "$purpose" = test ] && [ ! -x $hylafax/usr/lib/hylafax/bin/faxsend ]; then hylafax_missing=yes; fi

# -- Debian packages ---------------------------------------------------------------------------

installed() { dpkg-query -W -f '${Status}' "$1" 2>/dev/null | grep -q 'install ok installed'; }

# Prints the lines of lists of which no alternative is installed, each once.
missing_of() {
    for list in "$@"; do
        sed -e 's/#.*//' -e '/^[[:space:]]*$/d' "image-build/packages/$list.txt"
    done | while IFS= read -r line; do
        found=
        for name in $(printf '%s' "$line" | tr '|' ' '); do
            if installed "$name"; then found=yes; fi
        done
        [ -n "$found" ] || printf '%s\n' "$line"
    done | awk '!seen[$0]++'
}

choose() {  # "a | b" -> the alternative that apt knows
    for name in $(printf '%s' "$1" | tr '|' ' '); do
        if apt-cache show "$name" >/dev/null 2>&1; then printf '%s\n' "$name"; return; fi
    done
    printf '%s\n' "${1%% *}"
}

# Installs the packages that missing_of printed.
install() {
    [ -n "$1" ] || return 0
    packages=$(printf '%s\n' "$1" | while IFS= read -r line; do choose "$line"; done | tr '\n' ' ')
    say "installing from Debian: $packages"
    # shellcheck disable=SC2086 # the packages are words
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $packages
}

install_first() { install "$first_missing"; }
install_later() { install "$later_missing"; }

# Debian's HylaFAX is a peer in the tests; it is unpacked, not installed: no service of it ever runs.
unpack_hylafax() {
    if [ -z "$hylafax_missing" ]; then return; fi
    say "unpacking Debian's HylaFAX into $hylafax"
    sh tests/softmodem/get-hylafax.sh
}

# -- Python and npm packages -------------------------------------------------------------------

install_python() {
    if [ ! -x "$venv/bin/python" ]; then
        say "making a virtual environment in .venv with $($python --version)"
        "$python" -m venv "$venv"
    fi
    extra=
    if [ "$purpose" = test ]; then extra='[dev,printing]'; fi
    stamp=$venv/.faxbox-$purpose
    wanted=$(cat pyproject.toml setup.py image-build/requirements.lock appliance/documents/bilevel/c/* appliance/documents/pictures/_jpeg.c appliance/documents/_memory.c appliance/t4/c/* image-build/setup.sh | sha256sum)
    if [ "$(cat "$stamp" 2>/dev/null || true)" != "$wanted" ]; then
        say "installing from PyPI into .venv: $(sed -n '/^dependencies/,/^]/p' pyproject.toml | grep -o '"[^"]*"' | tr -d '"' | tr '\n' ' ')${extra:+and the test tools}"
        # The box's packages have versions and hashes in the lock (make lock); those of the test tools are in pyproject.toml.
        "$venv/bin/pip" install --quiet --disable-pip-version-check --require-hashes --requirement image-build/requirements.lock
        "$venv/bin/pip" install --quiet --disable-pip-version-check --editable ".$extra"
        printf '%s\n' "$wanted" >"$stamp"
    else
        say "Python packages: all there"
    fi
    # Compiles byte code once: some environments forbid Python to write it at a start.
    "$venv/bin/python" -m compileall -q appliance webui
}

# Puts the wheel into the cache.
build_pjsua2() {
    if [ -z "$pjsua2_missing" ]; then return; fi
    if image-build/pjsua2/build.sh --python "$python" --cached >/dev/null 2>&1; then return; fi
    say "building pjsua2 (SIP) from source; this takes a minute or two, once"
    image-build/pjsua2/build.sh --python "$python"
}

install_pjsua2() {
    if [ -z "$pjsua2_missing" ]; then
        say "pjsua2: there"
        return
    fi
    wheel=$(image-build/pjsua2/build.sh --python "$python" --cached)
    "$venv/bin/pip" install --quiet --disable-pip-version-check --force-reinstall --no-deps "$wheel"
    printf '%s\n' "$pjsua2_wanted" >"$pjsua2"
}

# npm's locks hold versions and hashes.  axe-core checks the web pages; openapi-typescript and the compiler make a client
# of the API.
install_npm() {
    for folder in tests/web tests/api/typescript; do
        there=$folder/node_modules/.faxbox-npm
        wanted=$(sha256sum <"$folder/package-lock.json")
        if [ "$(cat "$there" 2>/dev/null || true)" = "$wanted" ]; then continue; fi
        say "installing from npm for $folder (tests only)"
        npm ci --prefix "$folder" --no-audit --no-fund --loglevel=error
        printf '%s\n' "$wanted" >"$there"
    done
    say "npm packages: all there"
}

# ----------------------------------------------------------------------------------------------

# shellcheck disable=SC2086 # the lists are words
first_missing=$(missing_of $first)
# shellcheck disable=SC2086
later_missing=$(missing_of $later)
if [ -n "$first_missing$later_missing$hylafax_missing" ]; then
    say "looking up Debian packages (apt-get update)"
    as_root apt-get update -qq
fi
if [ -z "$first_missing$later_missing" ]; then say "Debian packages ($first $later): all there"; fi

beside install_first
finished install_first
beside install_later
beside unpack_hylafax
beside build_pjsua2
beside install_python
if [ "$purpose" = test ]; then
    command -v npm >/dev/null 2>&1 || finished install_later # npm is one of them
    beside install_npm
    finished install_npm
fi
finished install_later unpack_hylafax build_pjsua2 install_python
install_pjsua2
