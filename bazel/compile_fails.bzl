"""compile_fails_test(): passes when a source does not compile, for the reason that is given."""

load("@bazel_tools//tools/build_defs/cc:action_names.bzl", "CPP_COMPILE_ACTION_NAME")
load("@bazel_tools//tools/cpp:toolchain_utils.bzl", "find_cpp_toolchain")
load("//bazel:cc.bzl", "with_precompiled")

# Runs the compiler (the arguments) and writes to $OUT what it says. Succeeds either way: the
# test reads the outcome, so that a source that does compile fails the test, not the build.
_COMPILE = """
if "$@" 2>"$OUT"; then echo 'IT COMPILES' >>"$OUT"; fi
"""

_CHECK = """#!/bin/sh
# What the compiler said must hold every line of the second file.
if grep -q 'IT COMPILES' '{log}'; then
  echo '{source} compiles, although it must not'
  exit 1
fi
status=0
while IFS= read -r words; do
  if ! grep -qF -- "$words" '{log}'; then
    echo "the compiler refuses {source}, but does not say: $words"
    status=1
  fi
done <'{words}'
if [ $status -ne 0 ]; then cat '{log}'; fi
exit $status
"""

def _impl(ctx):
    toolchain = find_cpp_toolchain(ctx)
    features = cc_common.configure_features(
        ctx = ctx,
        cc_toolchain = toolchain,
        requested_features = ctx.features,
        unsupported_features = ctx.disabled_features,
    )
    context = cc_common.merge_cc_infos(
        cc_infos = [dep[CcInfo] for dep in ctx.attr.deps],
    ).compilation_context
    source = ctx.file.src
    user_flags = (
        ctx.fragments.cpp.copts + ctx.fragments.cpp.cxxopts + ctx.attr.copts + ["-fsyntax-only"]
    )
    variables = cc_common.create_compile_variables(
        feature_configuration = features,
        cc_toolchain = toolchain,
        source_file = source.path,
        user_compile_flags = user_flags,
        include_directories = context.includes,
        quote_include_directories = context.quote_includes,
        system_include_directories = context.system_includes,
        # As in precompiled.bzl, for the same reason.
        use_pic = (
            ctx.var["COMPILATION_MODE"] != "opt" and
            toolchain.needs_pic_for_dynamic_libraries(feature_configuration = features)
        ),
        preprocessor_defines = context.defines,
    )
    flags = cc_common.get_memory_inefficient_command_line(
        feature_configuration = features,
        action_name = CPP_COMPILE_ACTION_NAME,
        variables = variables,
    )
    compiler = cc_common.get_tool_for_action(
        feature_configuration = features,
        action_name = CPP_COMPILE_ACTION_NAME,
    )
    log = ctx.actions.declare_file(ctx.label.name + ".log")
    environment = dict(cc_common.get_environment_variables(
        feature_configuration = features,
        action_name = CPP_COMPILE_ACTION_NAME,
        variables = variables,
    ))
    environment["OUT"] = log.path
    # The words are matched as the compiler writes them in English.
    environment["LC_ALL"] = "C"
    ctx.actions.run_shell(
        inputs = depset([source], transitive = [context.headers, toolchain.all_files]),
        outputs = [log],
        command = _COMPILE,
        arguments = [compiler] + flags + [source.path],
        env = environment,
        mnemonic = "CompileFails",
        progress_message = "Compiling %s, which must fail" % source.short_path,
    )
    words = ctx.actions.declare_file(ctx.label.name + ".words")
    ctx.actions.write(words, "".join([line + "\n" for line in ctx.attr.words]))
    script = ctx.actions.declare_file(ctx.label.name + ".sh")
    ctx.actions.write(
        script,
        _CHECK.format(log = log.short_path, source = source.short_path, words = words.short_path),
        is_executable = True,
    )
    return [DefaultInfo(executable = script, runfiles = ctx.runfiles(files = [log, words]))]

_compile_fails_test = rule(
    implementation = _impl,
    doc = """Passes when `src` is refused by the compiler with an error that holds all `words`.

    Other ways to fail (a header that is not found, a slip in the snippet) do not say the words. The
    action compiles with the flags of every other target, and is cached as those are.""",
    attrs = {
        "src": attr.label(allow_single_file = [".cc"], mandatory = True),
        "copts": attr.string_list(),
        "deps": attr.label_list(providers = [CcInfo]),
        "words": attr.string_list(
            doc = "Each is looked for on its own, as it stands.",
            allow_empty = False,
            mandatory = True,
        ),
        "_cc_toolchain": attr.label(default = "@bazel_tools//tools/cpp:current_cc_toolchain"),
    },
    fragments = ["cpp"],
    test = True,
    toolchains = ["@bazel_tools//tools/cpp:toolchain_type"],
)

def compile_fails_test(name, deps, **kwargs):
    """Passes when the compiler refuses `src` with all `words`: see _compile_fails_test.

    Args:
      name: of the test.
      deps: libraries of headers.
      **kwargs: src, words and what every test has.
    """
    arguments = with_precompiled("precompiled", dict(kwargs, deps = deps))
    _compile_fails_test(name = name, **arguments)
