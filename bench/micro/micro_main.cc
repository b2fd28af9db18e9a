#include "bench/micro/micro.h"

int main(int argc, char** argv) { return bench::RunMicro(argc, argv, bench::MicroCases()); }
