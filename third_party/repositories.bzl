"""The external repositories of Ashlar. A downstream WORKSPACE calls ashlar_repositories() as well.

Each library is a repository of its own over /usr, so a downstream workspace that builds, say,
Abseil itself defines `ashlar_absl` before the call, and its definition is kept.
"""

_SYSTEM_LIBRARIES = [
    "absl",
    "benchmark",
    "cli11",
    "concurrentqueue",
    "fmt",
    "gtest",
    "hiredis",
    "json",
    "lmdb",
    "mimalloc",
    "openssl",
    "tbb",
    "xxhash",
    "zlib",
    "zstd",
]

def ashlar_repositories(prefix = "/usr"):
    """Declares what //third_party refers to.

    Args:
      prefix: the directory that holds `include` and `lib` of the system packages.
    """
    for library in _SYSTEM_LIBRARIES:
        _unless_defined(
            native.new_local_repository,
            name = "ashlar_" + library,
            path = prefix,
            build_file = "@ashlar//third_party:%s.BUILD" % library,
        )

    if _is_debian_bazel():
        _debian_bazel_repositories()

def _is_debian_bazel():
    # Debian's bazel-bootstrap is 4.2.3 but does not know its own version. Official binaries
    # (Bazelisk, 5 and later) do, and bring the rules below themselves.
    version = native.bazel_version
    return not version or not version[0].isdigit() or version.startswith("4.")

def _debian_bazel_repositories():
    # Bazel's built-in definitions of these would go to the network.
    _unless_defined(_rules_cc_shim, name = "rules_cc")
    _unless_defined(_coverage_shim, name = "remote_coverage_tools")
    for language in ["java", "proto"]:
        _unless_defined(
            native.local_repository,
            name = "rules_" + language,
            path = "/usr/share/bazel/rules/" + language,
        )

def _rules_cc_shim_impl(context):
    context.file("WORKSPACE", "")
    context.file("BUILD", "")
    context.file("cc/BUILD", "")
    context.symlink(context.attr._defs, "cc/defs.bzl")

# A repository rule, since a local_repository's path would be wrong in a downstream workspace.
_rules_cc_shim = repository_rule(
    implementation = _rules_cc_shim_impl,
    attrs = {"_defs": attr.label(default = "//third_party:rules_cc_shim.bzl")},
    local = True,
)

def _coverage_shim_impl(context):
    context.file("WORKSPACE", "")
    context.file("BUILD", """
filegroup(name = "coverage_report_generator", visibility = ["//visibility:public"])
filegroup(name = "lcov_merger", visibility = ["//visibility:public"])
""")

# Every test rule names these two, though only `bazel coverage` runs them. Debian does not package
# them.
_coverage_shim = repository_rule(
    implementation = _coverage_shim_impl,
    local = True,
)

def _unless_defined(rule, name, **kwargs):
    if name not in native.existing_rules():
        rule(name = name, **kwargs)
