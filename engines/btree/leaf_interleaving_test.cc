// Inserts into a leaf beside reads of it as Tree::Find has them, and the table of frames beside
// lookups, in every interleaving.
#include <array>
#include <atomic>
#include <cstddef>
#include <functional>
#include <new>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engines/btree/frame.h"
#include "engines/btree/leaf.h"
#include "engines/btree/page.h"
#include "engines/btree/page_builder.h"
#include "engines/btree/search.h"
#include "gtest/gtest.h"
#include "kv/base/atomic.h"
#include "kv/testing/interleaving/explore.h"
#include "kv/testing/interleaving/orders.h"
#include "kv/testing/interleaving/plans.h"

namespace kv::btree {
namespace {

using testing::interleaving::ExpectEveryOrderNeeded;
using testing::interleaving::kBriefPlan;
using testing::interleaving::Program;
using testing::interleaving::Trial;

constexpr size_t kBytes = 512;

LeafItem ItemOf(std::string_view key, Sequence sequence) {
  return {.key = key, .value = key, .sequence = sequence};
}

// A leaf in its frame; the value of each key is the key.
class Subject {
 public:
  explicit Subject(const std::vector<std::string_view>& keys)
      : memory_(::operator new (sizeof(Frame) + kBytes, std::align_val_t{alignof(Frame)})),
        frame_(new (memory_) Frame()) {
    std::vector<LeafItem> items;
    for (const std::string_view key : keys) items.push_back(ItemOf(key, 1));
    frame_->page().Initialize(1, 1, kBytes, PageKind::kLeaf, 0);
    FillLeaf(frame_->page(), items, SharedPrefix(items), 0);
  }
  Subject(const Subject&) = delete;
  Subject& operator=(const Subject&) = delete;
  ~Subject() { ::operator delete (memory_, std::align_val_t{alignof(Frame)}); }

  void Insert(std::string_view key, Sequence sequence) {
    InsertInPlace(frame_, ItemOf(key, sequence));
  }

  // The sequence number of the newest version of the key at or before `at`; 0: there is none.
  Sequence Find(Trial& trial, std::string_view key, Sequence at) const {
    for (;;) {
      const uint64_t version = StableVersion(frame_->version);
      const Page page = frame_->page();
      const size_t count = page.count();
      const size_t rank = RankInLeaf(page, count, key, at);
      LeafItem item;
      if (rank < count) item = page.item(rank);
      if (frame_->version.load(std::memory_order_relaxed) != version) continue;
      if (rank == count || item.key != key) return 0;
      trial.Expect(item.value == key && item.sequence <= at, "an item is whole");
      return item.sequence;
    }
  }

 private:
  void* memory_;
  Frame* frame_;
};

Program Beside(std::string name, std::vector<std::string_view> keys, std::string_view key,
               std::function<void(const Subject&, Trial&)> read) {
  return {std::move(name), [=](Trial& trial) {
            Subject subject(keys);
            trial.Run({[&] { subject.Insert(key, 2); }, [&] { read(subject, trial); }});
            trial.Expect(subject.Find(trial, key, 9) == 2, "the key that was inserted");
            for (const std::string_view old : keys) {
              trial.Expect(subject.Find(trial, old, 1) == 1, "a key that was there");
            }
          }};
}

std::vector<Program> Programs() {
  const auto finds = [](std::string_view key) {
    return [key](const Subject& subject, Trial& trial) {
      trial.Expect(subject.Find(trial, key, 1) == 1, "a key that was there");
    };
  };
  const auto may_find = [](std::string_view key) {
    return [key](const Subject& subject, Trial& trial) {
      const Sequence first = subject.Find(trial, key, 9);
      trial.Expect(first == 0 || first == 2, "nothing or the new version");
      if (first == 2) trial.Expect(subject.Find(trial, key, 9) == 2, "found again");
    };
  };
  return {
      Beside("find behind an insert", {"b", "d", "f"}, "c", finds("f")),
      Beside("find before an insert", {"b", "d", "f"}, "e", finds("d")),
      Beside("find of the key that comes", {"b", "d"}, "c", may_find("c")),
      Beside("find of the key that comes last", {"b", "d"}, "e", may_find("e")),
      Beside("find of an old version", {"b", "d"}, "b", finds("b")),
      Beside("find beside an append", {"b", "d"}, "e", finds("d")),
      Beside("find where keys begin alike", {"common/key/b", "common/key/d"}, "common/key/c",
             finds("common/key/d")),
      {"two inserts beside a find",
       [](Trial& trial) {
         Subject subject({"b", "f"});
         trial.Run({[&] {
                      subject.Insert("c", 2);
                      subject.Insert("d", 2);
                    },
                    [&] {
                      trial.Expect(subject.Find(trial, "f", 1) == 1, "a key that was there");
                      if (subject.Find(trial, "d", 9) == 2) {
                        trial.Expect(subject.Find(trial, "c", 9) == 2, "the key that came before");
                      }
                    }});
       }},
      {"frames beside lookups",
       [](Trial& trial) {
         FrameTable table;
         std::array<Frame, 2> frames;
         trial.Run({[&] {
                      for (PageId i = 0; i < 2; ++i) {
                        frames[i].units = 7 + i;
                        table.Set(i, &frames[i]);
                      }
                    },
                    [&] {
                      for (PageId i = 2; i-- > 0;) {
                        const Frame* const frame = table.Find(i);
                        if (frame != nullptr) trial.Expect(frame->units == 7 + i, "it is complete");
                      }
                    }});
       }},
  };
}

TEST(LeafInterleavingTest, EveryOrderIsNeededOrHasAReason) {
  // A segment of the table is the kernel's zeros, which no thread has written; the order is kept
  // because the language knows of none. And readers of a page that changes have no use for where
  // its heap begins: it is the writer's, and of pages at rest.
  ExpectEveryOrderNeeded(kBriefPlan, Programs(),
                         {
                             "FrameTable::Find load acquire -> relaxed",
                             "FrameTable::Set store release -> relaxed",
                             "Page::heap_begin load acquire -> relaxed",
                             "Page::set_heap_begin store release -> relaxed",
                         });
}

}  // namespace
}  // namespace kv::btree
