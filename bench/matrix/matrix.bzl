"""The combinations of policies.bzl: all as bench binaries, a covering few as tests."""

load("//bazel:cc.bzl", "cc_library", "cc_test")
load("//bench:bench.bzl", "ashlar_bench_binary")
load(":covering.bzl", "COVERING")
load(":policies.bzl", "COMBINED", "MATRIX")

# Combinations that are compiled together, in one test: what they share, headers above all, takes
# the compiler as long as two of them. Six of an LSM-tree need 1.8 GB.
_TOGETHER = 6

_HEADER = """\
// {name}: written by bench/matrix/matrix.bzl.
#ifndef {guard}
#define {guard}

#include <tuple>

{includes}

namespace kv {{

{content}
}}  // namespace kv

#endif  // {guard}
"""

_COMPOSITION = """\
struct MatrixParts {{
{parts}
}};

using MatrixComposition = {type}<MatrixParts>;
"""

_COMBINATION = """\
struct Combination{number} {{
  struct Parts {{
{parts}
  }};
  using Engine = {type}<Parts>;
  static constexpr const char* kName = "{name}";
}};
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

def _engine_and_parts(name):
    """Of a combination: the engine, and {slot: (header, type)}."""
    engine_name, policies = name.split("__")[0], name.split("__")[1:]
    engine = MATRIX[engine_name] if engine_name in MATRIX else COMBINED[engine_name]
    parts = dict(engine.fixed)
    for slot, policy in zip(engine.slots, policies):
        parts[slot] = engine.slots[slot][policy]
    return engine, parts

def _parts_text(parts, indent):
    return "\n".join(["%susing %s = %s;" % (indent, slot, part[1]) for slot, part in parts.items()])

def _header_library(name, content, combinations):
    """<name>.h with the content, and its library <name>_header."""
    headers = {}
    for combination in combinations:
        engine, parts = _engine_and_parts(combination)
        headers[engine.header] = None
        headers.update({header: None for header, _ in parts.values()})
    _composition_header(
        name = name + ".h",
        content = _HEADER.format(
            name = name,
            guard = "BENCH_MATRIX_%s_H_" % name.upper(),
            includes = "\n".join(["#include \"%s\"" % header for header in sorted(headers)]),
            content = content,
        ),
        tags = ["manual"],
    )
    cc_library(
        name = name + "_header",
        hdrs = [name + ".h"],
        tags = ["manual"],
        deps = sorted({"//" + _folder(header): None for header in headers}),
    )

def _bench(name):
    engine, parts = _engine_and_parts(name)
    content = _COMPOSITION.format(parts = _parts_text(parts, "  "), type = engine.type)
    _header_library(name, content, [name])
    ashlar_bench_binary(
        name = name,
        header = "bench/matrix/%s.h" % name,
        tags = ["manual"],
        type = "MatrixComposition",
        deps = [":%s_header" % name],
    )

def _test(name, combinations):
    content = ""
    for number, combination in enumerate(combinations):
        engine, parts = _engine_and_parts(combination)
        content += _COMBINATION.format(
            name = combination,
            number = number,
            parts = _parts_text(parts, "    "),
            type = engine.type,
        ) + "\n"
    content += "using Combinations = std::tuple<%s>;\n" % ", ".join(
        ["Combination%d" % number for number in range(len(combinations))],
    )
    _header_library(name, content, combinations)
    cc_test(
        name = name,
        size = "medium",
        srcs = ["combination_test.cc"],
        local_defines = ["ASHLAR_COMBINATIONS=\\\"bench/matrix/%s.h\\\"" % name],
        deps = [
            ":%s_header" % name,
            ":combination_subject",
            "//bench",
            "//kv/testing",
            "//kv/testing:conformance",
            "//third_party:fmt",
            "//third_party:gtest",
        ],
    )

def ashlar_matrix():
    """//bench/matrix:<engine>__<policies> for all of MATRIX, and tests of those in COVERING.

    A test is of a few combinations of an engine, <engine>_combinations_<number>_test.
    """
    for engine_name, engine in MATRIX.items():
        for policies in _combinations(engine.slots):
            _bench("__".join([engine_name] + policies))
    for engine_name in COMBINED:
        covering = [name for name in COVERING if name.split("__")[0] == engine_name]
        for first in range(0, len(covering), _TOGETHER):
            _test(
                "%s_combinations_%d_test" % (engine_name, first // _TOGETHER + 1),
                covering[first:first + _TOGETHER],
            )
