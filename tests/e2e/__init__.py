"""The whole product as its users meet it: real commands on real stacks."""
