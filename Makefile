# Each target sets up what it needs in .venv, then runs; what is set up already is not done again.
# A stamp in .venv is touched only when its step has ended, so an interrupted set-up is taken up.

PYTHON ?= python3
NAME   ?= bears
VENV   := .venv
BIN    := $(VENV)/bin
# pip compiles what it installs with one process; all cores do it in half the time.
PIP    := $(BIN)/python -m pip install --disable-pip-version-check --no-compile
COMPILE := $(BIN)/python -m compileall -qq -j 0 $(VENV)/lib || true
APT    := $(shell [ "$$(id -u)" = 0 ] && echo "env DEBIAN_FRONTEND=noninteractive apt-get" \
	|| echo "sudo -n env DEBIAN_FRONTEND=noninteractive apt-get")
BROWSERS := chromium-headless-shell chromium chromium-browser google-chrome google-chrome-stable

.DEFAULT_GOAL := help
.PHONY: help app check test test-hosts test-one train bench style browser engines

help:  ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo "  NAME=... chooses the classifier (now: $(NAME)), PYTHON=... the interpreter ($(PYTHON))."

app: $(VENV)/.page  ## serve the page of classifier NAME and open it in a browser
	$(BIN)/python -m kezako serve $(NAME)

# Tests start hundreds of processes, which would compile the modules anew where none may be kept.
RUN := env -u PYTHONDONTWRITEBYTECODE $(BIN)/python
PYTEST := $(RUN) -m pytest --dist loadfile --no-loadscope-reorder --durations 20

check: style  ## style, types and the tests without torch, a browser or servers: a minute and a half
	$(PYTEST) -n 2 --fast

# Three processes on two cores: tests wait a good deal, for servers and for each other's processes.
test: style browser  ## the same, and the tests that train, serve and look at the page
	$(PYTEST) -n 3 -m "not hosts"

test-hosts: $(VENV)/.all browser engines  ## fresh environments, hosts, clusters, whole trainings, two more browsers, benchmarks, the docs' commands
	$(PYTEST) -n 4 -m hosts

test-one: $(VENV)/.all  ## the tests of one file or folder, such as: make test-one T=tests/recipe/test_recipe.py
	$(RUN) -m pytest $(T)

style: $(VENV)/.all
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

train: $(VENV)/.all  ## train classifier NAME on data/NAME/pictures
	$(BIN)/python -m kezako train $(NAME)

bench: $(VENV)/.all browser  ## measure against peers: all of benchmarks/, or one, with B=serve
	@set -e; for script in $(if $(B),benchmarks/$(B).py,benchmarks/*.py); do \
		echo "== $$script"; $(BIN)/python "$$script"; \
	done

$(VENV)/.made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Kezako needs Python 3.11 or newer; name one with: make PYTHON=python3.11"; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || \
		{ echo "Installing python3-venv, which Debian keeps apart from Python."; \
		  $(APT) update -qq && $(APT) install -y -qq python3-venv; } || \
		{ echo "Please install your system's package python3-venv, then run make again."; exit 1; }
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.page: $(VENV)/.made requirements.txt pyproject.toml
	@echo "Installing what the page needs (about a minute)."
	$(PIP) -r requirements.txt
	@$(COMPILE)
	@touch $@

# With requirements.txt, so that tests run with the very versions that a host installs.
$(VENV)/.all: $(VENV)/.made requirements.txt pyproject.toml
	@echo "Installing what training and tests need (a few minutes)."
	$(PIP) -r requirements.txt -e '.[train,scale,dev]'
	@$(COMPILE)
	@touch $@ $(VENV)/.page

browser:
	@for name in $(BROWSERS); do command -v $$name >/dev/null && exit 0; done; \
	echo "Installing Chromium for the tests that look at the page."; \
	command -v apt-get >/dev/null && $(APT) update -qq && for name in chromium-headless-shell chromium; do \
		if $(APT) install -y -qq --no-install-recommends $$name; then exit 0; fi; done; \
	$(BIN)/playwright install chromium || \
	{ echo "Please install Chromium or Google Chrome, then run make again."; exit 1; }

# Tests are skipped that lack one of these, so a system without apt-get does not stop here.
engines:
	@missing=; has() { command -v $$1 >/dev/null; }; \
	has firefox-esr || has firefox || missing="$$missing firefox-esr"; \
	has WebKitWebDriver || missing="$$missing webkit2gtk-driver"; \
	has Xvfb || missing="$$missing xvfb"; \
	[ -z "$$missing" ] || { \
		echo "Installing for the tests that look at the page in Firefox and WebKit:$$missing."; \
		has apt-get && $(APT) update -qq && \
		$(APT) install -y -qq --no-install-recommends $$missing; } || \
	echo "Please install Firefox, WebKitGTK's WebKitWebDriver and Xvfb: their tests are skipped."
