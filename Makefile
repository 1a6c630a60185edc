# Slipway: every target sets up what it needs. `make help` lists them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# The tests wait for servers much of the time: with four at once on two cores a seventh of the cores' time went by unused.
WORKERS ?= 5
# Where the tests are; some of them, if somebody says so.
TESTS ?= tests
LOCK := --universal --python-version 3.11 --generate-hashes --no-annotate --no-header
# A branch that no test takes is not allowed in the slip, the planner, the queue and the commit protocol.
WHOLE := packageslip/*,tasks/planner.py,database/*.py,targets/*.py
RELIABILITY := CI=true PYTHONPATH=.:tests $(BIN)/python -P -m reliability
CELERY := benchmarks/.celery
MANUAL := $(VENV)/docs
BENCHMARKS := CI=true PYTHONPATH=.:tests $(BIN)/python -P -m benchmarks
MINUTES ?= 30
N ?= 2000
CLAIMS ?= 10000
# Hundreds of engines are started by the tests: where a shell forbids to keep compiled modules, each would compile all anew.
export PYTHONDONTWRITEBYTECODE :=
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.DEFAULT_GOAL := help
.PHONY: help setup demo docs install test compiled ready check style types units format coverage lock servers screenshots clean soak kill-sweep fail-sweep defences faults corruption audit-deps contention model fuzz rollback-bench model-histories bench bench-site console-bench peers programs

help:  ## list the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

setup: $(VENV)/.installed  ## make .venv and install Slipway into it

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Slipway needs Python 3.11 or newer; set PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "python3 has no venv module here; on Debian: apt-get install python3-venv" >&2; exit 1; }

$(VENV)/.installed: requirements.lock setup.cfg pyproject.toml | $(VENV)/bin/python
	@echo "Installing Slipway into $(VENV) ..."
	@$(PIP) install --require-hashes -r requirements.lock
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.installed-dev: requirements-dev.lock $(VENV)/.installed
	@$(PIP) install --require-hashes -r requirements-dev.lock
	@touch $@

demo: $(VENV)/.installed  ## run the main job on a sample site: STAGING, a holding area, PRODUCTION
	@$(BIN)/slipway demo

ready: $(VENV)/.installed-dev $(MANUAL)/.installed peers  # everything that checks, tests and the manual need

test: $(VENV)/.installed-dev peers $(if $(CI),compiled)  ## run every test, on real servers of its own
	@$(BIN)/python -m pytest --numprocesses $(WORKERS) --dist loadgroup $(TESTS)

# Where all is new, each worker would compile all that there is by itself. What cannot be read is for the tests to say.
compiled: $(VENV)/.installed-dev
	@$(BIN)/python -m pytest --quiet --quiet --collect-only $(TESTS) >/dev/null 2>&1 || true

screenshots: $(VENV)/.installed-dev servers  ## leave a picture of each page of the console in build/screenshots
	@rm -rf build/screenshots
	@CI=true SLIPWAY_SCREENSHOTS=$(CURDIR)/build/screenshots $(BIN)/python -m pytest -q tests/browser/test_looks.py

kill-sweep: JOBS ?= 2
kill-sweep: $(VENV)/.installed-dev servers  ## kill an engine at every point and every system call; KILLS=n for some of them, SHARE=2/5 for one of five shares
	@PYTHONPATH=.:tests $(BIN)/python -P -m reliability.kill_sweep --jobs $(JOBS) $(if $(KILLS),--kills $(KILLS)) $(if $(SHARE),--share $(SHARE)) $(if $(SEED),--seed $(SEED))

fail-sweep: JOBS ?= 2
fail-sweep: $(VENV)/.installed-dev servers  ## let every call to files, SFTP, HTTP, buckets, the database and the kernel fail; SITES=1 or CALLS=n for some, SHARE=2/5, KINDS="file sftp"
	@$(RELIABILITY).fail_sweep --jobs $(JOBS) $(if $(CALLS),--calls $(CALLS)) $(if $(SITES),--sites) $(if $(KINDS),--kinds $(KINDS)) $(if $(SHARE),--share $(SHARE)) $(if $(SEED),--seed $(SEED))

corruption: $(VENV)/.installed-dev servers  ## spoil every reply and every bit of an upload; FAULTS=n of them
	@PYTHONPATH=.:tests $(BIN)/python -P -m reliability.corruption $(if $(FAULTS),--faults $(FAULTS)) $(if $(SEED),--seed $(SEED))

servers:  # what the tests start for themselves: MariaDB, OpenSSH, rsync
	@sh tests/support/install_servers.sh

soak: $(VENV)/.installed-dev servers  ## visitors read while everything goes wrong; MINUTES=30, LAYOUT=ordered, versioned or mixed
	@$(RELIABILITY).soak --minutes $(MINUTES) $(if $(SEED),--seed $(SEED)) $(if $(LAYOUT),--layout $(LAYOUT))

contention: $(VENV)/.installed-dev servers  ## several daemons want the same modules, stopped past their leases; CLAIMS=10000, MOST=seconds at most
	@$(RELIABILITY).contention --claims $(CLAIMS) $(if $(SEED),--seed $(SEED)) $(if $(MOST),--most $(MOST))

model: $(VENV)/.installed-dev  ## explore the models of the commit protocol, of groups and of the grace; hurt groups, and lose power, at every call
	@EVERY_CALL=1 $(BIN)/python -m pytest -q --timeout=3600 tests/contract/test_group_faults.py tests/contract/test_power_elsewhere.py
	@$(RELIABILITY).models

rollback-bench: $(VENV)/.installed-dev servers  ## roll 100,000 files back and forth while readers fetch them; FILES=n, TIMES=n
	@$(RELIABILITY).rollback $(if $(FILES),--files $(FILES)) $(if $(TIMES),--times $(TIMES)) $(if $(SEED),--seed $(SEED))

bench: ROUNDS ?= 5
bench: $(VENV)/.installed-dev peers  ## beside rsync, rclone, lftp, Celery; ROWS=1,4: some; for a trial ROUNDS=1, PEERS=rsync,lftp
	@$(BENCHMARKS) $(if $(ROWS),--rows $(ROWS)) --rounds $(ROUNDS) $(if $(PEERS),--peers $(PEERS))

bench-site: ROUNDS ?= 5
bench-site: SITE ?= 3180
bench-site: $(VENV)/.installed-dev peers  ## the same with a whole site of 3,180 modules, 1,000,000 files; SITE=100: a smaller one
	@$(BENCHMARKS) --site $(SITE) --rounds $(ROUNDS)

console-bench: ROWS ?= 1000000
console-bench: $(VENV)/.installed-dev servers  ## how long each page of the console takes with a queue of 1,000,000 rows; ROWS=n
	@$(BENCHMARKS).console --rows $(ROWS)

peers: programs $(CELERY)/.installed  # what benchmarks compare Slipway with

programs:  # the servers, and rclone, lftp, Redis: all at once, for to ask what there is takes long
	@sh tests/support/install_servers.sh rclone lftp curl redis-server

# The one pip fills the other environments too: to put another into each takes longer than what it would install.
$(CELERY)/.installed: benchmarks/celery.lock | $(VENV)/bin/python
	@$(PYTHON) -m venv --without-pip $(CELERY)
	@$(PIP) --python $(CELERY)/bin/python install --require-hashes -r $<
	@touch $@

install: PREFIX ?= /opt/slipway
install: SYSTEM ?= /usr/local
install:  ## install for a server: the program into PREFIX=/opt/slipway, its pages, completion and units below SYSTEM=/usr/local
	@$(PYTHON) -m venv $(PREFIX)
	@$(PREFIX)/bin/python -m pip --disable-pip-version-check --quiet install --require-hashes -r requirements.lock
	@rm -rf build/lib build/bdist.*  # setuptools would take what an earlier version left there
	@$(PREFIX)/bin/python -m pip --disable-pip-version-check --quiet install --no-deps --no-build-isolation --force-reinstall .
	@sh deploy/install.sh $(PREFIX) $(SYSTEM)
	@echo "Slipway is in $(PREFIX); deploy/README.md says how it goes on"

docs: $(VENV)/.installed $(MANUAL)/.installed  ## build the manual into site/: open site/index.html
	@mkdir -p build/manual
	@PYTHONPATH=.:tests $(BIN)/python -P -m support.options_page build/manual/options.md
	@NO_MKDOCS_2_WARNING=1 $(MANUAL)/bin/mkdocs --quiet build --clean

$(MANUAL)/.installed: docs/mkdocs.lock | $(VENV)/bin/python
	@$(PYTHON) -m venv --without-pip $(MANUAL)
	@$(PIP) --python $(MANUAL)/bin/python install --no-compile --require-hashes -r $<
	@touch $@

defences: $(VENV)/.installed-dev servers  ## switch each defence of the fault catalogue off (IDS="S1 T9": some), and see the tests fail
	@$(RELIABILITY).defences $(IDS)

faults: $(VENV)/.installed-dev  # write docs/faults.md from the fault catalogue
	@PYTHONPATH=.:tests $(BIN)/python -P -m support.faults_page

model-histories: $(VENV)/.installed-dev  ## random histories of queue, engines and target; N=2000 of them
	@$(RELIABILITY).whole_model --histories $(N)

fuzz: $(VENV)/.installed-dev  ## hostile slips, names and documents; slips that would delete what they may not
	@$(RELIABILITY).fuzz $(if $(SEED),--seed $(SEED)) $(ARGUMENTS)

# Who asks for all tests beside the checks gets the unit tests with them, once.
check: style types $(if $(filter test,$(MAKECMDGOALS)),,units)  ## format, lint, types, known weaknesses, unit tests; with -j 2 side by side

style: $(VENV)/.installed-dev
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/bandit --quiet --configfile pyproject.toml --recursive .

types: $(VENV)/.installed-dev
	@$(BIN)/mypy

units: $(VENV)/.installed-dev
	@$(BIN)/python -m pytest -q --numprocesses 2 tests/unit

format: $(VENV)/.installed-dev  ## format the code
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix-only .

coverage: $(VENV)/.installed-dev peers  ## run every test with branch coverage; fails under 90 %
	@$(BIN)/coverage erase
	@$(BIN)/coverage run -m pytest --numprocesses $(WORKERS)
	@$(BIN)/coverage combine --quiet
	@$(BIN)/coverage report
	@$(BIN)/coverage report --fail-under=100 --include='$(WHOLE)'

lock: $(VENV)/.installed-dev  ## write the hash-pinned locks anew from setup.cfg
	@$(PYTHON) -m venv $(VENV)/lock && $(VENV)/lock/bin/python -m pip --quiet install uv
	@$(VENV)/lock/bin/uv pip compile -q $(LOCK) --extra build -o requirements.lock setup.cfg
	@$(VENV)/lock/bin/uv pip compile -q $(LOCK) --extra build --extra dev -c requirements.lock -o requirements-dev.lock setup.cfg
	@echo 'celery[redis]>=5.7' | $(VENV)/lock/bin/uv pip compile -q $(LOCK) -o benchmarks/celery.lock -
	@printf 'mkdocs-material>=9.8\nmkdocs<2\n' | $(VENV)/lock/bin/uv pip compile -q $(LOCK) -o docs/mkdocs.lock -

# Not part of any check: the answers are another machine's, and new ones come without a change here. Where that cannot be asked,
# pip-audit says of each package that it could not be audited, and this fails.
audit-deps:  ## ask the vulnerability service of PyPI about every locked package; needs the internet
	@$(PYTHON) -m venv $(VENV)/audit && $(VENV)/audit/bin/python -m pip --quiet install pip-audit
	@$(VENV)/audit/bin/pip-audit --disable-pip --require-hashes --strict -r requirements.lock
	@$(VENV)/audit/bin/pip-audit --disable-pip --require-hashes --strict -r requirements-dev.lock

clean:  ## remove what the targets made
	rm -rf $(VENV) $(CELERY) build site *.egg-info .demo .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage*
