# What people do here. Each target makes the environment that it needs, in .venv, and then runs.
#
#   make demo     train a network on handwritten digits        make lint    ruff and mypy
#   make test     run the tests                                make docs    write the reference and its pictures
#   make clean    remove what the other targets made

PYTHON ?= python3
VENV := .venv
ifeq ($(OS),Windows_NT)
BIN := $(VENV)/Scripts
else
BIN := $(VENV)/bin
endif

.PHONY: demo test lint docs clean

demo: $(VENV)/installed-examples
	$(BIN)/python examples/digits.py

test: $(VENV)/installed-test
	$(BIN)/python -m pytest

lint: $(VENV)/installed-lint
	$(BIN)/python -m ruff check
	$(BIN)/python -m ruff format --check
	$(BIN)/python -m mypy

docs: $(VENV)/installed-examples
	$(BIN)/python docs/write.py

clean:
	rm -rf $(VENV) out build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis

# A stamp for each extra: installed again only when pyproject.toml has changed.
$(VENV)/installed-%: pyproject.toml | $(VENV)
	$(BIN)/python -m pip install --quiet --quiet --editable ".[$*]"
	@touch $@

$(VENV):
	$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11) and 'Python 3.11 or newer is needed, this is ' + sys.version + '; try: make PYTHON=python3.12')"
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip

.PRECIOUS: $(VENV)/installed-%
