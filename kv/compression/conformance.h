// Conformance suite of the Compression concept: everything in concept.h that a compiler cannot
// check.
//
//   absl::Status CheckCompressionRoundTrips<C>(seed)   sizes and kinds of bytes, output replaced
//   absl::Status CheckCompressionHostile<C>(seed)      cut, extended, flipped and made-up bytes
//   absl::Status CheckCompressionTables<C>(seed)       each depth; dictionaries, and hostile ones
//   absl::Status CheckCompressionConcurrent<C>(seed)   several threads, each with its own blocks
//
// Each hands back the first failure in words, so that a test can also assert that a broken model is
// refused. Run them with AddressSanitizer, which sees the reads out of bounds.
#ifndef KV_COMPRESSION_CONFORMANCE_H_
#define KV_COMPRESSION_CONFORMANCE_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "fmt/format.h"
#include "kv/base/status.h"
#include "kv/compression/concept.h"

namespace kv {

namespace compression_conformance {

inline absl::Status Failure(std::string_view what) {
  return absl::FailedPreconditionError(ToAbsl(what));
}

inline std::vector<std::string> Samples(uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<std::string> samples = {"", "a", std::string(1, '\0'), std::string(1 << 20, 'x')};
  for (const size_t size : {2, 63, 512, 4'096, 70'000}) {
    std::string noise(size, '\0');
    for (char& byte : noise) byte = static_cast<char>(random());
    samples.push_back(noise);
    std::string text;
    while (text.size() < size) text += fmt::format("key{:06}=value{};", random() % 1'000, size);
    text.resize(size);
    samples.push_back(text);
  }
  return samples;
}

template <typename C>
absl::Status CheckRoundTrip(const std::string& bytes, std::string* stored, std::string* back) {
  KV_RETURN_IF_ERROR(C::Compress(bytes, stored));
  if (C::kId == kCompressionNone && *stored != bytes) {
    return Failure("id 0 means stored as it is, and these bytes are not");
  }
  KV_RETURN_IF_ERROR(C::Decompress(*stored, back, bytes.size()));
  if (*back != bytes) {
    return Failure(fmt::format("{} bytes came back as {} other ones", bytes.size(), back->size()));
  }
  return absl::OkStatus();
}

// `bytes` are copied to an allocation of just their size, so that a read beyond them is seen.
// Either answer is right unless `must_fail`, but not more bytes than were asked for, nor memory
// beyond what the bytes could hold.
template <typename C>
absl::Status CheckHostile(std::string_view bytes, size_t expected_size, bool must_fail) {
  const auto copy = std::make_unique<char[]>(bytes.size());
  if (!bytes.empty()) std::memcpy(copy.get(), bytes.data(), bytes.size());
  std::string out;
  const absl::Status status =
      C::Decompress(std::string_view(copy.get(), bytes.size()), &out, expected_size);
  const std::string what = fmt::format("{} bytes said to hold {}", bytes.size(), expected_size);
  if (status.ok() && must_fail) return Failure(what + " were accepted");
  if (status.ok() && out.size() != expected_size) {
    return Failure(fmt::format("{} gave {}", what, out.size()));
  }
  if (!status.ok() && !absl::IsDataLoss(status)) return Failure(what + ": not kDataLoss");
  // No format here expands further than zstd's 32 Ki times.
  if (out.capacity() > 4'096 + bytes.size() * 32'768) {
    return Failure(fmt::format("{}: {} bytes were allocated", what, out.capacity()));
  }
  return absl::OkStatus();
}

}  // namespace compression_conformance

template <Compression C>
absl::Status CheckCompressionRoundTrips(uint64_t seed) {
  std::string stored = "left over";
  std::string back = "left over";
  for (const std::string& bytes : compression_conformance::Samples(seed)) {
    KV_RETURN_IF_ERROR(compression_conformance::CheckRoundTrip<C>(bytes, &stored, &back));
  }
  return absl::OkStatus();
}

template <Compression C>
absl::Status CheckCompressionHostile(uint64_t seed) {
  using compression_conformance::CheckHostile;
  constexpr size_t kHuge = std::numeric_limits<size_t>::max();
  std::mt19937_64 random(seed);
  std::string stored;
  for (const std::string& bytes : compression_conformance::Samples(seed)) {
    KV_RETURN_IF_ERROR(C::Compress(bytes, &stored));
    for (const size_t wrong : {bytes.size() + 1, bytes.size() * 2 + 7, size_t{1} << 40, kHuge}) {
      KV_RETURN_IF_ERROR(CheckHostile<C>(stored, wrong, true));
    }
    if (!bytes.empty()) KV_RETURN_IF_ERROR(CheckHostile<C>(stored, bytes.size() - 1, true));
    for (int i = 0; i < 8; ++i) {
      if (stored.empty()) break;
      const std::string_view cut = std::string_view(stored).substr(0, random() % stored.size());
      KV_RETURN_IF_ERROR(CheckHostile<C>(cut, bytes.size(), true));
      std::string flipped = stored;
      flipped[random() % flipped.size()] ^= static_cast<char>(1 << random() % 8);
      KV_RETURN_IF_ERROR(CheckHostile<C>(flipped, bytes.size(), false));
    }
  }
  for (int i = 0; i < 2'000; ++i) {
    std::string noise(random() % 64, '\0');
    for (char& byte : noise) byte = static_cast<char>(random());
    KV_RETURN_IF_ERROR(CheckHostile<C>(noise, random() % 1'000'000, false));
    KV_RETURN_IF_ERROR(CheckHostile<C>(noise, kHuge - random() % 64, true));
  }
  return absl::OkStatus();
}

namespace compression_conformance {

// Blocks of one kind, as a table of small documents has them.
inline std::vector<std::string> Documents(uint64_t seed, size_t blocks) {
  constexpr std::string_view kNames[] = {"alice", "bob", "carol", "dave", "erin", "frank"};
  constexpr std::string_view kCities[] = {"Amsterdam", "Berlin", "Copenhagen", "Dublin", "Geneva"};
  std::mt19937_64 random(seed);
  std::vector<std::string> documents;
  while (documents.size() < blocks) {
    std::string block;
    while (block.size() < 4'000) {
      block += fmt::format(
          R"({{"id":{},"name":"{}","email":"{}{}@example.com","city":"{}","active":{},)"
          R"("created_at":"2026-{:02}-{:02}T{:02}:00:00Z","roles":["reader","{}"]}})",
          random() % 1'000'000, kNames[random() % 6], kNames[random() % 6], random() % 1'000,
          kCities[random() % 5], random() % 2 == 0, random() % 12 + 1, random() % 28 + 1,
          random() % 24, random() % 3 == 0 ? "administrator" : "writer");
    }
    documents.push_back(std::move(block));
  }
  return documents;
}

template <typename C>
absl::Status CheckTable(CompressionDepth depth, const std::vector<std::string>& blocks,
                        std::string* dictionary_bytes, size_t* stored_bytes) {
  typename C::Compressor compressor(depth);
  std::string samples;
  std::vector<size_t> sizes;
  for (const std::string& block : blocks) {
    samples += block;
    sizes.push_back(block.size());
  }
  *dictionary_bytes = compressor.Train(samples, sizes);
  if (dictionary_bytes->size() > C::kDictionaryBytes) return Failure("the dictionary is too large");
  KV_ASSIGN_OR_RETURN(const auto dictionary, C::Dictionary::Open(*dictionary_bytes));
  typename C::Compressor moved = std::move(compressor);
  std::string stored = "left over";
  std::string back = "left over";
  *stored_bytes = 0;
  std::vector<std::string> all = blocks;
  for (std::string& sample : Samples(1)) all.push_back(std::move(sample));
  for (const std::string& block : all) {
    KV_RETURN_IF_ERROR(moved.Compress(block, &stored));
    *stored_bytes += stored.size();
    KV_RETURN_IF_ERROR(C::Decompress(stored, &back, block.size(), dictionary));
    if (back != block) return Failure("a block of a table came back as another one");
  }
  return absl::OkStatus();
}

}  // namespace compression_conformance

template <Compression C>
absl::Status CheckCompressionTables(uint64_t seed) {
  using compression_conformance::CheckTable;
  using compression_conformance::Documents;
  using compression_conformance::Failure;
  std::mt19937_64 random(seed);
  std::string dictionary;
  size_t stored_bytes;
  for (const size_t blocks : {0, 1, 3, 256}) {
    const std::vector<std::string> documents = Documents(seed, blocks);
    for (const auto depth : {CompressionDepth::kUpper, CompressionDepth::kBottom}) {
      KV_RETURN_IF_ERROR(CheckTable<C>(depth, documents, &dictionary, &stored_bytes));
    }
  }
  // The last one, damaged, and noise: any answer, but within bounds, and of the size asked for.
  const std::string block = Documents(seed + 1, 1)[0];
  std::string stored;
  KV_RETURN_IF_ERROR(C::Compress(block, &stored));
  for (int i = 0; i < 400; ++i) {
    std::string bytes = dictionary;
    if (i % 4 == 0) {
      bytes.assign(random() % 600, '\0');
      for (char& byte : bytes) byte = static_cast<char>(random());
    } else if (!bytes.empty()) {
      bytes.resize(i % 4 == 1 ? random() % bytes.size() : bytes.size());
      for (int flips = 0; flips < i % 4 && !bytes.empty(); ++flips) {
        bytes[random() % std::min<size_t>(bytes.size(), 300)] ^= static_cast<char>(random());
      }
    }
    const auto copy = std::make_unique<char[]>(bytes.size());
    if (!bytes.empty()) std::memcpy(copy.get(), bytes.data(), bytes.size());
    const auto opened = C::Dictionary::Open(std::string_view(copy.get(), bytes.size()));
    if (!opened.ok() && !absl::IsDataLoss(opened.status())) {
      return Failure("a damaged dictionary is not kDataLoss");
    }
    if (!opened.ok()) continue;
    std::string out;
    const absl::Status status = C::Decompress(stored, &out, block.size(), *opened);
    if (status.ok() && out.size() != block.size()) return Failure("a wrong size was accepted");
    if (!status.ok() && !absl::IsDataLoss(status)) return Failure("not kDataLoss");
  }
  if (C::Dictionary::Open(std::string(kMaxDictionaryBytes + 1, 'x')).ok()) {
    return Failure("a dictionary above kMaxDictionaryBytes was accepted");
  }
  return absl::OkStatus();
}

template <Compression C>
absl::Status CheckCompressionConcurrent(uint64_t seed) {
  constexpr size_t kThreads = 4;
  std::vector<absl::Status> statuses(kThreads);
  std::vector<std::thread> threads;
  for (size_t i = 0; i < kThreads; ++i) {
    threads.emplace_back([&statuses, seed, i] {
      for (uint64_t round = 0; round < 3 && statuses[i].ok(); ++round) {
        statuses[i] = CheckCompressionRoundTrips<C>(seed + kThreads * round + i);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const absl::Status& status : statuses) KV_RETURN_IF_ERROR(status);
  return absl::OkStatus();
}

}  // namespace kv

#endif  // KV_COMPRESSION_CONFORMANCE_H_
