"""interleaving_test(): a test that runs a part in every interleaving."""

load("//bazel:cc.bzl", "cc_test")

# The checker finds races on ordinary memory by ThreadSanitizer. Under another sanitizer, which it
# does not go together with, it does without.
THREAD_SANITIZER = select({
    "//bazel:sanitized": [],
    "//conditions:default": ["-fsanitize=thread"],
})

# Of the checker itself, whose memory is nobody's to race for: it tells ThreadSanitizer of the
# program's by calls, and is not watched. That takes a third off the time of every test.
TELLS_THREAD_SANITIZER = select({
    "//bazel:sanitized": [],
    "//conditions:default": ["-D__SANITIZE_THREAD__=1"],
})

def interleaving_test(name, srcs, deps, size = "small"):
    """A cc_test whose kv/base/atomic.h is the model's.

    What it links beside the checker must be headers: an object that was compiled with std::atomic
    does not go together with it.

    Args:
      name: of the test.
      srcs: of the test.
      deps: the libraries of the part under test.
      size: of the test.
    """
    cc_test(
        name = name,
        size = size,
        srcs = srcs,
        copts = THREAD_SANITIZER,
        linkopts = THREAD_SANITIZER,
        local_defines = ["ASHLAR_ATOMIC_HEADER=\\\"kv/testing/interleaving/seam.h\\\""],
        deps = deps + [
            "//kv/testing/interleaving",
            "//third_party:gtest_main",
        ],
    )
