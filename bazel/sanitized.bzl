"""sanitized_test(): a test built and run under a sanitizer, beside the plain one."""

# -Wno-tsan: ThreadSanitizer sees no fences; what relies on them is for the interleaving tests.
_COMMON = ["-g1", "-fno-omit-frame-pointer", "-Wno-error", "-Wno-tsan"]

# What .bazelrc has for --config=asan, ubsan and tsan; two of the three can be in one program.
_SANITIZERS = {
    "memory": struct(
        flags = ["-fsanitize=address,undefined"],
        compile_flags = ["-fno-sanitize-recover=undefined"],
        environment = {
            "ASAN_OPTIONS": "detect_stack_use_after_return=1:strict_string_checks=1",
            "UBSAN_OPTIONS": "print_stacktrace=1",
        },
    ),
    "threads": struct(
        flags = ["-fsanitize=thread"],
        compile_flags = [],
        environment = {"TSAN_OPTIONS": "halt_on_error=1:second_deadlock_stack=1:suppressions={}"},
    ),
}

_COPT = "//command_line_option:copt"
_LINKOPT = "//command_line_option:linkopt"
_STRIP = "//command_line_option:strip"
_SETTINGS = [_COPT, _LINKOPT, _STRIP]

def _transition_impl(settings, attr):
    # The whole build may be sanitized already, and two sanitizers do not go together.
    if any([flag.startswith("-fsanitize=") for flag in settings[_COPT]]):
        return settings
    sanitizer = _SANITIZERS[attr.sanitizer]
    return {
        _COPT: settings[_COPT] + _COMMON + sanitizer.flags + sanitizer.compile_flags,
        _LINKOPT: settings[_LINKOPT] + sanitizer.flags,
        _STRIP: "never",
    }

_sanitizing = transition(
    implementation = _transition_impl,
    inputs = _SETTINGS,
    outputs = _SETTINGS,
)

def _impl(ctx):
    # A transition makes a list of even one.
    test = ctx.attr.test[0]
    executable = test[DefaultInfo].files_to_run.executable
    environment = _SANITIZERS[ctx.attr.sanitizer].environment
    arguments = ["--gtest_filter=" + ctx.attr.filter] if ctx.attr.filter else []
    script = ctx.actions.declare_file(ctx.label.name)
    ctx.actions.write(
        script,
        "#!/bin/sh\n" +
        "".join([
            "export %s='%s'\n" % (name, value.replace("{}", ctx.file._suppressions.short_path))
            for name, value in environment.items()
        ]) +
        "exec '%s' %s \"$@\"\n" % (
            executable.short_path,
            " ".join(["'%s'" % word for word in arguments]),
        ),
        is_executable = True,
    )
    runfiles = ctx.runfiles(files = [executable, ctx.file._suppressions])
    return [DefaultInfo(
        executable = script,
        runfiles = runfiles.merge(test[DefaultInfo].default_runfiles),
    )]

sanitized_test = rule(
    implementation = _impl,
    doc = """Passes when `test` does, compiled with everything under it for the sanitizer.

    `memory` is AddressSanitizer with UndefinedBehaviorSanitizer, `threads` is ThreadSanitizer. It
    is a small part of what `bazel test --config=asan //...` and its sisters do, in every run of the
    tests.
    Each kind compiles once more what its tests are made of: name few, which share libraries.""",
    attrs = {
        "filter": attr.string(doc = "Of gtest; everything when empty."),
        "sanitizer": attr.string(mandatory = True, values = _SANITIZERS.keys()),
        "test": attr.label(cfg = _sanitizing, mandatory = True),
        "_suppressions": attr.label(
            allow_single_file = True,
            default = "//bazel:tsan_suppressions.txt",
        ),
        "_allowlist_function_transition": attr.label(
            default = "@bazel_tools//tools/allowlists/function_transition_allowlist",
        ),
    },
    test = True,
)
