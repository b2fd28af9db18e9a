"""Stands in for @rules_cc//cc:defs.bzl under Debian's Bazel 4.2.3, which cannot load the package.

It hands out the native rules, which is all that the real rules_cc did at that time. Newer Bazel
never sees this file: see repositories.bzl. The list is what @bazel_tools and rules_java load, not
only what Ashlar uses.
"""

cc_binary = native.cc_binary
cc_import = native.cc_import
cc_library = native.cc_library
cc_proto_library = native.cc_proto_library
cc_test = native.cc_test
cc_toolchain = native.cc_toolchain
cc_toolchain_suite = native.cc_toolchain_suite
fdo_prefetch_hints = native.fdo_prefetch_hints
fdo_profile = native.fdo_profile
objc_import = native.objc_import
objc_library = native.objc_library

# Never called here, but Bazel's own files name them in load().
cc_flags_supplier = None
compiler_flag = None
