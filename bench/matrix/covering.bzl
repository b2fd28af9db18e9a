"""The combinations that are tested: every pair of policies of two slots is in one of them.

Written by pairwise.py from policies.bzl; do not edit.
"""

COVERING = [
    "lsm__bplus_tree__leveled__single__every_write",
    "lsm__bplus_tree__leveled__single__group",
    "lsm__bplus_tree__leveled__hashed16__group",
    "lsm__bplus_tree__leveled__hashed256__none",
    "lsm__bplus_tree__leveled__hashed256__every_write",
    "lsm__skip_list__leveled__single__none",
    "lsm__skip_list__leveled__hashed16__none",
    "lsm__skip_list__leveled__hashed16__every_write",
    "lsm__skip_list__leveled__hashed256__group",
    "memory__hashed1__absolute",
    "memory__hashed1__none",
    "memory__hashed16__absolute",
    "memory__hashed16__none",
    "memory__hashed256__absolute",
    "memory__hashed256__none",
    "memory_ordered__bplus_tree__absolute",
    "memory_ordered__bplus_tree__none",
    "memory_ordered__skip_list__absolute",
    "memory_ordered__skip_list__none",
]
