"""fuzz_test(): a libFuzzer target, which as a test runs a bounded number of inputs."""

# The numbers of all targets are here, and nowhere else.
#
# Where libFuzzer's random numbers begin. The same program makes the same inputs of it, so what a
# test finds, it finds again.
_SEED = 4

# For each target, how many inputs a test runs, some five seconds' worth on one core, and how many
# bytes an input has at most: a few times its largest seed.
_BOUNDS = {
    "//bazel:planted_fuzz": struct(runs = 20000, max_len = 64),
    "//bench/remote/load:monitor_fuzz": struct(runs = 200000, max_len = 1024),
    "//bench:trace_fuzz": struct(runs = 60000, max_len = 1024),
    "//clients:reply_fuzz": struct(runs = 100000, max_len = 512),
    "//clients:url_fuzz": struct(runs = 200000, max_len = 256),
    "//engines/btree:recovery_fuzz": struct(runs = 4000, max_len = 32768),
    "//engines/log:recovery_fuzz": struct(runs = 8000, max_len = 8192),
    "//engines/log:segment_format_fuzz": struct(runs = 150000, max_len = 2048),
    "//engines/lsm:manifest_fuzz": struct(runs = 40000, max_len = 2048),
    "//engines/lsm:recovery_fuzz": struct(runs = 4000, max_len = 8192),
    "//engines/lsm:table_fuzz": struct(runs = 25000, max_len = 8192),
    "//engines/lsm:value_file_fuzz": struct(runs = 60000, max_len = 4096),
    "//kv/contract:write_batch_fuzz": struct(runs = 200000, max_len = 1024),
    "//kv/io:log_reader_fuzz": struct(runs = 60000, max_len = 4096),
    "//kv/testing:script_text_fuzz": struct(runs = 60000, max_len = 512),
}

# A command line of its own: neither the compiler, nor the flags of a configuration, nor a sanitizer
# that the configuration has can be mixed with libFuzzer and its sanitizers. Assertions are on.
_COMPILER = "clang++"
_FLAGS = [
    "-std=c++20",
    "-O1",
    "-UNDEBUG",
    "-gline-tables-only",
    "-fno-omit-frame-pointer",
    "-fsanitize=fuzzer,address,undefined",
    "-fno-sanitize-recover=undefined",
]

_SCRIPT = """#!/bin/sh
exec '{runner}' '{program}' '{target}' {seed} {runs} {max_len} "$@"
"""

def _precompiled_impl(ctx):
    context = cc_common.merge_cc_infos(
        cc_infos = [dep[CcInfo] for dep in ctx.attr.deps],
    ).compilation_context
    precompiled = ctx.actions.declare_file(ctx.label.name + ".pch")

    # The file remembers where its headers were, and each action has a directory of its own. So they
    # are read from the system's, and what includes them from the standard input.
    source = "".join([
        "#if __has_include(<{0}>)\n#include <{0}>\n#endif\n".format(name)
        for name in ctx.attr.hdrs
    ])
    arguments = ctx.actions.args()
    arguments.add_all(_FLAGS)
    arguments.add_all(["-Xclang", "-fno-pch-timestamp", "-fpch-instantiate-templates"])
    arguments.add_all(["-x", "c++-header", "-o", precompiled])
    ctx.actions.run_shell(
        # They are not read, but who updates a library gets another file.
        inputs = context.headers,
        outputs = [precompiled],
        command = "printf %%s '%s' | %s \"$@\" -" % (source, _COMPILER),
        arguments = [arguments],
        mnemonic = "FuzzPrecompile",
        progress_message = "Precompiling headers for fuzz targets",
        use_default_shell_env = True,
    )
    return [DefaultInfo(files = depset([precompiled]))]

fuzz_precompiled = rule(
    implementation = _precompiled_impl,
    doc = """Compiles `#include <...>` of `hdrs` with the flags of fuzz targets, once for them all.

    Each of them has two sources, which are spared a second of processor time. A header that the
    system does not have is left out.""",
    attrs = {
        "hdrs": attr.string_list(mandatory = True),
        "deps": attr.label_list(providers = [CcInfo]),
    },
)

def _link_flags(target, linking_context):
    """The options of `deps` for the linker. A library with objects of its own is an error."""
    flags = []
    for library in linking_context.linker_inputs.to_list():
        if library.libraries:
            fail("%s depends on %s, which was compiled without the fuzzer's instrumentation: " %
                 (target, library.owner) + "name its sources in srcs")
        flags.extend(library.user_link_flags)
    return flags

def _impl(ctx):
    target = "//%s:%s" % (ctx.label.package, ctx.label.name)
    if target not in _BOUNDS:
        fail("bazel/fuzz.bzl has no bounds for " + target)
    bounds = _BOUNDS[target]
    info = cc_common.merge_cc_infos(cc_infos = [
        dep[CcInfo]
        for dep in ctx.attr.deps + [ctx.attr._fuzzing]
    ])
    context = info.compilation_context
    sources = ctx.files.srcs + [ctx.file._main]

    program = ctx.actions.declare_file(ctx.label.name + ".program")
    arguments = ctx.actions.args()
    arguments.add_all(_FLAGS)
    arguments.add_all(context.defines, before_each = "-D")
    arguments.add_all(context.quote_includes, before_each = "-iquote")
    arguments.add_all(context.includes, before_each = "-I")

    # The headers of system packages lie under another name of /usr/include. Ahead of the compiler's
    # own directories it would hide the C library's headers from those of the C++ library.
    arguments.add_all(context.system_includes, before_each = "-idirafter")
    arguments.add("-include-pch", ctx.file._precompiled)
    arguments.add_all([source for source in sources if source.extension == "cc"])
    arguments.add("-o", program)
    arguments.add_all(_link_flags(target, info.linking_context))
    ctx.actions.run_shell(
        inputs = depset(sources + [ctx.file._precompiled], transitive = [context.headers]),
        outputs = [program],
        command = "exec %s \"$@\"" % _COMPILER,
        arguments = [arguments],
        mnemonic = "FuzzCompile",
        progress_message = "Compiling %s with its sanitizers" % target,
        use_default_shell_env = True,
    )

    script = ctx.actions.declare_file(ctx.label.name + ".sh")
    ctx.actions.write(
        script,
        _SCRIPT.format(
            max_len = bounds.max_len,
            program = program.short_path,
            runner = ctx.file._runner.short_path,
            runs = bounds.runs,
            seed = _SEED,
            target = target,
        ),
        is_executable = True,
    )
    return [DefaultInfo(
        executable = script,
        runfiles = ctx.runfiles(files = [program, ctx.file._runner] + ctx.files.data),
    )]

fuzz_test = rule(
    implementation = _impl,
    doc = """Compiles a libFuzzer target (kv/testing/fuzzing.h) and runs it (bazel/fuzz.sh).

    As a test it runs a bounded number of inputs, the same ones each time. It goes on for longer,
    and keeps what it finds where it was called, with

        bazel run //kv/io:log_reader_fuzz -- -max_total_time=600
    """,
    attrs = {
        "srcs": attr.label_list(
            doc = "x_fuzz.cc, and sources of what it fuzzes that stand in no header.",
            allow_files = [".cc", ".h"],
            mandatory = True,
        ),
        "data": attr.label_list(allow_files = True),
        "deps": attr.label_list(
            doc = "Libraries of headers, or of the system.",
            providers = [CcInfo],
        ),
        "_fuzzing": attr.label(default = "//kv/testing:fuzzing", providers = [CcInfo]),
        "_main": attr.label(default = "//kv/testing:fuzz_main.cc", allow_single_file = True),
        "_precompiled": attr.label(default = "//bazel:fuzz_precompiled", allow_single_file = True),
        "_runner": attr.label(default = "//bazel:fuzz.sh", allow_single_file = True),
    },
    test = True,
)
