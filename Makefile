# What people do here. Each target makes the environment that it needs, in .venv, and then runs.
#
#   make demo     train a network on handwritten digits        make lint    ruff, mypy, pyright, zizmor
#   make test     run the tests, on both engines               make docs    write the reference and its pictures
#   make sanitize run the engine's tests under sanitisers      make bench   measure it against its peers
#   make fuzz     compare the engines on random programs       make clean   remove what the other targets made
#   make landmarks   run the landmarks of backpropagation again, from nothing
#   make notebooks   open the course in JupyterLab
#   make wheels   build what is published into dist/: the sdist, this platform's wheel, and the one for every platform
#   make reference   build the site of the reference: operations, API, course, landmarks
#   make site     build the site: the reference, and the laboratory and the playground, which run in a browser
#   make contact-sheet   put every picture of README, docs, course and landmarks on one page, to be looked at

PYTHON ?= python3
VENV := .venv
ifeq ($(OS),Windows_NT)
BIN := $(VENV)/Scripts
else
BIN := $(VENV)/bin
STRICT := -Wall -Wextra -Werror
endif

.PHONY: demo test sanitize fuzz lint bench docs landmarks notebooks reference site wheels contact-sheet clean

demo: $(VENV)/installed-examples
	$(BIN)/python examples/digits.py

# On the native engine, where there is a compiler; then what depends on the engine once more, on its twin in Python.
# Two tests at a time; what there is most to wait for, the notebooks, no longer keeps the others waiting.
AT_ONCE ?= 2

test: $(VENV)/installed-test
	$(BIN)/python -m pytest -n $(AT_ONCE) --dist worksteal
	AUTOGRAD_ENGINE=python $(BIN)/python -m pytest -n $(AT_ONCE) --dist worksteal -m both_engines

sanitize: $(VENV)/installed-test
	$(BIN)/python tests/sanitize.py

PROGRAMS ?= 10000
SEED ?= 0

# -P: beside the script lies the folder tests/autograd, which is not the package.
fuzz: $(VENV)/installed-test
	$(BIN)/python -P tests/fuzz.py $(PROGRAMS) $(SEED) $(EXECUTORS)

lint: $(VENV)/installed-lint
	$(BIN)/python -m ruff check
	$(BIN)/python -m ruff format --check
	$(BIN)/python -m mypy
	$(BIN)/python -m pyright --pythonpath $(BIN)/python
	$(BIN)/zizmor --offline --quiet .github

# Peers that are not installed are left out: $(BIN)/python -m pip install -e ".[peers]" brings them, gigabytes of them.
bench: $(VENV)/installed-test
	$(BIN)/python benchmarks/run.py

docs: $(VENV)/installed-examples
	$(BIN)/python docs/write.py

# Minutes; it stores the outputs in notebooks/landmarks, and writes the table there.
landmarks: $(VENV)/installed-test
	$(BIN)/python -P tests/run_notebooks.py landmarks

# From the folder of the project, so that the notebooks' links to its files lead there. Flags of Jupyter's may be given:
# make notebooks JUPYTER="--no-browser --allow-root"
notebooks: $(VENV)/installed-notebooks
	$(BIN)/python -m jupyter lab --ServerApp.root_dir=. $(JUPYTER) notebooks/01-a-value-and-its-gradient.ipynb

# Each wheel is built from the sdist, in a folder of its own: nothing that lies about here gets into it.
wheels: $(VENV)/installed-release
	rm -rf dist
	$(BIN)/python -m build
	AUTOGRAD_PURE=1 $(BIN)/python -m build
	$(BIN)/python -m twine check --strict dist/*
	$(BIN)/python -m check_wheel_contents dist/*.whl

# A minute or two; the site is out/reference/html, and needs no server.
reference: $(VENV)/installed-docs
	$(BIN)/python docs/reference.py out/reference

# A few minutes; it needs npm. The site is plain files for any web server: python -m http.server --directory out/site
site: $(VENV)/installed-docs
	$(BIN)/python site/build.py out/site
# The page is out/contact-sheet/index.html. It shows what notebooks have stored: run what has changed before.
contact-sheet: $(VENV)/installed-test
	rm -rf out/contact-sheet
	$(BIN)/python docs/contact_sheet.py out/contact-sheet

clean:
	rm -rf $(VENV) out build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis

# A stamp for each extra: installed again only when something that the installation depends on has changed. Here, and
# not on users' machines, a warning of the C compiler is an error.
$(VENV)/installed-%: pyproject.toml setup.py $(addprefix autograd/,operation.py operations.py value.py common.py functions.py writer.py formulas.py stubs.py) $(wildcard autograd/native/*.[chp]*) | $(VENV)/pyvenv.cfg
	@echo "Installing into $(VENV) what the extra $* needs. This may take minutes; pip says what it is at."
	CFLAGS="$(STRICT)" $(BIN)/python -m pip install --progress-bar off --editable ".[$*]"
	@$(BIN)/python -c "from autograd import engines; print(engines.report())"
	@touch $@

$(VENV)/pyvenv.cfg:
	@$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11) and 'Python 3.11 or newer is needed, this is ' + sys.version + '; try: make PYTHON=python3.12')"
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip || (rm -rf $(VENV); exit 1)

.PRECIOUS: $(VENV)/installed-%
