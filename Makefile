# Two commands matter: `make demo` and `make test`. Each does all set-up by itself.

# Most tests wait for lines, servers and browsers in real time, so there are four more workers than processors (some 350 MB each).
WORKERS ?= $(shell expr $$(nproc) + 4)

.PHONY: image image-test screenshots help setup test-setup demo test coverage test-full test-debian-13 lint bench lock deb clean

help:
	@echo "make demo   send a real PDF as a fax over the practice line and show what arrived"
	@echo "make test   run every check: ruff, mypy, pytest"
	@echo "make test-full  the same attacks and loads at full size; make test-debian-13  make test on Debian 13"
	@echo "make screenshots  pictures of every web page (PICTURES=DIR LANGUAGE_OF_PICTURES=de for German ones)"
	@echo "make bench  measure speed and memory (CHARTS=DIR for charts of your own)"
	@echo "make deb    build the Debian package (dist/)"
	@echo "make image  build the card for a Raspberry Pi and a disk for virtual machines (dist/; as root); make image-test boots it"
	@echo "make setup  only install what the box needs; leaves .venv/bin/faxbox"

setup:
	@image-build/setup.sh run

test-setup:
	@image-build/setup.sh test

demo: setup
	@.venv/bin/faxbox demo $(DEMO)

lint: test-setup
	.venv/bin/ruff check .
	.venv/bin/mypy

# Each test file goes to one worker.  Lines, browsers and printers run side by side in real time, so a test that fails is
# run once more; the summary lists it as RERUN, and it has to be repaired all the same.
# Types are checked while the tests are collected once: that compiles them for all workers and for every process that
# tests start (PYTHONDONTWRITEBYTECODE is empty because some environments set it).
test: test-setup
	.venv/bin/ruff check .
	@PYTHONDONTWRITEBYTECODE= .venv/bin/pytest --collect-only -q >/dev/null 2>&1 & .venv/bin/mypy; typed=$$?; wait; exit $$typed
	PYTHONDONTWRITEBYTECODE= .venv/bin/pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder --reruns 1 --reruns-delay 5 --durations=25 $(PYTEST)

# Line coverage of the tests; takes half as much processor time again.
coverage:
	@$(MAKE) test PYTEST="--cov=appliance --cov-report=term:skip-covered $(PYTEST)"

# The attacks, loads and fuzz runs at full size: too long for every change.
test-full: test-setup
	.venv/bin/pytest -m full $(PYTEST)

# The tests on Debian 13, in a separate root file system (as root; minutes and 4 GB the first time).
test-debian-13:
	@tests/debian-13.sh $(PYTEST)

# Pictures of every web page, in both themes, desktop and phone (PICTURES=DIR for another folder).
screenshots: test-setup
	.venv/bin/python -m tests.web.screenshots $(or $(PICTURES),docs/pictures) $(or $(LANGUAGE_OF_PICTURES),en)

bench: test-setup
	.venv/bin/python -m bench $(if $(CHARTS),--charts "$(CHARTS)") $(BENCH)

# Writes the lock: versions and hashes of all packages from PyPI, for every supported Python and machine.
lock: test-setup
	.venv/bin/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-emit-index-url \
		--no-header --extra codes $(LOCK) pyproject.toml --output-file image-build/requirements.lock

# Builds the Debian package for this release and machine, in dist/.
deb:
	@image-build/setup.sh deb
	@image-build/deb/build.sh

# Builds the card for Raspberry Pi, the disk for virtual machines, the update and the list of contents, in dist/ (docs/image.md).
ARCHITECTURE ?= arm64
image:
	@image-build/setup.sh image
	@FAXBOX_ARCHITECTURE=$(ARCHITECTURE) image-build/image/make.sh

# Tests the image in an emulator; rebuilds what changed, on the base that `make image` made.
image-test: test-setup
	@image-build/setup.sh image
	.venv/bin/pytest -m full tests/image $(PYTEST)

clean:
	rm -rf .venv build dist demo-output
