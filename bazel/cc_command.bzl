"""cc_command(): the command line by which Bazel compiles a C++ source, for actions of our own."""

load("@bazel_tools//tools/build_defs/cc:action_names.bzl", "CPP_COMPILE_ACTION_NAME")
load("@bazel_tools//tools/cpp:toolchain_utils.bzl", "find_cpp_toolchain")

# What a rule that calls cc_command() has besides: its attributes, fragments and toolchains.
CC_ATTRS = {
    "_cc_toolchain": attr.label(default = "@bazel_tools//tools/cpp:current_cc_toolchain"),
}
CC_FRAGMENTS = ["cpp"]
CC_TOOLCHAINS = ["@bazel_tools//tools/cpp:toolchain_type"]

def cc_command(ctx, source, context, copts = [], output = None):
    """The command that compiles `source` with the flags of every other target.

    Args:
      ctx: of the rule.
      source: the File that is compiled.
      context: the compilation context of what it includes.
      copts: flags of its own, behind the others.
      output: the File that is made, if any.

    Returns:
      A struct of `compiler`, a path; `flags`; `environment`, a dict; and `inputs`, a depset of the
      files that the command reads.
    """
    toolchain = find_cpp_toolchain(ctx)
    features = cc_common.configure_features(
        ctx = ctx,
        cc_toolchain = toolchain,
        requested_features = ctx.features,
        unsupported_features = ctx.disabled_features,
    )
    variables = cc_common.create_compile_variables(
        feature_configuration = features,
        cc_toolchain = toolchain,
        source_file = source.path,
        output_file = output.path if output else None,
        user_compile_flags = ctx.fragments.cpp.copts + ctx.fragments.cpp.cxxopts + copts,
        include_directories = context.includes,
        quote_include_directories = context.quote_includes,
        system_include_directories = context.system_includes,
        # As Bazel decides for what goes into a program. With the other setting nothing breaks, but
        # the compiler cannot use precompiled headers and parses them.
        use_pic = (
            ctx.var["COMPILATION_MODE"] != "opt" and
            toolchain.needs_pic_for_dynamic_libraries(feature_configuration = features)
        ),
        preprocessor_defines = context.defines,
    )
    return struct(
        compiler = cc_common.get_tool_for_action(
            feature_configuration = features,
            action_name = CPP_COMPILE_ACTION_NAME,
        ),
        flags = cc_common.get_memory_inefficient_command_line(
            feature_configuration = features,
            action_name = CPP_COMPILE_ACTION_NAME,
            variables = variables,
        ),
        environment = dict(cc_common.get_environment_variables(
            feature_configuration = features,
            action_name = CPP_COMPILE_ACTION_NAME,
            variables = variables,
        )),
        inputs = depset([source], transitive = [context.headers, toolchain.all_files]),
    )
