"""The tests that every composition gets: the suites are libraries, compiled once; a composition
adds one small file, or a group of compositions does."""

load("@rules_cc//cc:defs.bzl", plain_cc_library = "cc_library")
load("//bazel:cc.bzl", "cc_binary", "cc_library", "cc_test")

def _quoted(text):
    return '\\"' + text + '\\"'

_HEADER = """\
// {name}: written by kv/testing/suites.bzl.
#ifndef {guard}
#define {guard}

#include <string_view>
#include <tuple>

{includes}

namespace kv::testing {{

{compositions}
using CompositionsUnderTest = std::tuple<{types}>;

}}  // namespace kv::testing

#endif  // {guard}
"""

_COMPOSITION = """\
struct UnderTest{number} {{
  using Engine = {type};
  static constexpr std::string_view kName = "{name}";
}};
"""

def _header_impl(ctx):
    header = ctx.actions.declare_file(ctx.label.name)
    ctx.actions.write(header, ctx.attr.content)
    return [DefaultInfo(files = depset([header]))]

_header = rule(
    implementation = _header_impl,
    attrs = {"content": attr.string(mandatory = True)},
)

def _under_test(name, compositions, tags):
    """The library <name> of the compositions; for each of them <composition>_under_test."""
    numbers = range(len(compositions))
    _header(
        name = name + ".h",
        testonly = True,
        content = _HEADER.format(
            name = name,
            guard = "%s_%s_H_" % (native.package_name().replace("/", "_").upper(), name.upper()),
            includes = "\n".join([
                "#include \"%s\"" % header
                for header in {c.header: None for c in compositions}.keys()
            ]),
            compositions = "\n".join([
                _COMPOSITION.format(
                    number = number,
                    type = compositions[number].type,
                    name = compositions[number].name,
                )
                for number in numbers
            ]),
            types = ", ".join(["UnderTest%d" % number for number in numbers]),
        ),
        tags = tags,
    )
    cc_library(
        name = name,
        testonly = True,
        srcs = [
            "//kv/testing:composition_under_test.cc",
            name + ".h",
        ],
        local_defines = [
            "ASHLAR_COMPOSITIONS=" + _quoted("%s/%s.h" % (native.package_name(), name)),
        ],
        tags = tags,
        deps = {dep: None for c in compositions for dep in c.deps}.keys() + [
            "//kv/testing",
            "//kv/testing:name_under_test",
        ],
        # The mains refer to it, whatever the linker's order.
        alwayslink = True,
    )
    for composition in compositions:
        # It includes no header that could be precompiled.
        plain_cc_library(
            name = composition.name + "_under_test",
            testonly = True,
            srcs = ["//kv/testing:name_under_test.cc"],
            local_defines = ["ASHLAR_NAME=" + _quoted(composition.name)],
            tags = tags,
            deps = [
                ":" + name,
                "//kv/testing:name_under_test",
            ],
            alwayslink = True,
        )

def _suites(composition, size, tags):
    under_test = ":" + composition.name + "_under_test"
    for suite in ["conformance", "kill", "crash"] if composition.durable else ["conformance"]:
        cc_test(
            name = "%s_%s_test" % (composition.name, suite),
            size = size,
            tags = tags,
            deps = [
                under_test,
                "//kv/testing:%s_main" % suite,
            ],
        )
    cc_binary(
        name = composition.name + "_torture",
        testonly = True,
        tags = tags + ["manual"],
        visibility = ["//tools/torture:__pkg__"],
        deps = [
            under_test,
            "//kv/testing:torture_main",
        ],
    )

def composition_under_test(name, header, type, deps, durable = False):
    """One of the compositions of compositions_tests().

    Args:
      name: what reports call the composition.
      header: the include path of its header.
      type: its C++ type, on the machine's files and clock.
      deps: the library of the header.
      durable: whether it keeps files, so that it can be killed and its power cut. Its type then has
        On<Environment>, which is itself on other files.
    """
    return struct(name = name, header = header, type = type, deps = deps, durable = durable)

def compositions_tests(name, compositions, size = "medium", tags = []):
    """composition_tests() of several compositions, which are compiled together.

    They should be of one engine: then a second one takes half the time of the first. Who builds the
    tests of one compiles them all; so the one that people work with had better be alone.

    Args:
      name: of the library of them all.
      compositions: from composition_under_test().
      size: of the tests.
      tags: of the tests.
    """
    _under_test(name, compositions, tags)
    for composition in compositions:
        _suites(composition, size, tags)

def composition_tests(name, header, type, deps, durable = False, size = "medium", tags = []):
    """Makes <name>_conformance_test and, where they apply, <name>_kill_test and <name>_crash_test.

    And <name>_torture, which //tools/torture builds when it is asked for.

    Args:
      name: see composition_under_test().
      header: see there.
      type: see there.
      deps: see there.
      durable: see there.
      size: of the tests.
      tags: of the tests.
    """
    compositions_tests(
        name = name + "_alone",
        compositions = [composition_under_test(name, header, type, deps, durable)],
        size = size,
        tags = tags,
    )
