"""Writes the names of all systems as JSON, for programs that are not Starlark."""

load("//bench:bench.bzl", "SERVERS")
load("//bench/matrix:policies.bzl", "MATRIX")
load("//bench/peers:peers.bzl", "PEERS")
load("//engines:engines.bzl", "COMPOSITIONS")

def _systems_json_impl(ctx):
    file = ctx.actions.declare_file(ctx.label.name)
    ctx.actions.write(file, json.encode({
        "compositions": [composition.name for composition in COMPOSITIONS],
        "engines": {composition.name: composition.engine for composition in COMPOSITIONS},
        "matrix": {
            engine: [[policy for policy in policies] for policies in content.slots.values()]
            for engine, content in MATRIX.items()
        },
        "peers": [peer.name for peer in PEERS],
        "servers": SERVERS,
        "slots": {
            engine: [slot for slot in content.slots]
            for engine, content in MATRIX.items()
        },
    }))
    return [DefaultInfo(files = depset([file]), runfiles = ctx.runfiles([file]))]

systems_json = rule(implementation = _systems_json_impl)
