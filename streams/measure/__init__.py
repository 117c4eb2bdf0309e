"""The agent `measure`: events become rows and changes of the sums."""
