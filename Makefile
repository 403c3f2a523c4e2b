# `make` alone lists the targets. rebar3 needs none of them: `rebar3 compile` and `rebar3 ct` work in a fresh clone.

export PATH := $(PATH):$(HOME)/.cargo/bin

.DEFAULT_GOAL := help
.PHONY: help setup native run echo test matrix projects check format conformance fuzz soak soak-chat bench micro instructions schedules clean

help: ## this list
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20

setup: ## install what is missing on this machine (Debian, as root), or say what it is
	@scripts/setup

native: ## build the native library
	@scripts/build-native

run: setup ## the demo at http://127.0.0.1:8080 (PORT=)
	@exec scripts/run-example demo

echo: ## an echo server on 127.0.0.1 (PORT=9001)
	@exec scripts/run-example echo

test: setup ## every test but Autobahn's
	@scripts/test

matrix: ## the tests on OTP 25, 27 and 29 (OTP='27 29' for a part), as root on Debian
	@scripts/setup debootstrap
	@scripts/matrix $(OTP)

projects: setup ## drover in rebar3 and Mix projects and their releases, from clean directories
	@scripts/projects

check: setup ## formats, lints, types and layers
	@scripts/check

format: setup ## format Rust and Erlang sources
	cargo fmt --all
	_tools/efmt --write $$(find erlang erlang_cowboy examples test bench -name "*.erl")

conformance: setup ## the Autobahn|Testsuite against the echo server (SECTIONS='1.*,12.3.*' for a part)
	@test/conformance/run $(foreach pattern,$(subst $(comma), ,$(SECTIONS)),'$(pattern)')

fuzz: ## fuzz one target (T=name SECONDS=60)
	@scripts/fuzz "$(T)" "$(or $(SECONDS),60)"

soak: setup ## garbage and broken connections for SECONDS=600 (SEED= to repeat a run)
	@SOAK_SECONDS="$(or $(SECONDS),600)" SOAK_SEED="$(SEED)" rebar3 ct --verbose --suite test/soak_SUITE

soak-chat: setup ## a chat on Cowboy, and on drover under it, for SECONDS=1800 (RATE=8 visitors a second, SEED= to repeat a run)
	@CHAT_SECONDS="$(or $(SECONDS),1800)" CHAT_RATE="$(or $(RATE),8)" CHAT_SEED="$(SEED)" rebar3 ct --verbose --suite test/chat_SUITE

bench: setup ## measure drover beside its peers (QUICK=1 for a first look, ROWS=name,name for a part, OTP=29, MINUTES=, RESUME=file)
	@scripts/bench

schedules: setup ## how often something has a scheduler for more than a millisecond
	@scripts/schedules

micro: ## the time that parts of the rules take, beside copying
	@scripts/micro

instructions: ## count the instructions per frame and compare with the record (needs valgrind)
	@scripts/instructions

clean: ## remove everything built
	rm -rf _build target priv/*.so

comma := ,
