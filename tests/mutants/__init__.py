"""Mutants: the code that exactly-once rests on, with one fence broken at a time, and the tests that must notice it.

What no test can notice is not listed: a file that was not forced to the disk is lost with the machine's power only, not
with a process, so neither the spool's fsync nor that of its folder has a test.
"""
