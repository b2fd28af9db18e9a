"""What headers include: all that they name of the standard library, and never themselves.

The compiler does not tell. Of the first: another include may bring the name along, and tests are
built with precompiled headers of the system (bazel/cc.bzl). Of the second: guards break the cycle.
"""

import re

from tree import Finding

# Names of std and the header they come from; those of which several headers may be the source are
# in _ALSO. A name that stands in neither is not checked.
_NAMES = {
    "algorithm": "all_of any_of binary_search clamp copy copy_if copy_n count count_if equal"
    " equal_range fill fill_n find find_if find_if_not for_each generate includes is_sorted"
    " lexicographical_compare lower_bound make_heap max max_element merge min min_element minmax"
    " mismatch none_of nth_element partial_sort partition partition_point pop_heap push_heap"
    " remove_if replace reverse rotate sample search shuffle sort stable_sort swap_ranges"
    " transform unique upper_bound",
    "array": "array to_array",
    "atomic": "atomic atomic_flag atomic_ref atomic_signal_fence atomic_thread_fence memory_order"
    " memory_order_acq_rel memory_order_acquire memory_order_relaxed memory_order_release"
    " memory_order_seq_cst",
    "barrier": "barrier",
    "bit": "bit_cast bit_ceil bit_floor bit_width countl_one countl_zero countr_one countr_zero"
    " endian has_single_bit popcount rotl rotr",
    "bitset": "bitset",
    "charconv": "chars_format from_chars from_chars_result to_chars to_chars_result",
    "chrono": "chrono",
    "cmath": "abs ceil exp fabs floor hypot isfinite isinf isnan log log10 log1p log2 lround pow"
    " round sqrt trunc",
    "compare": "compare_three_way partial_ordering strong_ordering three_way_comparable"
    " weak_ordering",
    "concepts": "constructible_from convertible_to copyable default_initializable derived_from"
    " destructible equality_comparable floating_point integral invocable movable predicate regular"
    " same_as semiregular signed_integral totally_ordered unsigned_integral",
    "condition_variable": "condition_variable condition_variable_any cv_status",
    "cstddef": "byte max_align_t ptrdiff_t size_t",
    "cstdio": "FILE fclose fflush fopen fprintf fputs fread fwrite perror printf puts snprintf",
    "cstdlib": "_Exit abort exit free getenv malloc strtod strtol strtoul strtoull system",
    "cstring": "memchr memcmp memcpy memmove memset strcmp strerror strlen strncmp",
    "deque": "deque",
    "exception": "current_exception exception exception_ptr terminate uncaught_exceptions",
    "filesystem": "filesystem",
    "fstream": "fstream ifstream ofstream",
    "functional": "bind bit_and bit_or cref equal_to function greater hash identity invoke less"
    " minus multiplies not_fn plus ref reference_wrapper",
    "initializer_list": "initializer_list",
    "iterator": "advance back_inserter bidirectional_iterator_tag distance forward_iterator_tag"
    " input_iterator_tag inserter istreambuf_iterator iterator_traits make_move_iterator next prev"
    " random_access_iterator_tag reverse_iterator",
    "latch": "latch",
    "limits": "numeric_limits",
    "list": "list",
    "map": "map multimap",
    "memory": "addressof align allocator assume_aligned construct_at default_delete destroy"
    " destroy_at make_shared make_unique make_unique_for_overwrite shared_ptr to_address"
    " uninitialized_copy unique_ptr weak_ptr",
    "mutex": "adopt_lock call_once defer_lock lock_guard mutex once_flag recursive_mutex"
    " scoped_lock try_to_lock unique_lock",
    "new": "align_val_t bad_alloc hardware_destructive_interference_size launder nothrow",
    "numeric": "accumulate gcd inner_product iota lcm midpoint partial_sum reduce",
    "optional": "make_optional nullopt optional",
    "queue": "priority_queue queue",
    "random": "discrete_distribution exponential_distribution geometric_distribution mt19937"
    " mt19937_64 normal_distribution random_device uniform_int_distribution"
    " uniform_real_distribution",
    "ranges": "ranges views",
    "set": "multiset set",
    "shared_mutex": "shared_lock shared_mutex",
    "source_location": "source_location",
    "span": "as_bytes as_writable_bytes dynamic_extent span",
    "sstream": "istringstream ostringstream stringstream",
    "stack": "stack",
    "stdexcept": "invalid_argument length_error logic_error out_of_range runtime_error",
    "stop_token": "stop_callback stop_source stop_token",
    "string": "basic_string char_traits getline stod stoi stol stoul stoull string to_string",
    "string_view": "string_view",
    "system_error": "errc error_code error_condition generic_category make_error_code"
    " system_category system_error",
    "thread": "jthread this_thread thread",
    "tuple": "apply forward_as_tuple ignore make_tuple tie tuple tuple_element_t tuple_size_v",
    "type_traits": "conditional_t decay_t enable_if_t false_type integral_constant invoke_result_t"
    " is_base_of_v is_const_v is_constant_evaluated is_constructible_v is_convertible_v"
    " is_default_constructible_v is_empty_v is_enum_v is_integral_v is_invocable_r_v"
    " is_invocable_v is_nothrow_move_constructible_v is_pointer_v is_reference_v is_same_v"
    " is_signed_v is_trivially_copyable_v is_trivially_destructible_v is_unsigned_v is_void_v"
    " make_signed_t make_unsigned_t remove_const_t remove_cv_t remove_cvref_t remove_reference_t"
    " true_type type_identity type_identity_t underlying_type_t void_t",
    "unordered_map": "unordered_map unordered_multimap",
    "unordered_set": "unordered_multiset unordered_set",
    "utility": "as_const cmp_equal cmp_greater cmp_greater_equal cmp_less cmp_less_equal declval"
    " exchange forward in_place in_range index_sequence index_sequence_for integer_sequence"
    " make_index_sequence make_pair move pair piecewise_construct swap",
    "variant": "get_if holds_alternative monostate variant visit",
    "vector": "vector",
}
_ALSO = {
    "abs": {"cstdlib"},
    "hash": {"memory", "optional", "string", "string_view"},
    "less": {"map", "set"},
    "move": {"algorithm"},
    "ranges": {"algorithm"},
}
_HOME = {name: header for header, names in _NAMES.items() for name in names.split()}

_SYSTEM_INCLUDE = re.compile(r"^#include <([^>]+)>", re.M)
# Comments, strings and directives name things without using them.
_NOT_CODE = re.compile(r'//[^\n]*|"(?:[^"\\\n]|\\.)*"|^#.*$', re.M)
_STD_NAME = re.compile(r"\bstd::(\w+)")
_FIXED_WIDTH = re.compile(r"\bu?int(?:8|16|32|64|ptr)_t\b")
_SIZE = re.compile(r"\bsize_t\b")


def standard_includes(tree):
    for path in tree.headers():
        text = tree.text(path)
        included = set(_SYSTEM_INCLUDE.findall(text))
        code = _NOT_CODE.sub("", text)
        wanted = {name: _HOME[name] for name in _STD_NAME.findall(code) if name in _HOME}
        # These are written without std.
        wanted |= {name: "cstdint" for name in _FIXED_WIDTH.findall(code)}
        wanted |= {name: "cstddef" for name in _SIZE.findall(code)}
        for name, header in sorted(wanted.items()):
            if not included & {header, *_ALSO.get(name, ())}:
                message = f"it names {name}: #include <{header}>"
                yield Finding(path, 0, "standard-include", message)


def include_cycles(tree):
    """Headers in a cycle are one header in several files: none can be read before the others."""
    headers = set(tree.headers())
    finished = set()

    def visit(path, way):
        if path in way:
            cycle = " -> ".join([*way[way.index(path) :], path])
            yield Finding(way[-1], 0, "include-cycle", f"headers include each other: {cycle}")
        elif path not in finished:
            for included in tree.includes(path):
                if included in headers:
                    yield from visit(included, [*way, path])
            finished.add(path)

    for path in sorted(headers):
        yield from visit(path, [])


RULES = [standard_includes, include_cycles]
