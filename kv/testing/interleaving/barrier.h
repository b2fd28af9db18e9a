// ProcessBarrier: a memory barrier on every thread of the process, as membarrier(2) has it, for
// parts that are modelled.
//
// The caller has a full fence, then each other thread in its turn has one wherever it happens to
// be, then the caller has another. Other threads may go on in between.
//
// What a thread did before its own fence bounds what the caller's loads see from then on, and the
// other way round. That is all that is modelled: nothing happens before anything by it, as for
// fences in C++ without an atomic between them, so ordinary memory is not ordered.
//
// Thread safety: of one thread; the threads of a trial are fibers.
#ifndef KV_TESTING_INTERLEAVING_BARRIER_H_
#define KV_TESTING_INTERLEAVING_BARRIER_H_

namespace kv::testing::interleaving {

class ProcessBarrier {
 public:
  bool Register() { return true; }

  // Outside of Trial::Run there is nobody else.
  void operator()();
};

}  // namespace kv::testing::interleaving

#endif  // KV_TESTING_INTERLEAVING_BARRIER_H_
