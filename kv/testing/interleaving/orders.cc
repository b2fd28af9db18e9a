// Memory order: those that are named here are the program's, weakened or not.
#include "kv/testing/interleaving/orders.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "fmt/format.h"
#include "gtest/gtest.h"
#include "kv/testing/interleaving/machine.h"

namespace kv::testing::interleaving {
namespace {

// Where an order is named: file, line, column, and whether it is that of a failed exchange.
using Site = std::tuple<std::string_view, uint32_t, uint32_t, bool>;

struct Use {
  std::string function;
  Operation operation;
  std::memory_order order;
};

// What the operations of the runs under way are asked about; null: nothing.
struct Watch {
  std::map<Site, Use> uses;  // to be filled where nothing is weakened
  bool weakens = false;
  Site weakened;
  std::memory_order to = std::memory_order_relaxed;
};
Watch* watch = nullptr;

std::string_view NameOf(Operation operation) {
  switch (operation) {
    case Operation::kLoad:
      return "load";
    case Operation::kStore:
      return "store";
    case Operation::kUpdate:
      return "update";
    case Operation::kCompareExchange:
      return "compare_exchange";
    case Operation::kFailure:
      return "failed compare_exchange";
    case Operation::kFence:
      break;
  }
  return "fence";
}

// One step weaker.
std::vector<std::memory_order> Weaker(Operation operation, std::memory_order order) {
  switch (order) {
    case std::memory_order_seq_cst:
      if (operation == Operation::kLoad || operation == Operation::kFailure) {
        return {std::memory_order_acquire};
      }
      if (operation == Operation::kStore) return {std::memory_order_release};
      return {std::memory_order_acq_rel};
    case std::memory_order_acq_rel:
      return {std::memory_order_acquire, std::memory_order_release};
    case std::memory_order_relaxed:
      return {};
    default:
      return {std::memory_order_relaxed};
  }
}

// A program that was run as it is, and the places that it comes to in any interleaving.
struct Explored {
  Program program;
  std::map<Site, Use> uses;
};

// Empty, or how the program fails.
std::string Failure(const Plan& plan, const Program& program, uint64_t* runs) {
  const Report report = Explore(plan, program.run);
  *runs += report.runs;
  if (!report.failure.empty()) return program.name + ": " + report.failure;
  return report.complete ? "" : program.name + ": too many interleavings";
}

// Whether the programs notice what `watched` weakens. Those that never come to the place do not:
// they run as they did.
bool IsCaught(const Plan& plan, const std::vector<Explored>& programs, Watch* watched) {
  std::fflush(stdout);
  const pid_t child = fork();
  if (child == 0) {
    dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), STDERR_FILENO);
    watch = watched;
    uint64_t runs = 0;
    for (const Explored& one : programs) {
      if (!one.uses.contains(watched->weakened)) continue;
      if (!Failure(plan, one.program, &runs).empty()) _exit(1);
    }
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return !WIFEXITED(status) || WEXITSTATUS(status) != 0;
}

// What to call each place.
std::map<Site, std::string> Names(const std::map<Site, Use>& uses) {
  std::map<Site, std::string> names;
  std::map<std::string, int> count;
  for (const auto& [site, use] : uses) {
    std::string name = fmt::format("{} {} {}", use.function, NameOf(use.operation),
                                   interleaving::NameOf(use.order));
    const int number = ++count[name];
    names[site] = number == 1 ? name : fmt::format("{} #{}", name, number);
  }
  return names;
}

}  // namespace

std::memory_order OrderAt(Operation operation, std::memory_order order,
                          const std::source_location& where) {
  if (order == std::memory_order_relaxed || watch == nullptr) return order;
  const Hidden hidden;
  const std::string_view file = where.file_name();
  if (file.ends_with("_test.cc") || file.ends_with("_testing.h")) return order;
  const Site site = {file, where.line(), where.column(), operation == Operation::kFailure};
  if (watch->weakens) return site == watch->weakened ? watch->to : order;
  if (!watch->uses.contains(site)) {
    watch->uses[site] = {ShortName(where.function_name()), operation, order};
  }
  return order;
}

std::string ShortName(std::string_view function) {
  // GCC says "[with T = int]" behind it.
  std::string name;
  int depth = 0;
  for (const char c : function.substr(0, function.find(" [with "))) {
    if (c == '<') ++depth;
    if (depth == 0) {
      if (c == '(') break;
      name = c == ' ' ? "" : name + c;
    }
    if (c == '>') --depth;
  }
  // The last two parts of it.
  size_t begin = name.rfind("::");
  if (begin == std::string::npos || begin == 0) return name;
  begin = name.rfind("::", begin - 1);
  return begin == std::string::npos ? name : name.substr(begin + 2);
}

std::string FirstFailure(const Plan& plan, const std::vector<Program>& programs) {
  uint64_t runs = 0;
  for (const Program& program : programs) {
    std::string failure = Failure(plan, program, &runs);
    if (!failure.empty()) return failure;
  }
  return "";
}

OrdersReport SurvivingOrders(const Plan& plan, const std::vector<Program>& programs,
                             const std::vector<std::string>& parts) {
  OrdersReport report;
  // Those that take the least time first: most weakened orders are noticed by several.
  std::multimap<uint64_t, Explored> sorted;
  std::map<Site, Use> uses;
  for (const Program& program : programs) {
    Watch recording;
    watch = &recording;
    uint64_t runs = 0;
    report.failure = Failure(plan, program, &runs);
    watch = nullptr;
    fmt::print("{}: {} runs\n", program.name, runs);
    report.runs += runs;
    if (!report.failure.empty()) return report;
    uses.insert(recording.uses.begin(), recording.uses.end());
    sorted.emplace(runs, Explored{program, std::move(recording.uses)});
  }
  std::vector<Explored> shortest_first;
  for (auto& [runs, one] : sorted) shortest_first.push_back(std::move(one));
  const std::map<Site, std::string> names = Names(uses);
  for (const std::string& part : parts) {
    const auto is_of_it = [&](const auto& site) { return site.second.starts_with(part); };
    if (std::any_of(names.begin(), names.end(), is_of_it)) continue;
    report.failure = fmt::format("no order has a name that begins with \"{}\"", part);
    return report;
  }
  for (const auto& [site, use] : uses) {
    const auto has_it = [&](const std::string& part) { return names.at(site).starts_with(part); };
    if (std::none_of(parts.begin(), parts.end(), has_it)) continue;
    std::vector<std::memory_order> weaker = Weaker(use.operation, use.order);
    std::set<std::memory_order> tried(weaker.begin(), weaker.end());
    for (size_t i = 0; i < weaker.size(); ++i) {
      Watch weakening{.uses = {}, .weakens = true, .weakened = site, .to = weaker[i]};
      const std::string name =
          fmt::format("{} -> {}", names.at(site), interleaving::NameOf(weaker[i]));
      ++report.weakened;
      if (IsCaught(plan, shortest_first, &weakening)) {
        ++report.caught;
        fmt::print("needed: {}\n", name);
        continue;
      }
      report.survivors.push_back(name);
      for (const std::memory_order next : Weaker(use.operation, weaker[i])) {
        if (tried.insert(next).second) weaker.push_back(next);
      }
    }
  }
  fmt::print("{} programs, {} runs, {} orders weakened, {} caught\n", programs.size(), report.runs,
             report.weakened, report.caught);
  return report;
}

void ExpectEveryOrderNeeded(const Plan& plan, const std::vector<Program>& programs,
                            const std::vector<std::string>& kept,
                            const std::vector<std::string>& parts) {
  if (!kSeesRaces) {
    EXPECT_EQ(FirstFailure(plan, programs), "");
    GTEST_SKIP() << "orders are not weakened without ThreadSanitizer, which sees races";
  }
  const OrdersReport report = SurvivingOrders(plan, programs, parts);
  EXPECT_EQ(report.failure, "");
  EXPECT_EQ(report.survivors, kept);
}

}  // namespace kv::testing::interleaving
