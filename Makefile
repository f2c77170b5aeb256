# make         set up, then run the main job on embedded data (out/breast_cancer/report.html)
# make test    set up, then lint, types, tests: everything that CI runs
# make docs    the documentation, its gallery executed (docs/_build/index.html)
# make study   the synthetic study at full size (out/synthetic)
# make bench   the speed table, as a dated file in benchmarks/results
VENV := .venv
STAMP := $(VENV)/.stamp
BIN := $(VENV)/bin

run: $(STAMP)
	$(BIN)/quantleak audit --dataset breast_cancer --models 64 --out out/breast_cancer

test: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pytest -n 2 --dist loadgroup

slow: $(STAMP)
	$(BIN)/pytest -m slow

docs: $(STAMP)
	$(BIN)/sphinx-build -W --keep-going -b html docs docs/_build

study: $(STAMP)
	$(BIN)/quantleak reproduce synthetic --preset paper --out out/synthetic

bench: $(STAMP)
	OMP_NUM_THREADS=1 MKL_NUM_THREADS=1 $(BIN)/python benchmarks/run.py

format: $(STAMP)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lock:
	python3 -m venv $(VENV)-lock
	$(VENV)-lock/bin/pip install --disable-pip-version-check torch==2.13.0 '.[chem,lightning,hf,adapters,browser,docs,dev]'
	$(VENV)-lock/bin/pip freeze --exclude quantleak | sed 's/+cpu$$//' > constraints.txt
	rm -r $(VENV)-lock

$(STAMP): pyproject.toml constraints.txt
	python3 -m venv $(VENV)
	$(BIN)/pip install --disable-pip-version-check -q -c constraints.txt -e '.[chem,lightning,hf,adapters,browser,docs,dev]'
	touch $@

.PHONY: run test slow docs study bench format lock
