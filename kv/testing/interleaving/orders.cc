// Memory order: those that are named here are the program's, weakened or not.
#include "kv/testing/interleaving/orders.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <numeric>
#include <set>
#include <tuple>
#include <utility>

#include "fmt/format.h"
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

// Empty, or how the programs fail. `runs`, unless null: of each program.
std::string Failure(const Plan& plan, const std::vector<Program>& programs,
                    std::vector<uint64_t>* runs) {
  for (const Program& program : programs) {
    const Report report = Explore(plan, program.run);
    if (runs != nullptr) {
      runs->push_back(report.runs);
      fmt::print("{}: {} runs\n", program.name, report.runs);
    }
    if (!report.failure.empty()) return program.name + ": " + report.failure;
    if (!report.complete) return program.name + ": too many interleavings";
  }
  return {};
}

// Whether the programs notice what `watched` weakens.
bool IsCaught(const Plan& plan, const std::vector<Program>& programs, Watch* watched) {
  std::fflush(stdout);
  const pid_t child = fork();
  if (child == 0) {
    dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), STDERR_FILENO);
    watch = watched;
    _exit(Failure(plan, programs, nullptr).empty() ? 0 : 1);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return !WIFEXITED(status) || WEXITSTATUS(status) != 0;
}

// Those that take the least time first: most weakened orders are noticed by several.
std::vector<Program> ShortestFirst(const std::vector<Program>& programs,
                                   const std::vector<uint64_t>& runs) {
  std::multimap<uint64_t, Program> sorted;
  for (size_t i = 0; i < programs.size(); ++i) sorted.emplace(runs[i], programs[i]);
  std::vector<Program> shortest_first;
  for (auto& [count, program] : sorted) shortest_first.push_back(std::move(program));
  return shortest_first;
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
  for (const Program& program : programs) {
    const Report report = Explore(plan, program.run);
    if (!report.failure.empty()) return program.name + ": " + report.failure;
    if (!report.complete) return program.name + ": too many interleavings";
  }
  return "";
}

OrdersReport SurvivingOrders(const Plan& plan, const std::vector<Program>& programs) {
  OrdersReport report;
  Watch recording;
  watch = &recording;
  std::vector<uint64_t> runs;
  report.failure = Failure(plan, programs, &runs);
  watch = nullptr;
  report.runs = std::accumulate(runs.begin(), runs.end(), uint64_t{0});
  if (!report.failure.empty()) return report;
  const std::vector<Program> shortest_first = ShortestFirst(programs, runs);
  const std::map<Site, std::string> names = Names(recording.uses);
  for (const auto& [site, use] : recording.uses) {
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

}  // namespace kv::testing::interleaving
