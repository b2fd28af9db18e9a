"""The tests of the compositions, compiled a few at a time."""

load("//engines:engines.bzl", "COMPOSITIONS")
load("//kv/testing:suites.bzl", "composition_under_test", "compositions_tests")

# Compositions of one engine that are compiled together. Four of an LSM-tree need 2 GB.
_TOGETHER = 4

def tests_of_compositions():
    """Of each of COMPOSITIONS the tests that //kv/testing:suites.bzl says.

    The first of each engine is compiled alone: it is the one to build again and again while the
    engine changes.
    """
    for engine in {composition.engine: None for composition in COMPOSITIONS}.keys():
        of_engine = [
            composition_under_test(
                name = composition.name,
                deps = [":" + composition.name],
                durable = composition.durable,
                header = "engines/compositions/%s.h" % composition.name,
                type = "kv::" + composition.type,
            )
            for composition in COMPOSITIONS
            if composition.engine == engine
        ]
        groups = [of_engine[:1]] + [
            of_engine[first:first + _TOGETHER]
            for first in range(1, len(of_engine), _TOGETHER)
        ]
        for number, group in enumerate(groups):
            compositions_tests(
                name = "%s_group_%d" % (engine, number + 1),
                compositions = group,
            )
