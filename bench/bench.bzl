"""One bench binary, and one smoke test of it, for each composition of //engines:engines.bzl."""

load("@rules_cc//cc:defs.bzl", "cc_binary", "cc_test")

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

def ashlar_bench(name, header, type, durable = False):
    """Makes //bench:<name> and //bench:<name>_smoke_test.

    Args:
      name: of the composition, in engines.bzl.
      header: its header, as it is included.
      type: its type in namespace kv.
      durable: whether it keeps files, so that the smoke test can keep and reopen a store.
    """
    ashlar_bench_binary(
        name = name,
        header = header,
        type = type,
        deps = ["//engines/compositions:" + name],
    )

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
    """ashlar_bench for each entry of COMPOSITIONS."""
    for composition in compositions:
        ashlar_bench(
            name = composition.name,
            durable = composition.durable,
            header = "engines/compositions/%s.h" % composition.name,
            type = composition.type,
        )
