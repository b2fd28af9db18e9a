#include "bench/workload.h"

#include <algorithm>
#include <deque>
#include <vector>

#include "fmt/format.h"

namespace bench {
namespace {

using enum OperationKind;

constexpr Workload kNamed[] = {
    {.name = "fillseq",
     .description = "puts N keys in key order into a fresh store; no overwrites, no reads",
     .store = StoreUse::kFresh,
     .keys = KeyChoice::kSequential,
     .mix = {{{kPut, 1}}}},
    {.name = "fillrandom",
     .description = "N puts of random keys into a fresh store, about 63 % of them distinct; "
                    "background work may outlast it",
     .store = StoreUse::kFresh,
     .mix = {{{kPut, 1}}}},
    {.name = "filluniquerandom",
     .description = "puts N keys, each once, in random order into a fresh store; no overwrites",
     .store = StoreUse::kFresh,
     .keys = KeyChoice::kPermutation,
     .mix = {{{kPut, 1}}}},
    {.name = "overwrite",
     .description = "N puts of random keys on the store as it is; background work may outlast it",
     .mix = {{{kPut, 1}}}},
    {.name = "fillsync",
     .description = "N/1000 random puts, each durable before the next, into a fresh store; "
                    "measures the disk more than the engine",
     .store = StoreUse::kFresh,
     .mix = {{{kPutDurable, 1}}},
     .operations_divisor = 1000},
    {.name = "fill100K",
     .description = "N/1000 random puts of 100,000-byte values into a fresh store; bandwidth, not "
                    "operation cost",
     .store = StoreUse::kFresh,
     .mix = {{{kPut, 1}}},
     .operations_divisor = 1000,
     .value_bytes = 100'000},
    {.name = "fillbatch",
     .description = "N random puts in atomic batches of 1000 into a fresh store; latency is a "
                    "batch's",
     .store = StoreUse::kFresh,
     .mix = {{{kPutBatch, 1}}},
     .batch = 1000},
    {.name = "fillpaths",
     .description = "puts N keys of 52 bytes that share their first 40, each once, in random order "
                    "into a fresh store",
     .layout = Layout::kPaths,
     .store = StoreUse::kFresh,
     .keys = KeyChoice::kPermutation,
     .mix = {{{kPut, 1}}}},
    {.name = "fillseries",
     .description = "puts the next point of each of 1000 series in turn, N in all, which expire "
                    "after 500 ms, into a fresh store; as fast as it goes, nobody reads",
     .store = StoreUse::kFresh,
     .keys = KeyChoice::kSeries,
     .mix = {{{kPut, 1}}},
     .removes = true,
     .ttl_millis = 500},
    {.name = "readseq",
     .description = "moves a cursor forward over N entries; the cursor's creation is in the first",
     .keys = KeyChoice::kNone,
     .mix = {{{kNext, 1}}}},
    {.name = "readreverse",
     .description = "moves a cursor backward over N entries; the cursor's creation is in the first",
     .keys = KeyChoice::kNone,
     .mix = {{{kPrev, 1}}}},
    {.name = "readrandom",
     .description = "gets of random keys, N a thread; the found share is what the store holds",
     .mix = {{{kGet, 1}}}},
    {.name = "readmissing",
     .description = "gets of absent keys, one byte longer than stored ones; reads no value",
     .mix = {{{kGet, 1}}},
     .missing_keys = true},
    {.name = "readhot",
     .description = "gets of the first 1 % of the keys; after warm-up it touches memory only",
     .keys = KeyChoice::kHot,
     .mix = {{{kGet, 1}}}},
    {.name = "readpaths",
     .description = "gets of random keys among those of fillpaths",
     .layout = Layout::kPaths,
     .mix = {{{kGet, 1}}}},
    {.name = "readscans",
     .description = "99 % gets by Zipf's law (0.99), 1 % scans of 100 entries from such a key; one "
                    "latency for both",
     .keys = KeyChoice::kZipfRank,
     .mix = {{{kGet, 0.99}, {kSeek, 0.01}}},
     .scan_minimum = 100,
     .scan_maximum = 100},
    {.name = "readfollowing",
     .description = "gets in key order by three readers in turn, each N/32 keys behind the one "
                    "before; on one thread, so the distance stays",
     .keys = KeyChoice::kFollowing,
     .mix = {{{kGet, 1}}}},
    {.name = "readwhilewriting",
     .description = "gets of random keys beside one extra thread that puts; the writer's figures "
                    "are not in the row",
     .mix = {{{kGet, 1}}},
     .background_writer = true},
    {.name = "readrandomwriterandom",
     .description = "90 gets then 10 puts of random keys, repeated; one latency for both",
     .mix = {{{kGet, 0.9}, {kPut, 0.1}}},
     .cycle = true},
    {.name = "updaterandom",
     .description = "get then put of one random key as one operation; not atomic",
     .mix = {{{kGetThenPut, 1}}}},
    {.name = "seekrandom",
     .description = "a new cursor, a seek to a random key and 10 nexts; cursor creation included",
     .mix = {{{kSeek, 1}}},
     .scan_minimum = 10,
     .scan_maximum = 10},
    {.name = "multireadrandom",
     .description = "MultiGet of --batch_size random keys; ops are keys, latency is a batch's",
     .mix = {{{kMultiGet, 1}}}},
    {.name = "putbatch",
     .description = "puts of atomic batches of --batch_size random keys on the store as it is; ops "
                    "are keys, latency is a batch's",
     .mix = {{{kPutBatch, 1}}}},
    {.name = "deleteseq",
     .description = "deletes N keys in key order; the space is reclaimed later, by others",
     .keys = KeyChoice::kSequential,
     .mix = {{{kDelete, 1}}},
     .removes = true},
    {.name = "deleterandom",
     .description = "N deletes of random keys, some of them absent; the space is reclaimed later",
     .mix = {{{kDelete, 1}}},
     .removes = true},
    {.name = "compact",
     .description = "merges the whole store to one sorted run, once; one operation, no percentiles",
     .keys = KeyChoice::kNone,
     .mix = {{{kCompact, 1}}}},
    {.name = "cas",
     .description = "adds 1 to one of 100 counters by get and CompareAndSet until it succeeds; "
                    "the sum is checked afterwards, outside the figures",
     .layout = Layout::kCounters,
     .store = StoreUse::kAny,
     .mix = {{{kIncrement, 1}}}},
    {.name = "count",
     .description = "counts the up to 256 keys that share a random 7-byte prefix; reads no values",
     .mix = {{{kCount, 1}}},
     .operations_divisor = 10},
    {.name = "count_1_in_5",
     .description = "counts the keys of one of 5 prefixes, 20 % of N; ops are counts, reads no "
                    "values",
     .layout = Layout::kPrefixed,
     .mix = {{{kCount, 1}}},
     .prefix_bytes = 1},
    {.name = "count_1_in_100",
     .description = "counts the keys of one of 100 prefixes, 1 % of N; ops are counts, reads no "
                    "values",
     .layout = Layout::kPrefixed,
     .mix = {{{kCount, 1}}},
     .prefix_bytes = 3},
    {.name = "count_1_in_1000",
     .description = "counts the keys of one of 1000 prefixes, 0.1 % of N; ops are counts, reads "
                    "no values",
     .layout = Layout::kPrefixed,
     .mix = {{{kCount, 1}}},
     .prefix_bytes = 4},
    {.name = "count_none",
     .description = "counts the keys of a prefix that no key has and that is above all keys; ops "
                    "are counts",
     .layout = Layout::kPrefixed,
     .mix = {{{kCount, 1}}},
     .missing_keys = true,
     .prefix_bytes = 4},
    {.name = "ycsb_a",
     .description = "YCSB A: 50 % reads, 50 % updates (get, one field of ten, put), zipfian; no "
                    "client-server cost",
     .layout = Layout::kYcsb,
     .keys = KeyChoice::kZipfScrambled,
     .mix = {{{kGet, 0.5}, {kUpdateField, 0.5}}}},
    {.name = "ycsb_b",
     .description = "YCSB B: 95 % reads, 5 % updates, zipfian; no client-server cost",
     .layout = Layout::kYcsb,
     .keys = KeyChoice::kZipfScrambled,
     .mix = {{{kGet, 0.95}, {kUpdateField, 0.05}}}},
    {.name = "ycsb_c",
     .description = "YCSB C: reads only, zipfian; no client-server cost",
     .layout = Layout::kYcsb,
     .keys = KeyChoice::kZipfScrambled,
     .mix = {{{kGet, 1}}}},
    {.name = "ycsb_d",
     .description = "YCSB D: 95 % reads of the latest records, 5 % inserts; with several threads a "
                    "read may come before its insert",
     .layout = Layout::kYcsb,
     .keys = KeyChoice::kLatest,
     .mix = {{{kGet, 0.95}, {kPut, 0.05}}},
     .insert_new_keys = true},
    {.name = "ycsb_e",
     .description = "YCSB E: 95 % scans of 1-100 records from a zipfian start, 5 % inserts; scans "
                    "look at values but copy none",
     .layout = Layout::kYcsb,
     .keys = KeyChoice::kZipfScrambled,
     .mix = {{{kSeek, 0.95}, {kPut, 0.05}}},
     .insert_new_keys = true,
     .scan_minimum = 1,
     .scan_maximum = 100},
    {.name = "ycsb_f",
     .description = "YCSB F: 50 % reads, 50 % read-modify-writes (a read, then an update), "
                    "zipfian; not atomic",
     .layout = Layout::kYcsb,
     .keys = KeyChoice::kZipfScrambled,
     .mix = {{{kGet, 0.5}, {kReadModifyWrite, 0.5}}}},
};

OperationKind KindOf(TwitterOperation operation) {
  switch (operation) {
    case TwitterOperation::kSet:
      return kPut;
    case TwitterOperation::kAdd:
      return kAdd;
    case TwitterOperation::kReplace:
      return kReplace;
    case TwitterOperation::kCas:
      return kCas;
    case TwitterOperation::kAppend:
      return kAppend;
    case TwitterOperation::kPrepend:
      return kPrepend;
    case TwitterOperation::kDelete:
      return kDelete;
    case TwitterOperation::kIncr:
      return kAddDecimal;
    case TwitterOperation::kDecr:
      return kSubtractDecimal;
    case TwitterOperation::kNone:
    case TwitterOperation::kGet:
    case TwitterOperation::kGets:
      return kGet;
  }
  return kGet;
}

std::string_view NameOf(OperationKind kind) {
  switch (kind) {
    case kPut:
      return "set";
    case kAdd:
      return "add";
    case kCas:
      return "cas";
    case kPrepend:
      return "prepend";
    case kDelete:
      return "delete";
    case kAddDecimal:
      return "incr";
    default:
      return "get";
  }
}

// The published shares are rounded and leave out what is rare; they are scaled to sum to 1.
Workload FromProfile(const TwitterProfile& profile, std::deque<std::string>* strings) {
  Workload workload;
  workload.name = strings->emplace_back(fmt::format("twitter_cluster{}", profile.cluster));
  workload.layout = Layout::kTwitter;
  workload.keys = KeyChoice::kZipfRank;
  workload.value_bytes = profile.value_bytes;
  workload.zipf_theta = profile.zipf_alpha;
  workload.profile = &profile;
  double total = 0;
  for (const auto& [operation, share] : profile.operations) total += share;
  std::string mix;
  for (size_t i = 0; i < profile.operations.size() && profile.operations[i].share > 0; ++i) {
    workload.mix[i] = {KindOf(profile.operations[i].operation),
                       profile.operations[i].share / total};
    mix += fmt::format("{:.0f} % {}, ", 100 * workload.mix[i].share, NameOf(workload.mix[i].kind));
    workload.removes |= workload.mix[i].kind == kDelete;
  }
  workload.description = strings->emplace_back(
      profile.key_bytes == 0
          ? std::string("Twitter cache cluster whose sizes and mix are not published; refused")
          : fmt::format("Twitter cache cluster: {}keys {} B, values {} B, Zipf {}; mean sizes "
                        "only, no production pace",
                        mix, profile.key_bytes, profile.value_bytes,
                        profile.zipf_alpha == TwitterProfile::kUnknown
                            ? std::string("unknown")
                            : fmt::format("{}", profile.zipf_alpha)));
  return workload;
}

std::vector<Workload> Build(std::deque<std::string>* strings) {
  std::vector<Workload> all(std::begin(kNamed), std::end(kNamed));
  for (const TwitterProfile& profile : kTwitterProfiles) {
    all.push_back(FromProfile(profile, strings));
  }
  return all;
}

}  // namespace

bool Workload::NeedsOrder() const {
  return std::any_of(mix.begin(), mix.end(), [](const MixEntry& entry) {
    return entry.share > 0 && bench::NeedsOrder(entry.kind);
  });
}

bool Workload::Writes() const {
  return background_writer || std::any_of(mix.begin(), mix.end(), [](const MixEntry& entry) {
           return entry.share > 0 && !IsRead(entry.kind) && entry.kind != kCompact;
         });
}

std::span<const Workload> Workloads() {
  static std::deque<std::string> strings;
  static const std::vector<Workload> all = Build(&strings);
  return all;
}

const Workload* FindWorkload(std::string_view name) {
  const auto all = Workloads();
  const auto found = std::find_if(all.begin(), all.end(),
                                  [&](const Workload& workload) { return workload.name == name; });
  return found == all.end() ? nullptr : &*found;
}

Workload PreloadFor(const Workload& workload) {
  Workload preload;
  preload.name = "preload";
  preload.description = "puts each record once, in random order, in batches";
  preload.layout = workload.layout;
  preload.store = StoreUse::kFresh;
  preload.keys = KeyChoice::kPermutation;
  preload.mix = {{{kPutBatch, 1}}};
  preload.batch = 1000;
  preload.value_bytes = workload.layout == Layout::kTwitter ? workload.value_bytes : 0;
  preload.profile = workload.profile;
  return preload;
}

std::string Refusal(const Workload& workload, bool theta_given) {
  const TwitterProfile* const profile = workload.profile;
  if (profile == nullptr) return "";
  if (profile->key_bytes == 0 || workload.mix[0].share == 0) {
    return fmt::format(
        "{}: its key size, value size and operation mix are not published (N/A in "
        "the source), so it cannot be generated",
        workload.name);
  }
  if (profile->zipf_alpha == TwitterProfile::kUnknown && !theta_given) {
    return fmt::format(
        "{}: its Zipf exponent is not published (NA in the source); give one with "
        "--zipf_theta",
        workload.name);
  }
  return "";
}

}  // namespace bench
