"""Later versions of this program, for tests of what happens between two: no switch of the product makes these."""
