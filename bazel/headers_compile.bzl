"""headers_compile(): compiles headers on their own, to show that they include what they use."""

load("@rules_cc//cc:defs.bzl", "cc_library")

def headers_compile(name, hdrs, deps):
    """Makes `bazel test //...` compile each header by itself.

    Only for headers without an x_test.cc, whose first include does the same at no cost.
    //tools/tidy says which these are.

    Args:
      name: of the library of one-line sources; nobody depends on it.
      hdrs: headers of this package.
      deps: the library that has them.
    """
    for header in hdrs:
        native.genrule(
            name = "%s_%s" % (name, header),
            outs = ["%s_%s.cc" % (name, header)],
            cmd = "echo '#include \"%s/%s\"' >$@" % (native.package_name(), header),
            testonly = True,
            visibility = ["//visibility:private"],
        )
    cc_library(
        name = name,
        testonly = True,
        srcs = ["%s_%s.cc" % (name, header) for header in hdrs],
        # The object files are not linked into anything.
        copts = ["-O0"],
        visibility = ["//visibility:private"],
        deps = deps,
    )
