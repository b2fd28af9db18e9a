"""The tests that every composition gets: the suites are libraries, compiled once; a composition
adds one small file."""

load("//bazel:cc.bzl", "cc_binary", "cc_library", "cc_test")

def _quoted(text):
    return '\\"' + text + '\\"'

def composition_tests(name, header, type, deps, durable = False, size = "medium", tags = []):
    """Makes <name>_conformance_test and, where they apply, <name>_kill_test and <name>_crash_test.

    And <name>_torture, which //tools/torture builds when it is asked for.

    Args:
      name: what reports call the composition.
      header: the include path of its header.
      type: its C++ type, on the machine's files and clock.
      deps: the library of the header.
      durable: whether it keeps files, so that it can be killed and its power cut. Its type then has
        On<Environment>, which is itself on other files.
      size: of the tests.
      tags: of the tests.
    """
    under_test = name + "_under_test"
    cc_library(
        name = under_test,
        testonly = True,
        srcs = ["//kv/testing:composition_under_test.cc"],
        local_defines = [
            "ASHLAR_HEADER=" + _quoted(header),
            "ASHLAR_NAME=" + _quoted(name),
            "ASHLAR_TYPE=" + type,
        ],
        tags = tags,
        deps = deps + ["//kv/testing"],
        # The mains refer to it, whatever the linker's order.
        alwayslink = True,
    )
    for suite in ["conformance", "kill", "crash"] if durable else ["conformance"]:
        cc_test(
            name = "%s_%s_test" % (name, suite),
            size = size,
            tags = tags,
            deps = [
                ":" + under_test,
                "//kv/testing:%s_main" % suite,
            ],
        )
    cc_binary(
        name = name + "_torture",
        testonly = True,
        tags = tags + ["manual"],
        visibility = ["//tools/torture:__pkg__"],
        deps = [
            ":" + under_test,
            "//kv/testing:torture_main",
        ],
    )
