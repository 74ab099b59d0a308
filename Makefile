# make demo   the main job in a real kernel, without AWS          make test    lint, types and all tests
# make lab    JupyterLab with the practice portal behind it       make check   lint and types only
# make bench  how fast it is, as a table                          make lock    requirements/dev.txt anew
# make clean  remove what these made                         make pictures   those of the README anew
# make test-oldest   the tests on the oldest Python that is here, beside the oldest dependencies
#
# Everything happens in .venv and build/. `make PYTHON=python3.12 …` chooses the Python that .venv is made with.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
WHEELS := build/wheel
UV := $(firstword $(wildcard $(BIN)/uv) uv)

# -qq: errors only. pip's own settings (index, certificates, proxy) hold as everywhere.
PIP := PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore $(BIN)/python -m pip -qq --no-input

# Folders too, so that a file that was deleted counts as a change.
SOURCES := $(shell find cuaws_magic -name __pycache__ -prune -o -print) pyproject.toml README.md LICENSE notebooks/quickstart.ipynb

# The tests and programs here must see the installed wheel and nothing else.
unexport PYTHONPATH PYTHONHOME

.PHONY: help demo lab test test-oldest check bench lock clean pictures
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

help:
	@sed -n 's/^# *//; /^$$/q; p' Makefile

demo: $(VENV)/.wheel-installed
	@exec $(BIN)/python scripts/demo.py

lab: $(VENV)/.wheel-installed
	@exec $(BIN)/python scripts/lab.py

bench: $(VENV)/.wheel-installed
	@PYTHON=$(BIN)/python sh scripts/aws_cli.sh
	@$(BIN)/python benchmarks/run.py
	@$(BIN)/python benchmarks/panel.py
	@$(BIN)/python benchmarks/endpoint.py
	@PYTHON=$(BIN)/python sh scripts/other_clients.sh bench
	@$(BIN)/python benchmarks/many.py
	@$(BIN)/python benchmarks/growth.py
	@$(BIN)/python benchmarks/scrub.py
	@exec $(BIN)/python benchmarks/freshness.py

# Twice: the browser tests keep one portal for all of them, and portals of a process share the pretend AWS behind
# them. Four workers: most of the rest waits more than it computes; who is done takes work from the others.
# `pytest`, not `python -m pytest`: the latter would put the source folder before the wheel.
test: check
	@PYTHON=$(BIN)/python sh scripts/browser_parts.sh
	@PYTHON=$(BIN)/python sh scripts/aws_cli.sh
	@PYTHON=$(BIN)/python sh scripts/other_clients.sh
	@$(BIN)/pytest -n 4 --dist worksteal --ignore tests/browser
	@exec $(BIN)/pytest -n 2 tests/browser

# The oldest Python and the lowest versions that pyproject.toml allows, in a .venv of their own. Old libraries warn of
# new Pythons and of each other; what is newer than they are (aws login, other people's libraries) is left out, and so
# are the AWS CLI v2, which imports parts of a newer awscrt, and uploads in parts, which fail between a moto of today and
# a boto3 that old.
TOO_NEW := tests/commands/test_configure.py::test_the_aws_command_reads_every_file_of_the_specification \
    tests/practice/test_practice_aws_side.py::test_objects_of_every_kind
OLDEST ?= $(firstword $(foreach one,python3.10 $(wildcard $(HOME)/.pyenv/versions/3.10*/bin/python3.10) python3.11 python3.12,\
    $(shell $(one) -c 'print("$(one)")' 2>/dev/null)))
OLD := build/oldest

test-oldest: $(VENV)/.wheel-installed
	@test -n "$(OLDEST)" || { echo "No Python from 3.10 to 3.12 here. Name one: make test-oldest OLDEST=python3.11" >&2; exit 1; }
	@test -e $(OLD)/.made || { echo "Installing the oldest dependencies into $(OLD) (once) …"; \
	    $(OLDEST) -m venv $(OLD) && $(OLD)/bin/python -m pip -qq --no-input install -r requirements/oldest.txt && touch $(OLD)/.made; }
	@$(OLD)/bin/python -m pip -qq --no-input install --no-deps --no-index --force-reinstall $(WHEELS)/*.whl
	@$(OLD)/bin/python -V
	@PYTHON=$(BIN)/python sh scripts/aws_cli.sh
	@PYDEVD_DISABLE_FILE_VALIDATION=1 $(OLD)/bin/pytest -n 4 --dist worksteal -W default --ignore tests/browser --ignore tests/libraries \
	    $(addprefix --deselect ,$(TOO_NEW))

pictures: $(VENV)/.wheel-installed
	@PYTHON=$(BIN)/python sh scripts/browser_parts.sh
	@$(BIN)/pytest -q -n 2 tests/browser/test_looks.py tests/browser/test_login_card.py
	@exec $(BIN)/python scripts/pictures.py

check: $(VENV)/.wheel-installed
	@$(BIN)/ruff check --quiet
	@$(BIN)/ruff format --check --quiet || { echo "Not formatted. Type: $(BIN)/ruff format"; exit 1; }
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/mypy --no-error-summary --platform win32
	@$(BIN)/mypy --no-error-summary --platform darwin
	@echo "Lint and types: clean."

$(VENV)/.made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null || { \
	    echo "$(PYTHON) is not Python 3.10 or later. Name one that is: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	    echo "$(PYTHON) cannot make virtual environments. On Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.dependencies-installed: requirements/dev.txt $(VENV)/.made
	@echo "Installing what is needed into $(VENV) (once; a minute or two) …"
	@$(PIP) install --requirement requirements/dev.txt
	@touch $@

# No build isolation: hatchling is one of the dependencies, so this asks no registry.
$(VENV)/.wheel-installed: $(SOURCES) $(VENV)/.dependencies-installed
	@rm -rf $(WHEELS)
	@$(PIP) wheel . --no-deps --no-build-isolation --wheel-dir $(WHEELS)
	@$(PIP) install --no-deps --no-index --force-reinstall $(WHEELS)/*.whl
	@touch $@

# uv is no dependency: it is asked only here, and writes one lock for all systems and Pythons.
lock:
	@command -v $(UV) >/dev/null || { echo "make lock needs uv. Type: pip install uv" >&2; exit 1; }
	@$(UV) pip compile --quiet --universal --python-version 3.10 --group dev --extra practice pyproject.toml \
	    --output-file requirements/dev.txt --no-header --no-annotate --no-emit-index-url >/dev/null
	@mkdir -p build
	@$(UV) pip compile --quiet --universal --python-version 3.10 --resolution lowest-direct --no-deps --extra practice \
	    pyproject.toml --output-file build/oldest-direct.txt --no-header --no-annotate --no-emit-index-url >/dev/null
	@$(UV) pip compile --quiet --python-version 3.10 --group oldest --extra practice --constraint build/oldest-direct.txt \
	    pyproject.toml --output-file requirements/oldest.txt --no-header --no-annotate --no-emit-index-url >/dev/null

clean:
	@rm -rf $(VENV) build .mypy_cache .pytest_cache .ruff_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
