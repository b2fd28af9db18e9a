"""What a program would use without this project: systems of //bench:compare and //bench:claims."""

# Names are unique among these and //engines:engines.bzl.
PEERS = [
    struct(name = "locked_ordered_map", type = "peers::LockedOrderedMap"),
    struct(name = "sharded_hash_map", type = "peers::ShardedHashMap"),
]
