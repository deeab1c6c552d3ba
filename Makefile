# Two commands matter: `make demo` and `make test`. Each does all set-up by itself.

# Most tests wait for lines, servers and browsers in real time: four workers more than processors, some 350 MB each.
WORKERS ?= $(shell expr $$(nproc) + 4)

.PHONY: image image-test screenshots help setup test-setup demo test coverage test-full test-debian-13 lint bench lock deb clean

help:
	@echo "make demo   send a real PDF as a fax over the practice line and show what arrived"
	@echo "make test   run every check: ruff, mypy, pytest"
	@echo "make test-full  the same attacks and loads at full size; make test-debian-13  printing against Debian 13's CUPS"
	@echo "make screenshots  pictures of every web page"
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

# A file goes to one worker as a whole.  Lines, browsers and printers run in real time beside each other: what fails
# is run once more, and the summary names it as RERUN, for it is to be mended all the same.
# One processor checks the types while another collects the tests once: every worker then finds them compiled, and
# so does every process that tests start (PYTHONDONTWRITEBYTECODE is empty, for some environments set it).
test: test-setup
	.venv/bin/ruff check .
	@PYTHONDONTWRITEBYTECODE= .venv/bin/pytest --collect-only -q >/dev/null 2>&1 & .venv/bin/mypy; typed=$$?; wait; exit $$typed
	PYTHONDONTWRITEBYTECODE= .venv/bin/pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder --reruns 1 --reruns-delay 5 --durations=25 $(PYTEST)

# Which lines the tests go through; takes half as much processor time again.
coverage:
	@$(MAKE) test PYTEST="--cov=appliance --cov-report=term:skip-covered $(PYTEST)"

# What is too long for every change: the same attacks, loads and fuzz runs at full size.
test-full: test-setup
	.venv/bin/pytest -m full $(PYTEST)

# Printing to fax against Debian 13's CUPS, in a root file system of its own (as root; some 300 MB the first time).
test-debian-13: test-setup
	@tests/printing/debian-13.sh $(PYTEST)

# Pictures of every web page, in both themes, desktop and phone (PICTURES=DIR for a folder of your own).
screenshots: test-setup
	.venv/bin/python -m tests.web.screenshots $(or $(PICTURES),docs/pictures)

bench: test-setup
	.venv/bin/python -m bench $(if $(CHARTS),--charts "$(CHARTS)") $(BENCH)

# Versions and hashes of all that the box installs from PyPI, for every Python and machine that it supports.
lock: test-setup
	.venv/bin/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-emit-index-url \
		--no-header --extra codes $(LOCK) pyproject.toml --output-file image-build/requirements.lock

# The Debian package for the release and machine that this runs on, in dist/.
deb:
	@image-build/setup.sh deb
	@image-build/deb/build.sh

# The card for Raspberry Pi, the disk for virtual machines, their update and the list of what is in it, in dist/ (docs/image.md).
ARCHITECTURE ?= arm64
image:
	@image-build/setup.sh image
	@FAXBOX_ARCHITECTURE=$(ARCHITECTURE) image-build/image/make.sh

# Boots the image in an emulator and tries it; makes what changed, from a base that `make image` left.
image-test: test-setup
	@image-build/setup.sh image
	.venv/bin/pytest -m full tests/image $(PYTEST)

clean:
	rm -rf .venv build dist demo-output
