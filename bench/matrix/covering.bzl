"""The combinations that are tested: every pair of policies of two slots is in one of them.

Or it is in a composition of //engines/compositions. Written by pairwise.py from policies.bzl and
from these; do not edit.
"""

# An engine and a policy for each of its slots; the name has "__" between them.
COVERING = [line.strip().replace(" ", "__") for line in """
    lsm_all bplus_tree leveled hashed16 interval zstd none none none pread separated none
    lsm_all bplus_tree tiered single pipelined none binary_fuse s3_fifo zstd pread separated none
    lsm_all bplus_tree fifo single group none blocked_bloom lru zstd_dictionary mmap inline none
    lsm_all bplus_tree none hashed256 every_write zstd blocked_bloom none zstd pread separated none
    lsm_all skip_list leveled hashed256 pipelined none none lru zstd_dictionary mmap inline none
    lsm_all skip_list leveled single interval none binary_fuse lru zstd pread separated none
    lsm_all skip_list tiered hashed16 none zstd binary_fuse lru zstd_dictionary pread separated none
    lsm_all skip_list lazy_leveled hashed16 interval none none none none mmap separated absolute
    lsm_all skip_list lazy_leveled single none zstd binary_fuse clock zstd_dictionary pread inline none
    lsm_all skip_list fifo hashed256 every_write zstd binary_fuse s3_fifo zstd_dictionary mmap inline none
    lsm_all skip_list none hashed16 group none none s3_fifo zstd mmap inline absolute
    lsm_all hash tiered hashed16 every_write none none clock zstd_dictionary pread inline none
    lsm_all hash lazy_leveled single every_write zstd none s3_fifo zstd pread separated none
    lsm_all hash lazy_leveled single pipelined zstd binary_fuse none zstd_dictionary mmap separated none
    lsm_all hash fifo hashed256 none zstd none lru zstd mmap inline absolute
    lsm_all hash none single interval zstd binary_fuse clock zstd_dictionary pread separated absolute
    lsm_all art leveled single none zstd blocked_bloom s3_fifo none mmap inline none
    lsm_all art tiered single interval zstd blocked_bloom s3_fifo zstd pread inline absolute
    lsm_all art lazy_leveled hashed16 every_write none blocked_bloom lru none pread inline absolute
    lsm_all art fifo hashed16 pipelined zstd binary_fuse clock zstd pread separated none
    lsm_all art none single pipelined none none lru zstd_dictionary mmap inline none
    log none none
    log every_write absolute
    log every_write none
    log group none
    log pipelined absolute
    log pipelined none
    log interval absolute
    log interval none
    btree none none
    btree every_write absolute
    btree every_write none
    btree group none
    btree pipelined absolute
    btree pipelined none
    btree interval absolute
    btree interval none
    memory hashed1 absolute
    memory hashed1 none
    memory hashed16 absolute
    memory hashed16 none
    memory hashed256 absolute
    memory hashed256 none
    memory_ordered bplus_tree none
    memory_ordered skip_list absolute
    memory_ordered skip_list none
    memory_ordered art absolute
    memory_ordered art none
""".strip().splitlines()]
