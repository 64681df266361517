# Needs Python 3.11 to 3.13 and make; everything else is installed into .venvs.
# A setting is given as in: make run PORT=8060 NOVA_DATA=/path/to/files

python = exec sh scripts/python.sh

.DEFAULT_GOAL := help
.PHONY: help run train test faults bench soak lint stop status clean

help:  ## Show this list
	@grep -E '^[a-z]+:.*##' Makefile | sed -E 's/:.*## /\t/' | awk -F '\t' '{printf "  make %-8s %s\n", $$1, $$2}'

run:  ## Install what is missing, load, train, publish and serve (Ctrl-C stops everything)
	@$(python) scripts/run.py serve

train:  ## Train on the loaded data and publish the result
	@$(python) scripts/run.py train

test:  ## Lint and run every test, the browser's included
	@$(python) scripts/check.py test

faults:  ## Break every part on purpose, the long outages included
	@$(python) scripts/check.py faults

bench:  ## Measure the product at scale, as ratios to the floor of the same run
	@$(python) scripts/check.py bench

soak:  ## Serve under a steady load: make soak MINUTES=30 RATE=50
	@$(python) scripts/check.py soak

lint:  ## Check style and types only (ruff, mypy)
	@$(python) scripts/check.py lint

stop:  ## Stop a running `make run`, or what a killed one left behind
	@$(python) scripts/run.py stop

status:  ## Show the embedded services
	@$(python) scripts/run.py status

clean:  ## Remove environments and caches; never data (that is NOVA_HOME)
	@$(python) scripts/run.py stop
	rm -rf .venvs .mypy_cache .ruff_cache .pytest_cache test-results
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
