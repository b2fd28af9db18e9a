// Which of the compositions that are compiled together a generated test is about. It stands apart
// from composition_under_test.h and includes nothing, since the source that defines it is compiled
// once for each composition.
#ifndef KV_TESTING_NAME_UNDER_TEST_H_
#define KV_TESTING_NAME_UNDER_TEST_H_

namespace kv::testing {

// Its name in engines.bzl, say.
const char* NameUnderTest();

}  // namespace kv::testing

#endif  // KV_TESTING_NAME_UNDER_TEST_H_
