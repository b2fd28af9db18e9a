// What only a kernel can do to a store: a process that is out of file descriptors, and two
// processes that open one directory.
//
// Both fork, so nobody may have threads at the call.
#ifndef KV_TESTING_PROCESS_CHECK_H_
#define KV_TESTING_PROCESS_CHECK_H_

#include <string>
#include <vector>

#include "kv/testing/composition.h"

namespace kv::testing {

// A store in a process that may open no more files. Reads go on. A write is taken, or refused with
// an error that names the store; another Open is refused so. When files may be opened again, writes
// are taken, or the error says that the store is to be opened again; nothing that was acknowledged
// is lost either way.
std::vector<std::string> CheckDescriptors(const Composition& composition);

// A second process is refused while the first has the store open, with an error that names the
// directory's lock and who holds it, and without harm to the first. When that is killed the second
// opens, and finds what was acknowledged.
std::vector<std::string> CheckTwoProcesses(const Composition& composition);

}  // namespace kv::testing

#endif  // KV_TESTING_PROCESS_CHECK_H_
