"""Headers of the system that are parsed once for all that includes them in a tested build."""

load("//bazel:cc_command.bzl", "CC_ATTRS", "CC_FRAGMENTS", "CC_TOOLCHAINS", "cc_command")

def _impl(ctx):
    infos = [dep[CcInfo] for dep in ctx.attr.deps]
    context = cc_common.merge_cc_infos(cc_infos = infos).compilation_context
    header = ctx.actions.declare_file(ctx.label.name + ".h")
    ctx.actions.write(header, "".join(["#include <%s>\n" % name for name in ctx.attr.hdrs]))

    # Beside the header, under the name by which GCC looks for it.
    precompiled = ctx.actions.declare_file(ctx.label.name + ".h.gch")
    command = cc_command(
        ctx,
        source = header,
        context = context,
        copts = ["-x", "c++-header"],
        output = precompiled,
    )
    ctx.actions.run(
        executable = command.compiler,
        arguments = command.flags,
        env = command.environment,
        inputs = command.inputs,
        outputs = [precompiled],
        mnemonic = "Precompile",
        progress_message = "Precompiling %s" % header.short_path,
    )
    own = cc_common.create_compilation_context(headers = depset([header, precompiled]))
    return [cc_common.merge_cc_infos(cc_infos = [CcInfo(compilation_context = own)] + infos)]

precompiled_headers = rule(
    implementation = _impl,
    doc = """Compiles `#include <...>` of `hdrs` to NAME.h.gch, with the flags of every other target.

    A source that begins with `-include PACKAGE/NAME.h` on its command line is spared the parsing of
    them: about one second of processor time. The compiler checks that the flags fit, and reads
    NAME.h where they do not.""",
    attrs = dict(
        CC_ATTRS,
        hdrs = attr.string_list(mandatory = True),
        deps = attr.label_list(providers = [CcInfo]),
    ),
    fragments = CC_FRAGMENTS,
    toolchains = CC_TOOLCHAINS,
)
