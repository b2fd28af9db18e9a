"""The combinations of policies.bzl: all as bench binaries, a covering few as tests."""

load("@rules_cc//cc:defs.bzl", "cc_library", "cc_test")
load("//bench:bench.bzl", "ashlar_bench_binary")
load(":covering.bzl", "COVERING")
load(":policies.bzl", "COMBINED", "MATRIX")

_TEMPLATE = """\
// {name}: a combination of the matrix, written by bench/matrix/matrix.bzl.
#ifndef {guard}
#define {guard}

{includes}

namespace kv {{

struct MatrixParts {{
{parts}
}};

using MatrixComposition = {type}<MatrixParts>;

}}  // namespace kv

#endif  // {guard}
"""

def _composition_header_impl(ctx):
    header = ctx.actions.declare_file(ctx.label.name)
    ctx.actions.write(header, ctx.attr.content)
    return [DefaultInfo(files = depset([header]))]

_composition_header = rule(
    implementation = _composition_header_impl,
    attrs = {"content": attr.string(mandatory = True)},
)

def _folder(header):
    return header.rpartition("/")[0]

def _combinations(slots):
    """Every choice of one policy for each slot, as lists of policy names."""
    chosen = [[]]
    for policies in slots.values():
        chosen = [names + [policy] for names in chosen for policy in policies]
    return chosen

def _content(name, engine, parts):
    headers = [engine.header] + [header for header, _ in parts.values()]
    return _TEMPLATE.format(
        name = name,
        guard = "BENCH_MATRIX_%s_H_" % name.upper(),
        includes = "\n".join(["#include \"%s\"" % h for h in sorted({h: None for h in headers})]),
        parts = "\n".join(["  using %s = %s;" % (slot, part[1]) for slot, part in parts.items()]),
        type = engine.type,
    )

def _combination(engine_name, engine, policies):
    """The header of a combination and its library, <name>_header; returns its name."""
    name = "__".join([engine_name] + policies)
    parts = dict(engine.fixed)
    for slot, policy in zip(engine.slots, policies):
        parts[slot] = engine.slots[slot][policy]
    _composition_header(
        name = name + ".h",
        content = _content(name, engine, parts),
        tags = ["manual"],
    )
    folders = [_folder(engine.header)] + [_folder(header) for header, _ in parts.values()]
    cc_library(
        name = name + "_header",
        hdrs = [name + ".h"],
        tags = ["manual"],
        deps = ["//" + folder for folder in sorted({f: None for f in folders})],
    )
    return name

def _bench(name):
    ashlar_bench_binary(
        name = name,
        header = "bench/matrix/%s.h" % name,
        tags = ["manual"],
        type = "MatrixComposition",
        deps = [":%s_header" % name],
    )

def _test(name):
    cc_test(
        name = name + "_test",
        size = "medium",
        srcs = ["combination_test.cc"],
        local_defines = [
            "ASHLAR_HEADER=\\\"bench/matrix/%s.h\\\"" % name,
            "ASHLAR_TYPE=MatrixComposition",
            "ASHLAR_NAME=\\\"%s\\\"" % name,
        ],
        deps = [
            ":%s_header" % name,
            "//bench",
            "//kv/testing",
            "//kv/testing:conformance",
            "//third_party:fmt",
            "//third_party:gtest",
        ],
    )

def ashlar_matrix():
    """//bench/matrix:<engine>__<policies> for all of MATRIX, and <name>_test for COVERING."""
    for engine_name, engine in MATRIX.items():
        for policies in _combinations(engine.slots):
            _bench(_combination(engine_name, engine, policies))
    for name in COVERING:
        engine_name = name.split("__")[0]
        if engine_name not in MATRIX:
            _combination(engine_name, COMBINED[engine_name], name.split("__")[1:])
        _test(name)
