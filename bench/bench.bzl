"""A bench binary for each composition of //engines:engines.bzl, a smoke test for each engine."""

load("//bazel:cc.bzl", "cc_binary", "cc_test")

# Bench binaries of servers, //bench:<name>, which //bench:compare knows as well.
SERVERS = ["redis"]

def ashlar_bench_binary(name, header, type, deps, tags = []):
    """A bench binary of one composition, in any package.

    Args:
      name: of the binary, and what its reports call the composition.
      header: the composition's header, as it is included.
      type: its type in namespace kv.
      deps: the library of the header.
      tags: of the binary.
    """
    cc_binary(
        name = name,
        srcs = ["//bench:bench_main.cc"],
        local_defines = [
            "ASHLAR_HEADER=\\\"%s\\\"" % header,
            "ASHLAR_TYPE=" + type,
            "ASHLAR_NAME=\\\"%s\\\"" % name,
            "ASHLAR_COMPILATION_MODE=\\\"$(COMPILATION_MODE)\\\"",
        ],
        tags = tags,
        visibility = ["//visibility:public"],
        deps = deps + [
            "//bench",
            "//third_party:mimalloc",
        ],
    )

def _smoke_test(name, durable):
    cc_test(
        name = name + "_smoke_test",
        size = "small",
        args = [
            "$(rootpath :%s)" % name,
            "durable" if durable else "volatile",
        ],
        data = [":" + name],
        deps = [":smoke_check"],
    )

def ashlar_benches(compositions):
    """//bench:<name> for each of COMPOSITIONS; :<name>_smoke_test for the first of each engine.

    The other binaries differ from those in policies, and the lab has run on every policy in the
    tests of the matrix (//bench/matrix). They are built when somebody names them.
    """
    engines = {}
    for composition in compositions:
        name = composition.name
        first = composition.engine not in engines
        engines[composition.engine] = True
        ashlar_bench_binary(
            name = name,
            header = "engines/compositions/%s.h" % name,
            tags = [] if first else ["manual"],
            type = composition.type,
            deps = ["//engines/compositions:" + name],
        )
        if first:
            _smoke_test(name, composition.durable)
