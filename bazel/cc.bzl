"""cc_library(), cc_binary() and cc_test() of this repository: rules_cc's, with precompiled headers.

Most of the time that a small source takes goes into the headers of the system, so a tested build
(--config=checked, which is fastbuild) parses these once. What runs optimised is compiled from
nothing but its own includes; //tools/tidy checks that headers include what they name of std.
"""

load(
    "@rules_cc//cc:defs.bzl",
    _cc_binary = "cc_binary",
    _cc_library = "cc_library",
    _cc_test = "cc_test",
)

def with_precompiled(precompiled, arguments):
    """The arguments of a rule whose sources begin with the headers `precompiled`."""
    result = dict(arguments)
    result["copts"] = select({
        "//bazel:tested": ["-include", "bazel/%s.h" % precompiled],
        "//conditions:default": [],
    }) + arguments.get("copts", [])
    result["deps"] = select({
        "//bazel:tested": ["//bazel:" + precompiled],
        "//conditions:default": [],
    }) + arguments.get("deps", [])
    return result

def cc_library(name, precompiled = True, **kwargs):
    """rules_cc's, with precompiled headers.

    Args:
      name: of the library.
      precompiled: False for one whose copts optimise it by themselves.
      **kwargs: what rules_cc's takes.
    """
    if kwargs.get("srcs") and precompiled:
        kwargs = with_precompiled("precompiled", kwargs)
    _cc_library(name = name, **kwargs)

def cc_binary(name, **kwargs):
    _cc_binary(name = name, **with_precompiled("precompiled", kwargs))

def cc_test(name, **kwargs):
    _cc_test(name = name, **with_precompiled("precompiled_test", kwargs))
