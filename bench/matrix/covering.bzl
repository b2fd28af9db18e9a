"""The combinations that are tested: every pair of policies of two slots is in one of them.

Written by pairwise.py from policies.bzl; do not edit.
"""

# An engine and a policy for each of its slots; the name has "__" between them.
COVERING = [line.strip().replace(" ", "__") for line in """
    lsm_all bplus_tree leveled hashed256 group none blocked_bloom clock zstd pread inline absolute
    lsm_all bplus_tree leveled single pipelined zstd none s3_fifo none mmap inline absolute
    lsm_all bplus_tree tiered hashed16 none none binary_fuse lru zstd_dictionary mmap separated absolute
    lsm_all bplus_tree lazy_leveled hashed16 interval zstd binary_fuse clock none mmap separated none
    lsm_all bplus_tree fifo single none none binary_fuse none zstd mmap inline absolute
    lsm_all bplus_tree none hashed16 every_write zstd blocked_bloom none none pread separated none
    lsm_all skip_list leveled hashed16 every_write zstd binary_fuse lru zstd_dictionary pread inline none
    lsm_all skip_list tiered hashed256 group zstd none none none mmap separated none
    lsm_all skip_list lazy_leveled single pipelined none blocked_bloom s3_fifo none mmap separated absolute
    lsm_all skip_list fifo hashed16 interval zstd blocked_bloom none zstd_dictionary mmap inline none
    lsm_all skip_list fifo single every_write none binary_fuse lru none mmap separated absolute
    lsm_all skip_list none single none none none clock zstd pread inline none
    lsm_all hash leveled hashed256 interval zstd binary_fuse none zstd pread separated none
    lsm_all hash tiered hashed256 every_write none blocked_bloom none zstd pread separated absolute
    lsm_all hash tiered hashed16 pipelined zstd blocked_bloom s3_fifo zstd_dictionary pread inline absolute
    lsm_all hash tiered single interval none none s3_fifo zstd_dictionary pread inline absolute
    lsm_all hash lazy_leveled hashed16 group none blocked_bloom lru zstd_dictionary pread inline absolute
    lsm_all hash fifo hashed256 pipelined none blocked_bloom clock zstd_dictionary mmap inline absolute
    lsm_all hash none hashed256 none zstd blocked_bloom s3_fifo zstd_dictionary mmap separated none
    lsm_all hash none single group zstd binary_fuse lru none pread separated absolute
    lsm_all art leveled single none none blocked_bloom s3_fifo zstd_dictionary mmap separated absolute
    lsm_all art tiered single every_write none blocked_bloom clock zstd pread inline none
    lsm_all art lazy_leveled hashed256 every_write none none s3_fifo zstd mmap separated none
    lsm_all art lazy_leveled single none none blocked_bloom none none pread separated absolute
    lsm_all art fifo hashed16 group zstd binary_fuse s3_fifo zstd_dictionary mmap separated absolute
    lsm_all art fifo hashed16 pipelined zstd none none zstd pread inline none
    lsm_all art none hashed256 pipelined none binary_fuse lru zstd mmap separated absolute
    lsm_all art none hashed16 interval none none lru zstd mmap inline none
    log none absolute
    log none none
    log every_write absolute
    log every_write none
    log group absolute
    log group none
    log pipelined absolute
    log pipelined none
    log interval absolute
    log interval none
    btree none absolute
    btree none none
    btree every_write absolute
    btree every_write none
    btree group absolute
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
    memory_ordered bplus_tree absolute
    memory_ordered bplus_tree none
    memory_ordered skip_list absolute
    memory_ordered skip_list none
    memory_ordered art absolute
    memory_ordered art none
""".strip().splitlines()]
