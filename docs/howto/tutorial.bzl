"""tutorial(): the code that a tutorial shows, as targets: it compiles, and passes its test."""

load("//bazel:cc.bzl", "cc_library", "cc_test")

def shown_files(document, files):
    """Makes each of `files` out of the blocks of `document` that are headed by its path."""
    for file in files:
        native.genrule(
            name = file.replace("/", "_") + "_shown",
            srcs = [document],
            outs = [file],
            cmd = "$(location :extract) $(location %s) %s >$@" % (document, file),
            tools = [":extract"],
        )

def tutorial(name, document, hdrs, deps, test = None, test_deps = []):
    """Makes a library of the headers that `document` shows and, where it shows one, <name>_test.

    Args:
      name: of the library.
      document: the Markdown file.
      hdrs: paths of the headers, from the root of the repository, as the blocks are headed.
      deps: of the library.
      test: path of the test.
      test_deps: of the test, besides the library.
    """
    shown_files(document, hdrs + ([test] if test else []))
    cc_library(
        name = name,
        testonly = True,
        hdrs = hdrs,
        # A reader of the tutorial has them under the root.
        strip_include_prefix = "/docs/howto",
        deps = deps,
    )
    if test:
        cc_test(
            name = name + "_test",
            size = "medium",
            srcs = [test],
            deps = [":" + name] + test_deps + ["//third_party:gtest_main"],
        )
