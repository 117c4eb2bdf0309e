"""Tests of deploy: processes and brokers, with the real ones."""
