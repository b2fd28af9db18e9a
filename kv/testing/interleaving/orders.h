// SurvivingOrders: which memory orders of a part do its programs need?
//
//   TEST(MailboxInterleavingTest, EveryOrderIsNeededOrHasAReason) {
//     ExpectEveryOrderNeeded(kPlan, Programs(),
//                            {// Why it is kept.
//                             "Mailbox::Close store seq_cst -> release"});
//   }
//
// Each place in the source where the programs name an order stronger than relaxed is weakened by
// one step (seq_cst to acq_rel, or to acquire or release alone; these to relaxed), and the programs
// are run again. An order whose weakening fails none of them is a survivor: nothing that was run
// needs it. It is then weakened further, so that one sees what is needed. A part's test says which
// survivors there are, and why each order is kept; so a program that stops to catch what it caught
// fails the test, and so does a new order that nothing checks.
//
// Each weakened exploration is a process of its own: whatever becomes of it (a failed expectation,
// a race that ThreadSanitizer sees, a crash), the order is then needed.
//
// Places in files that end in _test.cc or _testing.h are the programs' own, and are left as they
// are.
//
// Thread safety: as Explore.
#ifndef KV_TESTING_INTERLEAVING_ORDERS_H_
#define KV_TESTING_INTERLEAVING_ORDERS_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <source_location>
#include <string>
#include <string_view>
#include <vector>

#include "kv/testing/interleaving/explore.h"

namespace kv::testing::interleaving {

struct Program {
  std::string name;
  std::function<void(Trial&)> run;
};

// Empty, or the name of the first program that fails (or has too many interleavings) and how.
std::string FirstFailure(const Plan& plan, const std::vector<Program>& programs);

struct OrdersReport {
  // Of the programs as they are: empty, or the name of one that fails (or has too many
  // interleavings) and how. Or a part that has no orders.
  std::string failure;
  uint64_t runs = 0;
  // Of the weakened ones.
  size_t weakened = 0;
  size_t caught = 0;
  // "Node::Set store release -> relaxed", in the order of the source. Of several such places in one
  // function the second is "Node::Set store release #2 -> relaxed".
  std::vector<std::string> survivors;
};

// Weakens the orders whose names begin with one of `parts`, which must be the beginning of one at
// least. Writes a line for each program, with its number of runs, and one for each order that is
// needed, to stdout.
OrdersReport SurvivingOrders(const Plan& plan, const std::vector<Program>& programs,
                             const std::vector<std::string>& parts = {""});

// Expects of the running GoogleTest that no program fails and that exactly `kept` survive. Without
// ThreadSanitizer, which sees the races by which many weakened orders are noticed, it runs the
// programs as they are and marks the test as skipped.
void ExpectEveryOrderNeeded(const Plan& plan, const std::vector<Program>& programs,
                            const std::vector<std::string>& kept = {},
                            const std::vector<std::string>& parts = {""});

// ---- For atomic.h ----

enum class Operation { kLoad, kStore, kUpdate, kCompareExchange, kFailure, kFence };

// The order that the operation is to have.
std::memory_order OrderAt(Operation operation, std::memory_order order,
                          const std::source_location& where);

// "Class::Function" of a name as the compiler spells it: without parameters, template arguments,
// namespaces and return type.
std::string ShortName(std::string_view function);

}  // namespace kv::testing::interleaving

#endif  // KV_TESTING_INTERLEAVING_ORDERS_H_
