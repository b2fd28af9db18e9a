// Files whose checksums are right and whose content is not: written wrongly, not damaged.
#include "engines/btree/image.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engines/btree/checksum_repair.h"
#include "engines/btree/page_builder.h"
#include "engines/btree/verify.h"
#include "kv/testing/exact_files.h"

namespace kv::btree {
namespace {

using testing::ExactFiles;

constexpr size_t kPageBytes = 512;
const std::string kPath = "/store/TREE";
constexpr PageId kLeafId = kRootId;
// In units of a page: two headers, the directory, the page table, and the only leaf.
constexpr Place kDirectoryPlace = 2;
constexpr Place kTablePlace = 3;
constexpr Place kLeafPlace = 4;
constexpr uint64_t kUnits = 5;

StoreHeader Header() {
  StoreHeader header;
  header.page_bytes = kPageBytes;
  header.generation = 1;
  header.sequence = 9;
  header.replay_log = 1;
  header.directory_place = kDirectoryPlace;
  header.directory_count = 1;
  header.id_limit = 2;
  header.units = kUnits;
  header.format = "test";
  return header;
}

std::string TreeWith(const StoreHeader& header, const std::vector<std::string_view>& keys) {
  std::string tree(kUnits * kPageBytes, '\0');
  tree.replace(kPageBytes, kStoreHeaderBytes, header.Encode());
  std::string places;
  AppendFixed64(&places, kTablePlace);
  tree.replace(kDirectoryPlace * kPageBytes, kPageBytes, EncodeDirectory(places, 1, kPageBytes));
  const Page table(tree.data() + kTablePlace * kPageBytes);
  table.Initialize(0, 1, kPageBytes, PageKind::kTable, 0);
  StoreFixed64(table.bytes() + kPageHeaderBytes + 8 * kLeafId, PackExtent({kLeafPlace, 1}));
  const Page leaf(tree.data() + kLeafPlace * kPageBytes);
  leaf.Initialize(kLeafId, 1, kPageBytes, PageKind::kLeaf, 0);
  std::vector<LeafItem> items;
  for (const std::string_view key : keys) {
    items.push_back({.key = key, .value = "value", .sequence = 1 + items.size()});
  }
  FillLeaf(leaf, items, 0, 0);
  leaf.set_generation(1);
  RepairTree(kPageBytes, &tree);
  return tree;
}

absl::Status Verify(const std::string& tree) {
  ExactFiles files;
  files.Set(kPath, tree);
  const auto file = files.OpenForRead(kPath);
  return TreeVerifier<ExactFiles, kPageBytes>::Verify(*file, kPath);
}

void ExpectDamage(const absl::Status& status, std::string_view words) {
  EXPECT_TRUE(absl::IsDataLoss(status)) << status;
  EXPECT_NE(status.ToString().find(words), std::string::npos) << status;
}

TEST(ImageTest, AWholeTreePasses) {
  EXPECT_TRUE(Verify(TreeWith(Header(), {"a1", "b2"})).ok());
  EXPECT_TRUE(Verify(TreeWith(Header(), {})).ok());
}

// Their product with the size of a page is a small number again.
TEST(ImageTest, AHeaderOfMorePagesThanCanBeIsDamage) {
  StoreHeader header = Header();
  header.units = (uint64_t{1} << 55) + kUnits;
  ExpectDamage(Verify(TreeWith(header, {"a"})), "the file ends before its");
  header.directory_count = uint64_t{1} << 40;
  ExpectDamage(Verify(TreeWith(header, {"a"})), "the file ends before its");
}

TEST(ImageTest, APlaceAtTheEndOfAllNumbersIsDamage) {
  StoreHeader header = Header();
  for (const Place place : {~Place{0}, ~Place{0} - 1, Place{1} << 55, kUnits}) {
    header.directory_place = place;
    ExpectDamage(Verify(TreeWith(header, {"a"})), "is not its own");
  }
}

// Searches would take "b2" for a key that begins with "a".
TEST(ImageTest, KeysThatDoNotBeginAlikeAreDamage) {
  std::string tree = TreeWith(Header(), {"a1", "b2"});
  const Page leaf(tree.data() + kLeafPlace * kPageBytes);
  leaf.set_skip(1);
  for (size_t i = 0; i < leaf.count(); ++i) {
    Slot slot = leaf.slot(i);
    slot.head = HeadBehind(leaf.item(i).key, 1);
    leaf.set_slot(i, slot);
  }
  RepairTree(kPageBytes, &tree);
  ExpectDamage(Verify(tree), "do not begin alike");
}

TEST(ImageTest, AnyByteMayBeAnotherBehindTheChecksums) {
  const std::string whole = TreeWith(Header(), {"", "a1", "a2", "b"});
  size_t passed = 0;
  for (size_t at = 0; at < whole.size(); ++at) {
    for (const int byte : {whole[at] ^ 1, whole[at] ^ 0x80, 0xff}) {
      std::string tree = whole;
      tree[at] = static_cast<char>(byte);
      RepairTree(kPageBytes, &tree);
      const absl::Status status = Verify(tree);
      passed += status.ok() ? 1 : 0;
      ASSERT_TRUE(status.ok() || absl::IsDataLoss(status) || absl::IsFailedPrecondition(status))
          << at << ": " << status;
    }
  }
  EXPECT_GT(passed, 100u);  // changes of what nothing reads, and of values
}

}  // namespace
}  // namespace kv::btree
