#include "bench/remote_compare/request_counter.h"

#include <string>
#include <string_view>
#include <vector>

#include "gtest/gtest.h"

namespace bench::remote_compare {
namespace {

constexpr std::string_view kGet = "*2\r\n$3\r\nGET\r\n$1\r\nk\r\n";

// The count must not depend on where the stream is cut.
size_t CountInPieces(std::string_view stream, size_t piece) {
  RequestCounter counter;
  size_t requests = 0;
  for (size_t at = 0; at < stream.size(); at += piece) {
    requests += counter.Count(stream.substr(at, piece));
  }
  return requests;
}

TEST(RequestCounter, RequestsEndWithTheirLastByte) {
  RequestCounter counter;
  EXPECT_EQ(counter.Count(kGet.substr(0, kGet.size() - 1)), 0u);
  EXPECT_EQ(counter.Count("\n"), 1u);
  EXPECT_EQ(counter.Count(kGet), 1u);
}

TEST(RequestCounter, AnyCutOfAnyStream) {
  const std::string large(5000, '*');
  const std::vector<std::pair<std::string, size_t>> streams = {
      {std::string(kGet) + std::string(kGet), 2},
      {"PING\r\n" + std::string(kGet) + "PING a b\n", 3},
      // Bytes of an argument that look like requests are none.
      {"*2\r\n$3\r\nGET\r\n$6\r\nPING\r\n\r\n", 1},
      {"*2\r\n$4\r\nECHO\r\n$0\r\n\r\n" + std::string(kGet), 2},
      {"*2\r\n$4\r\nECHO\r\n$5000\r\n" + large + "\r\n" + std::string(kGet), 2},
      {"\r\n*0\r\n*-1\r\n" + std::string(kGet), 1},
      {large + "\r\n" + std::string(kGet), 1},  // a line that begins as an array and is none
      {std::string(1000, 'x') + "\r\n", 1},
      {"", 0},
  };
  for (const auto& [stream, requests] : streams) {
    for (const size_t piece : {size_t{1}, size_t{2}, size_t{3}, size_t{7}, size_t{100'000}}) {
      EXPECT_EQ(CountInPieces(stream, piece), requests)
          << stream.substr(0, 40) << " in pieces of " << piece;
    }
  }
}

}  // namespace
}  // namespace bench::remote_compare
