// The table that a person reads: a line for each row, one for each operation of it on demand, and
// below it what has to be known about the figures.
//
// Several repetitions of a row are one line of medians, with half the range of the throughput.
//
// Thread safety: pure functions.
#ifndef BENCH_REMOTE_TABLE_H_
#define BENCH_REMOTE_TABLE_H_

#include <string>
#include <vector>

#include "bench/remote/row.h"
#include "bench/session.h"

namespace bench::remote {

std::string TableHead();

// `repetitions` are FiguresOf the results of one row; at least one.
std::string TableRow(const Row& row, const std::vector<Figures>& repetitions);

// A line for each operation, and for each command as the server counted it.
std::string OperationLines(const RowResult& result);

// Indented lines with what errors there were, and why the row may not be believed; empty if
// nothing.
std::string TroubleLines(const RowResult& result);

// What the columns mean for these rows.
std::vector<std::string> Notes(const std::vector<Row>& rows);

// Of a run of many intervals: its slowest and its worst.
std::string WorstIntervals(const DriveResult& drive);

}  // namespace bench::remote

#endif  // BENCH_REMOTE_TABLE_H_
