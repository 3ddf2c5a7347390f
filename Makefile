# The commands of a checkout. `make` alone lists them; each installs what it needs and is safe to repeat.

.DEFAULT_GOAL := help
.PHONY: help run test lint bench setup lock clean

help: ## List these commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-6s  %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo
	@echo "  DEMO=0 make run starts without the demo cameras; .env.example lists the settings."

run: ## Set up and start everything on this machine, with demo cameras; prints the address of live video
	@deploy/setup/setup.sh run

test: ## Set up and run every check and test, on SQLite and on PostgreSQL, up to a real browser
	@deploy/setup/setup.sh test

lint: ## Check style, imports and types only
	@deploy/setup/setup.sh lint

bench: ## Measure latency, cost and recovery, in comparison with peers; takes several minutes
	@deploy/setup/setup.sh bench

setup: ## Only install what the other commands need
	@deploy/setup/setup.sh setup

lock: ## Resolve requirements/*.txt again from setup.cfg, with the newest compatible versions
	@deploy/setup/lock.sh

clean: ## Remove everything that the commands installed, but not var/ with its data
	rm -rf .venv sfu/node_modules ui/node_modules ui/dist *.egg-info .pytest_cache .ruff_cache .hypothesis
	find gateway workers plugins tests deploy sfu/worker -name __pycache__ -prune -exec rm -rf {} +
	@echo "var/ (database, secrets) is kept, and mediasoup's worker in the cache, ~/.cache/vas"
