"""The bugs that mutants.py plants: one edit of the real code each, and the test that must notice.

A line is cut or changed as in a slip of one programmer on one day. `find` stands once in its file;
mutants_test.py sees to that, so who changes the line changes the mutant with it.
"""

# What each layer of docs/durability.md stands for.
LAYERS = {
    "crash": "simulated file system, power cuts",
    "kill": "kill -9",
    "history": "random histories beside the model",
    "concurrent": "concurrent histories, linearizability",
    "corruption": "flipped bits",
    "fault": "faults, full disks",
    "fuzz": "fuzz targets",
    "sanitizer": "sanitizers",
    "interleaving": "every interleaving of the lock-free parts",
}


class Mutant:
    """`test` is a label; `words` stand in the log of its failure."""

    def __init__(self, layer, name, file, find, replace, test, words, filter=None, config=None):
        self.layer = layer
        self.name = name  # a sentence without its full stop
        self.file = file
        self.find = find
        self.replace = replace
        self.test = test
        self.words = words
        self.filter = filter  # of gtest
        self.config = config  # of Bazel


def _suite(composition, kind):
    return "//engines/compositions:%s_%s_test" % (composition, kind)


def _crash(composition, name, file, find, replace, filter="*Moments*:*EveryMoment*"):
    return Mutant("crash", name, file, find, replace, _suite(composition, "crash"),
                  "history seed", filter)


def _history(composition, name, file, find, replace):
    return Mutant("history", name, file, find, replace, _suite(composition, "conformance"),
                  "FAILED", "*Histor*:*Short*")


def _concurrent(composition, name, file, find, replace):
    return Mutant("concurrent", name, file, find, replace, _suite(composition, "conformance"),
                  "FAILED", "*Linearizable*:*Whole*:*GoForward*")


def _corruption(composition, name, file, find, replace):
    return Mutant("corruption", name, file, find, replace, _suite(composition, "conformance"),
                  "FAILED", "*NeverWrong*:*Damage*")


def _fuzz(target, name, file, find, replace):
    return Mutant("fuzz", name, file, find, replace, "//%s_fuzz" % target, "found: ")


MUTANTS = [
    _crash("lsm_leveled", "CURRENT is renamed, and its directory is not synced",
           "engines/lsm/manifest.h",
           "    return files.SyncDirectory(names.Directory());\n",
           "    return absl::OkStatus();\n"),
    _crash("lsm_leveled", "a table is named in the manifest before its directory is synced",
           "engines/lsm/run_writer.h",
           "    return store_.environment().file_system.SyncDirectory("
           "store_.names().Directory());\n",
           "    return absl::OkStatus();\n"),
    _crash("lsm_leveled", "a table is not synced", "engines/lsm/table_builder.h",
           "    if (written.ok()) written = file_.Sync();\n", ""),
    _crash("lsm_leveled", "a write is acknowledged before its sync", "kv/commit/steps.h",
           "    KV_RETURN_IF_ERROR(journal.Sync());\n", ""),
    _crash("lsm_leveled", "an edit of the manifest is not synced", "engines/lsm/manifest.h",
           "    if (status.ok()) status = file_.Sync();\n", ""),
    _crash("log", "the new manifest takes the old one's name before it is synced",
           "engines/log/manifest.h", "  KV_RETURN_IF_ERROR(file.Sync());\n", ""),
    _crash("log", "a merged segment is not synced before its inputs go",
           "engines/log/merged_writer.h", "    KV_RETURN_IF_ERROR(file_->Sync());\n", ""),
    _crash("btree", "the header is written before the pages are durable",
           "engines/btree/checkpoint.h",
           "    KV_RETURN_IF_ERROR(file_.Sync());\n"
           "    KV_RETURN_IF_ERROR(file_.WriteAt(header_.Which()",
           "    KV_RETURN_IF_ERROR(file_.WriteAt(header_.Which()"),
    _crash("btree", "the header is not made durable before old places are used again",
           "engines/btree/checkpoint.h",
           "header_.Encode()));\n    KV_RETURN_IF_ERROR(file_.Sync());\n",
           "header_.Encode()));\n"),

    Mutant("kill", "a group's bytes stay in the process", "kv/commit/steps.h",
           "  if constexpr (kSync == CommitSync::kBeforePublish) {\n",
           "  if constexpr (kSync == CommitSync::kBeforePublish && sizeof(J) == 0) {\n",
           _suite("lsm_leveled", "kill"), "FAILED"),
    Mutant("kill", "the last write that was handed out is not marked as handed out",
           "engines/log/segment_writer.h",
           "    const uint64_t end = end_.load(std::memory_order_acquire);\n"
           "    const uint64_t from",
           "    const uint64_t end =\n"
           "        std::max(end_.load(std::memory_order_acquire), uint64_t{64}) - 24;\n"
           "    const uint64_t from",
           _suite("log", "kill"), "FAILED"),
    Mutant("kill", "recovery leaves out the newest log", "engines/lsm/recovery.h",
           "      if (!memory->Empty()) memories_.push_back(std::move(memory));\n",
           "      if (!memory->Empty() && log + 1 != logs_on_disk_.end()) {\n"
           "        memories_.push_back(std::move(memory));\n      }\n",
           _suite("lsm_leveled", "kill"), "FAILED"),

    _history("lsm_leveled", "a tombstone is dropped above older data", "engines/lsm/retention.h",
             "    if (bottommost_ && record->sequence <= snapshots_.front()) {\n",
             "    if (record->sequence <= snapshots_.front()) {\n"),
    _history("lsm_leveled", "a range delete spares its first key", "engines/lsm/range_index.h",
             "    if (place == size() || key < fragments_[place].begin) return 0;\n",
             "    if (place == size() || key <= fragments_[place].begin) return 0;\n"),
    _history("log", "a tombstone goes with the segment that it is in", "engines/log/merge_job.h",
             "const bool hides = record.sequence > hidden;\n",
             "const bool hides = record.sequence > hidden && hidden == 0;\n"),
    # Of those whose clock the histories turn themselves.
    Mutant("history", "what expires at this instant is shown", "kv/expiry/absolute.h",
           "    return expires_at != kNeverExpires && expires_at <= now_unix_millis;\n",
           "    return expires_at != kNeverExpires && expires_at < now_unix_millis;\n",
           "//engines/memory:conformance_test", "FAILED", "*Histor*:*Short*"),

    _concurrent("lsm_leveled", "a compare-and-set does not keep others out",
                "engines/lsm/engine.h",
                "    counters().Add(LsmCounter::kCasAttempts);\n"
                "    const auto guard = striping_.Exclude(HashKey(key));\n",
                "    counters().Add(LsmCounter::kCasAttempts);\n"
                "    const auto guard = striping_.Share(HashKey(key));\n"),
    _concurrent("lsm_leveled", "a group is visible before it is in the memtable",
                "kv/commit/steps.h",
                "  journal.Insert(group);\n  journal.Publish(group);\n",
                "  journal.Publish(group);\n  journal.Insert(group);\n"),
    _concurrent("log", "a compare-and-set does not keep others out", "engines/log/engine.h",
                "    const std::shared_lock shared(read_then_write_mutex_);\n"
                "    const auto guard = striping_.Exclude(LogKeyHash(key));\n"
                "    std::string current;\n",
                "    const std::shared_lock shared(read_then_write_mutex_);\n"
                "    const auto guard = striping_.Share(LogKeyHash(key));\n"
                "    std::string current;\n"),

    _corruption("lsm_leveled", "a block's checksum is not compared", "engines/lsm/table_format.h",
                "  return LoadFixed64(block.data() + covered) == "
                "Checksum(block.substr(0, covered), seed);\n",
                "  return covered < block.size() && seed + 1 != 0;\n"),
    _corruption("log", "a record's checksum is not compared", "engines/log/record_format.h",
                "    return LoadFixed64(header) ==\n"
                "           Checksum(std::string_view(header + 8, bytes - 8), "
                "LogEntrySeed(number, offset));\n",
                "    return header != nullptr && number + offset > 0;\n"),
    _corruption("btree", "a page's checksum is not compared", "engines/btree/pool.h",
                "        page.checksum() != page.ComputeChecksum(bytes) || "
                "!IsWellFormed(page, bytes)) {\n",
                "        !IsWellFormed(page, bytes)) {\n"),
    _corruption("lsm_separated", "a value's checksum is not compared",
                "engines/lsm/value_format.h",
                "  if (LoadFixed64(record.data()) != Checksum(covered, BlockSeed(number, offset))) "
                "[[unlikely]] {\n",
                "  if (covered.empty() && number == offset) [[unlikely]] {\n"),

    Mutant("fault", "a follower hears OK of a sync that failed", "kv/commit/group.h",
           "      request->result = status;\n",
           "      request->result = request == group_.front() ? status : absl::OkStatus();\n",
           "//kv/commit:conformance_test", "FAILED"),
    Mutant("fault", "an error is forgotten", "kv/base/sticky_error.h",
           "    if (error_.ok()) error_ = WithAdvice(std::move(error));\n"
           "    // release: pairs with the acquire in failed().\n"
           "    failed_.store(true, std::memory_order_release);\n"
           "    return error_;\n",
           "    return error;\n", _suite("log", "crash"), "history seed", "*Failed*"),
    Mutant("fault", "the manifest goes on after an edit that failed", "engines/lsm/catalog.h",
           "      manifest_.reset();\n", "",
           _suite("lsm_leveled", "crash"), "history seed", "*Full*:*Failed*"),
    Mutant("fault", "a record that found no space comes with the next", "kv/io/log_writer.h",
           "    if (IsOutOfSpace(status)) buffer_.resize(begin);\n", "",
           _suite("lsm_leveled", "crash"), "history seed", "*Full*"),
    Mutant("fault", "the log that there was no space for stays", "kv/io/next_log.h",
           "  return IsOutOfSpace(status) ? TakeBack(files, directory, path, std::move(status)) : "
           "status;\n",
           "  return status;\n", "//kv/io:next_log_test", "FAILED"),
    Mutant("fault", "a checkpoint begins without the space for it", "engines/btree/store.h",
           "      status = checkpoint_->Reserve(order_->changes);\n", "",
           _suite("btree", "crash"), "history seed", "*Full*"),

    _fuzz("kv/contract:write_batch", "a value may be longer than the batch",
          "kv/contract/write_batch.h",
          "    if (key_size > rest.size() || value_size > rest.size() - key_size) return false;\n",
          "    if (key_size > rest.size()) return false;\n"),
    _fuzz("kv/contract:write_batch", "an expiry may be cut off", "kv/contract/write_batch.h",
          "      if (rest.size() < 8) return false;\n", ""),
    _fuzz("engines/log:recovery", "a hint may lead out of its segment",
          "engines/log/hint.h", " == Count() &&\n           FillsSegment(end);\n",
          " == Count();\n"),
    _fuzz("kv/io:log_reader", "sequence numbers may begin again at 0", "kv/io/log_reader.h",
          "    if (record.first > kMaxLogSequence + 1 || "
          "record.count > kMaxLogSequence + 1 - record.first) {\n",
          "    if (record.first > kMaxLogSequence + 1) {\n"),

    Mutant("sanitizer", "the first error is read without its lock", "kv/base/sticky_error.h",
           "    const std::lock_guard lock(mutex_);\n    if (error_.ok())",
           "    if (error_.ok())", "//kv/base:sticky_error_test", "data race", config="tsan"),
    Mutant("sanitizer", "unlinked memory is freed at once", "engines/memory/limbo.h",
           "    gathering_.push_back(block);\n",
           "    ::operator delete(const_cast<void*>(block));\n",
           "//engines/memory:hash_engine_test", "heap-use-after-free", config="asan"),
    Mutant("sanitizer", "eight bytes are loaded as a word, wherever they are", "kv/base/bytes.h",
           "inline uint64_t LoadFixed64(const char* from) {\n  uint64_t value;\n"
           "  std::memcpy(&value, from, sizeof value);\n  return value;\n",
           "inline uint64_t LoadFixed64(const char* from) {\n"
           "  return *reinterpret_cast<const uint64_t*>(from);\n",
           "//kv/base:bytes_test", "runtime error", config="ubsan"),

    Mutant("interleaving", "a change of a leaf is not released", "kv/memtable/bplus_tree_node.h",
           "  void EndChange() { version_.store(Own(version_) + 1, std::memory_order_release); }\n",
           "  void EndChange() { version_.store(Own(version_) + 1, std::memory_order_relaxed); }\n",
           "//kv/memtable:bplus_tree_interleaving_test", "FAILED"),
    Mutant("interleaving", "the turn of a gate is not in the one order of all",
           "kv/base/read_gate.h",
           "      phase_.store(phase + 1, std::memory_order_seq_cst);",
           "      phase_.store(phase + 1, std::memory_order_release);",
           "//kv/base:read_gate_interleaving_test", "FAILED"),
    Mutant("interleaving", "a reader leaves its epoch before it has read", "engines/memory/epoch.h",
           "        slot_.epoch.store(0, std::memory_order_release);\n",
           "        slot_.epoch.store(0, std::memory_order_relaxed);\n",
           "//engines/memory:epoch_interleaving_test", "FAILED"),
    Mutant("interleaving", "a queue of two parts is empty when its rings are", "coord/adaptive.h",
           "    return (IsDrained(state_.load(std::memory_order_seq_cst)) || bitmap_.Empty()) && "
           "rings_.Empty();\n",
           "    return rings_.Empty();\n", "//coord:adaptive_interleaving_test", "FAILED"),
    Mutant("interleaving", "a second registrant makes for rings, and the bitmap is forgotten",
           "coord/adaptive.h", "    return With(state, kSeveral) + kVersion;\n",
           "    return With(state | kDrained, kSeveral) + kVersion;\n",
           "//coord:adaptive_interleaving_test", "FAILED"),
]
