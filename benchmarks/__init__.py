"""Benchmarks: ratios of time, CPU and memory from alternating paired runs on one machine; never part of the tests."""
