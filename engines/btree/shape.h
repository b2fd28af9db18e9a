// Constants of a B+tree that the compiler should see.
#ifndef ENGINES_BTREE_SHAPE_H_
#define ENGINES_BTREE_SHAPE_H_

#include <array>
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace kv {

struct BtreeShape {
  // Bytes of a page, a power of two. Large pages make scans and cached reads cheaper; small ones
  // reads from the disk and scattered writes, of which each rewrites a page.
  size_t page_bytes = 4096;
  // A value of more than 1 / inline_divisor of a page has an extent of its own.
  size_t inline_divisor = 4;
};

// The Pages slot: the shape, with what follows from it.
template <BtreeShape kShape = BtreeShape{}>
struct BtreePages {
  static_assert(std::has_single_bit(kShape.page_bytes) && kShape.page_bytes >= 512 &&
                kShape.page_bytes <= 65536);
  static_assert(kShape.inline_divisor >= 4, "a page holds at least three records");

  static constexpr std::string_view kName = kShape.page_bytes == 4096    ? "pages<4096>"
                                            : kShape.page_bytes == 8192  ? "pages<8192>"
                                            : kShape.page_bytes == 16384 ? "pages<16384>"
                                            : kShape.page_bytes == 512   ? "pages<512>"
                                                                         : "pages<other>";
  static constexpr size_t kBytes = kShape.page_bytes;
  static constexpr size_t kMaxInlineValue = kShape.page_bytes / kShape.inline_divisor;
};

template <typename P>
concept Pages = requires {
  { P::kName } -> std::convertible_to<std::string_view>;
  { P::kBytes } -> std::convertible_to<size_t>;
  { P::kMaxInlineValue } -> std::convertible_to<size_t>;
};

}  // namespace kv

#endif  // ENGINES_BTREE_SHAPE_H_
