"""compile_fails_test(): passes when a source does not compile, for the reason that is given."""

load("//bazel:cc.bzl", "with_precompiled")
load("//bazel:cc_command.bzl", "CC_ATTRS", "CC_FRAGMENTS", "CC_TOOLCHAINS", "cc_command")

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
    source = ctx.file.src
    command = cc_command(
        ctx,
        source = source,
        context = cc_common.merge_cc_infos(
            cc_infos = [dep[CcInfo] for dep in ctx.attr.deps],
        ).compilation_context,
        copts = ctx.attr.copts + ["-fsyntax-only"],
    )
    log = ctx.actions.declare_file(ctx.label.name + ".log")
    ctx.actions.run_shell(
        inputs = command.inputs,
        outputs = [log],
        command = _COMPILE,
        arguments = [command.compiler] + command.flags + [source.path],
        # The words are matched as the compiler writes them in English.
        env = dict(command.environment, OUT = log.path, LC_ALL = "C"),
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
    attrs = dict(
        CC_ATTRS,
        src = attr.label(allow_single_file = [".cc"], mandatory = True),
        copts = attr.string_list(),
        deps = attr.label_list(providers = [CcInfo]),
        words = attr.string_list(
            doc = "Each is looked for on its own, as it stands.",
            allow_empty = False,
            mandatory = True,
        ),
    ),
    fragments = CC_FRAGMENTS,
    test = True,
    toolchains = CC_TOOLCHAINS,
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
