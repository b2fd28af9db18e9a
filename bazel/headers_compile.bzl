"""headers_compile(): compiles headers on their own, to show that they include what they use."""

load("//bazel:cc.bzl", "cc_library")

def _source_impl(ctx):
    source = ctx.actions.declare_file(ctx.label.name)
    ctx.actions.write(source, "".join([
        "#include \"%s/%s\"\n" % (ctx.label.package, header)
        for header in ctx.attr.hdrs
    ]))
    return [DefaultInfo(files = depset([source]))]

_source = rule(
    implementation = _source_impl,
    attrs = {"hdrs": attr.string_list(mandatory = True)},
)

def headers_compile(name, hdrs, deps):
    """Makes `bazel test //...` compile each header by itself.

    Only for headers without an x_test.cc, whose first include does the same at no cost.
    //tools/tidy says which these are.

    Most of the time goes into what the headers include. So several may share a source, if each
    includes the one before it, be it through others: it then sees nothing that it does not include
    anyway. //tools/tidy checks that.

    Args:
      name: of the library of sources without code; nobody depends on it.
      hdrs: headers of this package, and lists of headers that share a source.
      deps: the library that has them.
    """
    sources = []
    for entry in hdrs:
        chain = [entry] if type(entry) == "string" else entry
        source = "%s_%s.cc" % (name, chain[-1])
        _source(
            name = source,
            testonly = True,
            hdrs = chain,
            visibility = ["//visibility:private"],
        )
        sources.append(source)
    cc_library(
        name = name,
        testonly = True,
        srcs = sources,
        visibility = ["//visibility:private"],
        deps = deps,
    )
