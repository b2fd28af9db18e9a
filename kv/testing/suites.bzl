"""The tests that every composition gets: the suites are libraries, compiled once; a composition
adds one small file for each environment that it runs in."""

load("@rules_cc//cc:defs.bzl", "cc_binary", "cc_library", "cc_test")

def _quoted(text):
    return '\\"' + text + '\\"'

def composition_tests(name, header, type, deps, simulated_type = None, size = "medium", tags = []):
    """Makes <name>_conformance_test and, where they apply, <name>_kill_test and <name>_crash_test.

    And <name>_torture, which //tools/torture builds when it is asked for.

    Args:
      name: what reports call the composition.
      header: the include path of its header.
      type: its C++ type, on the machine's files and clock.
      deps: the library of the header.
      simulated_type: a durable composition on kv::testing::SimulatedEnvironment; None makes neither
        the kill test nor the crash test.
      size: of the tests.
      tags: of the tests.
    """
    selection = ["ASHLAR_HEADER=" + _quoted(header), "ASHLAR_NAME=" + _quoted(name)]
    cc_library(
        name = name + "_under_test",
        testonly = True,
        srcs = ["//kv/testing:composition_under_test.cc"],
        local_defines = selection + ["ASHLAR_TYPE=" + type],
        tags = tags,
        deps = deps + ["//kv/testing"],
        # The mains refer to it, whatever the linker's order.
        alwayslink = True,
    )
    cc_test(
        name = name + "_conformance_test",
        size = size,
        tags = tags,
        deps = [
            ":" + name + "_under_test",
            "//kv/testing:conformance_main",
        ],
    )
    cc_binary(
        name = name + "_torture",
        testonly = True,
        tags = tags + ["manual"],
        visibility = ["//tools/torture:__pkg__"],
        deps = [
            ":" + name + "_under_test",
            ":" + name + "_simulated" if simulated_type else "//kv/testing:volatile_under_test",
            "//kv/testing:torture_main",
        ],
    )
    if simulated_type == None:
        return
    cc_test(
        name = name + "_kill_test",
        size = size,
        tags = tags,
        deps = [
            ":" + name + "_under_test",
            "//kv/testing:kill_main",
        ],
    )
    cc_library(
        name = name + "_simulated",
        testonly = True,
        srcs = ["//kv/testing:simulated_under_test.cc"],
        local_defines = selection + ["ASHLAR_SIMULATED_TYPE=" + simulated_type],
        tags = tags,
        deps = deps + ["//kv/testing"],
        # The mains refer to it, whatever the linker's order.
        alwayslink = True,
    )
    cc_test(
        name = name + "_crash_test",
        size = size,
        tags = tags,
        deps = [
            ":" + name + "_simulated",
            "//kv/testing:crash_main",
        ],
    )
